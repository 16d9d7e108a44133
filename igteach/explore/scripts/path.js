// Drag alpha from the baseline to the input: the picture there, F, the gradient there, and the integral so far.
igteachLive.figures.path = (element, data) => {
  const { number, decode } = igteachLive;
  const { alphas, f, sums } = data;
  const gradients = decode(data.gradients), shares = decode(data.shares);
  const last = alphas.length - 1;
  const moved = sums.map((sum) => f[0] + sum);
  const heights = [...f, ...moved], lowest = Math.min(...heights), highest = Math.max(...heights);
  const room = 0.05 * (highest - lowest || 1);

  const picture = igteachLive.picture("", { ...data.picture, sources: [data.picture.baseline, data.picture.input] });
  const curve = igteachLive.lines("F on the path", {
    across: { label: "alpha", limits: [0, 1], ticks: [0, 0.5, 1] },
    up: { limits: [lowest - room, highest + room] },
    names: ["F", "F(x') + shares so far"],
  });
  const sizes = { height: gradients.height, width: gradients.width, ghost: data.ghost, ink: data.ink };
  const slope = igteachLive.map("the gradient there", { ...sizes, unit: data.units.gradients });
  const soFar = igteachLive.map("the integral so far", { ...sizes, unit: data.units.shares });
  const words = igteachLive.words();

  const draw = (at) => {
    const alpha = alphas[at].toFixed(2);
    picture.caption.textContent = `the picture at alpha ${alpha}`;
    picture.layers[1].alt = picture.caption.textContent;
    picture.layers[1].style.opacity = alphas[at];
    curve.draw([{ x: alphas, y: f }, { x: alphas.slice(0, at + 1), y: moved.slice(0, at + 1) }], [alphas[at], f[at]]);
    slope.draw(gradients.maps[at], data.top.gradients);
    soFar.draw(shares.maps[at], data.top.shares);
    words.say(
      `At alpha ${alpha} F is ${number(f[at])}. It has moved by ${number(f[at] - f[0])} since the baseline; ` +
        `the shares so far add up to ${number(sums[at])}.`,
      data.note,
    );
  };
  const slider = igteachLive.slider("alpha", {
    min: 0, max: last, step: 1, value: data.start, words: (at) => alphas[at].toFixed(2),
  }, draw);
  element.append(igteachLive.layout([slider], words, [picture, curve, slope, soFar]));
  draw(data.start);
  return curve.cleanup;
};
