// Drag the input, the baseline and a corner of a path over F(x1, x2): the shares follow.
igteachLive.style += `
.igteach-live .surface .stack text { font-size: 13px; paint-order: stroke; stroke: white; stroke-width: 3px; }
.igteach-live .surface .handle { cursor: grab; touch-action: none; }
.igteach-live .surface .pane:first-child { grid-row: span 2; }
.igteach-live .surface .pane figcaption { min-height: 0; }
@media (max-width: 480px) {
  .igteach-live .surface .words { min-height: 5.8em; }
  .igteach-live .surface label:has([type=range]) { flex-basis: 100%; }
  .igteach-live .surface .panes { --columns: 1 !important; }
  .igteach-live .surface .pane:first-child { width: 284px; justify-self: center; }
  .igteach-live .surface .pane:nth-child(2) { order: -1; }
}`;

/** The drawing of F in bands, with a path over it: {element, paint(name), draw(points, stops, current)}. */
igteachLive.plane = ({ lowest, highest, colours }, grab) => {
  const { element: make, number, surfaces } = igteachLive, SIDE = 300;
  const along = (one) => (SIDE * (one - lowest)) / (highest - lowest);
  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "F over x1 and x2, in bands" });
  const drawing = make("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": "a path from x' to x" });
  const stripes = colours.map((colour, k) => `${colour} ${(100 * k) / colours.length}% ${(100 * (k + 1)) / colours.length}%`);
  const scale = make("div", { class: "scale", style: `background: linear-gradient(to right, ${stripes})` });
  const ends = make("div", { class: "ends" });
  const stack = make("div", { class: "stack", style: "aspect-ratio: 1" }, canvas, drawing);
  const pane = igteachLive.pane("F over x1 (across) and x2 (up)", stack, scale, ends, make("div", { class: "unit", text: "F" }));

  const paint = (name) => {
    const pen = canvas.getContext("2d"), feature = (pixel) => lowest + ((highest - lowest) * pixel) / SIDE;
    const heights = Array.from({ length: SIDE * SIDE }, (_, at) =>
      surfaces.value(name, [feature((at % SIDE) + 0.5), feature(SIDE - Math.floor(at / SIDE) - 0.5)]));
    const low = heights.reduce((a, b) => Math.min(a, b)), high = heights.reduce((a, b) => Math.max(a, b));
    heights.forEach((height, at) => {
      pen.fillStyle = colours[Math.min(colours.length - 1, Math.floor((colours.length * (height - low)) / (high - low)))];
      pen.fillRect(at % SIDE, Math.floor(at / SIDE), 1, 1);
    });
    ends.replaceChildren(...[low, (low + high) / 2, high].map((end) => make("span", { text: number(end, 2) })));
    return high - low;
  };
  const handle = (stop, [x1, x2], isCurrent) => {
    const [x, y] = [along(x1), SIDE - along(x2)], isBelow = stop === "baseline" ? y < SIDE - 24 : y < 24;
    const look = { r: isCurrent ? 9 : 7, fill: isCurrent ? "#D55E00" : "white", stroke: "black", "stroke-width": 2 };
    const side = x > SIDE - 70 ? { x: x - 12, "text-anchor": "end" } : { x: x + 12, "text-anchor": "start" };
    return make("g", { class: "handle", "data-stop": stop, onpointerdown: (event) => grab(event, stop, drawing) },
      make("circle", { cx: x, cy: y, ...look }),
      make("circle", { cx: x, cy: y, r: 22, fill: "transparent" }), // what a finger finds
      make("text", { ...side, y: isBelow ? y + 22 : y - 9, text: stop === "baseline" ? "x'" : stop }));
  };
  const draw = (points, stops, current) => {
    const d = `M${stops.map((stop) => [along(points[stop][0]), SIDE - along(points[stop][1])].join(" ")).join("L")}`;
    drawing.replaceChildren(
      ...[0, 0.5, 1].map((tick) => make("text", { x: along(tick), y: SIDE - 5, "text-anchor": "middle", text: tick })),
      ...[0, 0.5, 1].map((tick) => make("text", { x: 5, y: SIDE - along(tick) + 4, text: tick })),
      make("path", { d, fill: "none", stroke: "white", "stroke-width": 5 }),
      make("path", { d, fill: "none", stroke: "black", "stroke-width": 2 }),
      ...stops.map((stop) => handle(stop, points[stop], stop === current)),
    );
  };
  return { ...pane, paint, draw };
};

