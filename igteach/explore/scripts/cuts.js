// Cut a path where its slope differs, cell by cell: nine cells, then the neediest is cut in three.
igteachLive.figures.cuts = (element, data) => {
  const { number } = igteachLive;
  const { counts } = data, fine = data.slopes.length;
  const logistic = (x) => 1 / (1 + Math.exp(-x));
  const curves = [
    { ...data, slope: (alpha) => data.slopes[Math.floor(alpha * fine)] },
    { name: "1 - ReLU(1 - x), from 0 to 2", change: 1, slope: (alpha) => (alpha < 0.5 ? 2 : 0) },
    {
      name: "a sigmoid, from -3 to 60",
      change: logistic(60) - logistic(-3),
      slope: (alpha) => 63 * logistic(63 * alpha - 3) * (1 - logistic(63 * alpha - 3)),
    },
  ];
  const cell = (curve, node, width) => ({ node, width, height: curve.slope(node) });
  const equalCells = (curve, count) => Array.from({ length: count }, (_, at) => cell(curve, (at + 0.5) / count, 1 / count));
  const sum = (cells) => cells.reduce((total, { width, height }) => total + width * height, 0);
  const neediest = (cells) => {
    const apart = (left, right) => (left && right ? Math.abs(right.height - left.height) : 0);
    const needs = cells.map((one, at) => one.width * (apart(cells[at - 1], one) + apart(one, cells[at + 1])));
    return needs.findIndex((need) => need >= Math.max(...needs) * (1 - 1e-9));
  };
  const cut = (curve, cells, at) => {
    const { node, width } = cells[at];
    const three = [node - width / 3, node, node + width / 3].map((one) => cell(curve, one, width / 3));
    return [...cells.slice(0, at), ...three, ...cells.slice(at + 1)];
  };
  for (const curve of curves) {
    let cells = equalCells(curve, counts[0]);
    curve.stages = counts.map((_, cuts) => {
      const stage = { cells, next: curve.cut ? curve.cut[cuts] : neediest(cells) };
      cells = cut(curve, cells, stage.next);
      return stage;
    });
    const error = (some) => Math.abs(sum(some) - curve.change) / Math.abs(curve.change);
    curve.errors = curve.errors || [curve.stages.map((stage) => error(stage.cells)), counts.map((count) => error(equalCells(curve, count)))];
    curve.x = data.slopes.map((_, at) => (at + 0.5) / fine);
    curve.y = curve.x.map(curve.slope);
  }

  const steps = igteachLive.lines("slope of F; the dot is cut next", {
    across: { label: "alpha", limits: [0, 1], ticks: [0, 0.5, 1] }, up: { limits: [0, 1] }, names: ["slope", "cells"],
  });
  const errors = igteachLive.lines("error of the shares", {
    across: { label: "gradients", limits: [counts[0], counts[counts.length - 1]], ticks: [9, 20, 40], logarithmic: true },
    up: { limits: [data.smallest, 2], logarithmic: true },
    names: ["cut where it differs", "equal steps"],
  });
  const words = igteachLive.words();
  const draw = () => {
    const curve = curves.find((one) => one.name === chosen.value()), cuts = slider.value();
    const { cells, next } = curve.stages[cuts], { node, height } = cells[next];
    const low = Math.min(0, ...curve.y), high = Math.max(...curve.y), room = 0.05 * (high - low);
    const ends = cells.flatMap((one) => [one.node - one.width / 2, one.node + one.width / 2]);
    steps.axes.up.limits = [low - room, high + room];
    steps.draw([{ x: curve.x, y: curve.y }, { x: ends, y: cells.flatMap((one) => [one.height, one.height]) }], [node, height]);
    const drawn = curve.errors.map((line) => line.map((one) => Math.max(one, data.smallest)));
    errors.draw(drawn.map((y) => ({ x: counts, y })), [counts[cuts], drawn[0][cuts]]);
    const [off, offEqual] = curve.errors.map((line) => `${number(100 * line[cuts], 2)}%`);
    words.say(
      `${counts[cuts]} gradients, after ${cuts} ${cuts === 1 ? "cut" : "cuts"}: the shares are off by ${off}. As many equal steps are off by ${offEqual}.`,
      `The sum of width times slope is ${number(sum(cells))}; F changes by ${number(curve.change)}. The next cut is at alpha ${number(node)}.`,
    );
  };
  const chosen = igteachLive.choice("F", curves.map((curve) => curve.name), data.name, draw);
  const slider = igteachLive.slider("cuts", { min: 0, max: counts.length - 1, step: 1, value: 0 }, draw);
  element.append(igteachLive.layout([chosen, slider], words, [steps, errors], "auto-fit"));
  draw();
  return () => [steps, errors].forEach((pane) => pane.cleanup());
};
