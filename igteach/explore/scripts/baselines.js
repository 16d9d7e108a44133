// Choose two baselines: each, and the shares against it, on one colour scale.
igteachLive.figures.baselines = (element, data) => {
  const { names, size } = data;
  const shares = igteachLive.decode(data.shares);
  const sizes = { height: shares.height, width: shares.width, ghost: data.ghost, ink: data.ink, unit: data.unit };
  const words = igteachLive.words();
  const sides = ["left", "right"].map((side) => ({
    start: igteachLive.picture("", { ...size, sources: [data.baselines[0]] }),
    map: igteachLive.map("", sizes),
    choice: igteachLive.choice(side, names, data.start[side], () => draw()),
  }));

  const draw = () => {
    const chosen = sides.map((side) => names.indexOf(side.choice.value()));
    sides.forEach(({ start, map }, side) => {
      const at = chosen[side], name = names[at];
      start.caption.textContent = start.layers[0].alt = `${name} baseline`;
      start.layers[0].src = data.baselines[at];
      map.draw(shares.maps[at], data.top, `IG from ${name}`);
    });
    words.say(...[...new Set(chosen)].map((at) => `Against ${names[at]}: ${data.verdicts[at]}`), data.note);
  };
  const picture = igteachLive.picture("the picture", { ...size, sources: [data.input] });
  const head = { element: igteachLive.element("div", { class: "beside" }, words.element, picture.element) };
  const panes = [...sides.map((side) => side.start), ...sides.map((side) => side.map)];
  element.append(igteachLive.layout(sides.map((side) => side.choice), head, panes));
  draw();
};
