// Choose a rule and a number of steps: the shares, the exact ones, what is wrong with them, and how error and residual fall.
igteachLive.figures.steps = (element, data) => {
  const { decode, choice, slider } = igteachLive;
  const { rules, steps, errors, residuals, top } = data;
  const shares = decode(data.shares), wrong = decode(data.wrong), exact = decode(data.exact).maps[0];
  const clipped = (values) => values.map((value) => Math.max(value, data.smallest));
  const heights = clipped([...errors, ...residuals]);

  const sizes = { height: shares.height, width: shares.width, ghost: data.ghost, ink: data.ink };
  const found = igteachLive.map("", { ...sizes, unit: data.unit });
  const truth = igteachLive.map("the exact shares", { ...sizes, unit: data.unit });
  const off = igteachLive.map("what is wrong, in colours 10 times as strong", { ...sizes, unit: `error of a ${data.unit}` });
  const curve = igteachLive.lines("error and |residual|, relative", {
    across: { label: "steps", limits: [steps[0], steps[steps.length - 1]], ticks: [2, 8, 32], logarithmic: true },
    up: { limits: [Math.min(...heights) / 2, 2 * Math.max(...heights)], logarithmic: true },
    names: ["error", "|residual|"],
  });
  const words = igteachLive.words();

  const draw = () => {
    const rule = rules.indexOf(chosenRule.value()), at = chosenSteps.value(), place = rule * steps.length + at;
    const name = rules[rule].replaceAll("_", "-");
    const ofRule = (found) => clipped(found.slice(place - at, place - at + steps.length));
    const error = ofRule(errors), residual = ofRule(residuals);
    found.draw(shares.maps[place], top, `${name}, ${steps[at]} steps`);
    truth.draw(exact, top);
    off.draw(wrong.maps[place], top / 10);
    curve.draw([{ x: steps, y: error }, { x: steps, y: residual }], [steps[at], error[at]]);
    words.say(
      `${name[0].toUpperCase()}${name.slice(1)}, ${steps[at]} gradients. ${data.verdicts[place]}`,
      `Single shares are off by ${(100 * errors[place]).toFixed(2)}% in all: the sum of all |errors|, over that of all |shares|. ${data.note}`,
    );
  };
  const chosenRule = choice("rule", rules, data.start.rule, draw);
  const stop = { min: 0, max: steps.length - 1, step: 1, value: steps.indexOf(data.start.steps), words: (at) => String(steps[at]) };
  const chosenSteps = slider("steps", stop, draw);
  element.append(igteachLive.layout([chosenRule, chosenSteps], words, [found, truth, off, curve]));
  draw();
  return curve.cleanup;
};