igteachLive.figures.surface = (element, data) => {
  const { number, choice, slider } = igteachLive, { value, walk } = igteachLive.surfaces;
  const names = Object.fromEntries(Object.entries(data.functions).map(([name, label]) => [label, name]));
  const stopOf = { "the input x": "x", "the baseline x'": "baseline", "the corner": "corner" };
  const points = structuredClone(data.points);
  const name = () => names[surface.value()], current = () => stopOf[moved.value()];
  const written = (stop) => `(${points[stop].map((one) => number(one)).join(", ")})`;
  let range = 1;

  const draw = () => {
    const stops = path.value() === "straight" ? ["baseline", "x"] : ["baseline", "corner", "x"];
    const walked = walk(name(), stops.map((stop) => points[stop])), [first, second] = walked.shares;
    const [start, end] = [value(name(), points.baseline), value(name(), points.x)];
    plane.draw(points, stops, current());
    bars.draw([
      { name: "x1", value: first }, { name: "x2", value: second },
      { name: "their sum", value: first + second }, { name: "F(x) - F(x')", value: end - start },
    ], Math.max(range, Math.abs(first), Math.abs(second)));
    const every = walked.rates.map((rate) => rate.filter((_, k) => k % 20 === 0 || k === rate.length - 1));
    const alphas = every[0].map((_, k) => k / (every[0].length - 1));
    curve.axes.up.limits = [Math.min(0, ...every.flat()) - 0.05, Math.max(1, ...every.flat()) + 0.05];
    curve.draw(every.map((y) => ({ x: alphas, y })));
    words.say(
      `F goes from ${number(start)} at x' = ${written("baseline")} to ${number(end)} at x = ${written("x")}: ` +
        `F(x) - F(x') = ${number(end - start)}.`,
      `x1 gets ${number(first)} and x2 gets ${number(second)}; they add up to ${number(first + second)}.`,
    );
  };
  const choose = (stop) => {
    moved.set(Object.keys(stopOf).find((label) => stopOf[label] === stop));
    if (stop === "corner") path.set("with a corner");
    sliders.forEach((one, feature) => one.set(points[stop][feature]));
    draw();
  };
  const drag = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const parts = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    points[current()] = parts.map((part) => {
      const feature = data.lowest + (data.highest - data.lowest) * Math.min(1, Math.max(0, part));
      return Math.round(20 * feature) / 20;
    });
    choose(current());
  };
  const grab = (event, stop, drawing) => {
    event.preventDefault();
    drawing.setPointerCapture(event.pointerId);
    drawing.onpointermove = drag;
    choose(stop);
  };

  const plane = igteachLive.plane(data, grab);
  const bars = igteachLive.bars("shares along the path");
  const curve = igteachLive.lines("slope times velocity: its area is the share", {
    across: { label: "alpha", limits: [0, 1], ticks: [0, 0.5, 1] }, up: { limits: [0, 1] }, names: ["x1", "x2"],
  });
  const words = igteachLive.words();
  const paint = () => { range = plane.paint(name()); draw(); };
  const surface = choice("F", Object.keys(names), Object.keys(names)[0], paint);
  const path = choice("path", ["straight", "with a corner"], "straight", (shape) => choose(shape === "straight" ? "x" : "corner"));
  const moved = choice("move", Object.keys(stopOf), "the input x", (label) => choose(stopOf[label]));
  const bounds = { min: data.lowest, max: data.highest, step: 0.05, words: (one) => one.toFixed(2) };
  const sliders = [0, 1].map((feature) => slider(`x${feature + 1}`, { ...bounds, value: points.x[feature] }, (to) => {
    points[current()][feature] = to;
    draw();
  }));
  const shell = igteachLive.layout([surface, path, moved, ...sliders], words, [plane, bars, curve]);
  shell.classList.add("surface");
  element.append(shell);
  paint();
  return curve.cleanup;
};
