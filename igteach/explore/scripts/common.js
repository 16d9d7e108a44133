// What the live figures share: they run in a page of the book and in JupyterLab, without libraries.
// A figure is igteachLive.figures.NAME = (element, data) => cleanup, or nothing where there is nothing to clean up.

const igteachLive = {
  figures: {},
  signed: ["#00305A", "#2F86BD", "#FFFFFF", "#FFB76B", "#D55E00"], // from the strongest negative to the strongest positive
  strokes: [["#0072B2", ""], ["#D55E00", "7 4"], ["#009E73", "7 3 2 3"], ["#CC79A7", "2 3"]], // colours and dashes of lines
  fewSquares: 16, // along a side: up to here maps have an outline of the ink beneath them, and every negative square is hatched
  coarse: 64, // up to here negative squares are hatched where strong
};

igteachLive.style = `
.igteach-live .live { background: white; color: #222; font: 14px/1.45 system-ui, sans-serif; max-width: 620px; padding: 8px; }
.igteach-live .live * { box-sizing: border-box; }
.igteach-live .live .controls { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; padding: 4px 0; }
.igteach-live .live label { display: flex; flex: 1 1 200px; gap: 8px; align-items: center; margin: 0; max-width: 100%; min-width: 0; }
.igteach-live .live input[type=range] { flex: 1; min-width: 60px; height: 32px; margin: 0; accent-color: #0072B2; }
.igteach-live .live select { flex: 1; min-width: 0; min-height: 32px; font: inherit; color: inherit; background: white;
  border: 1px solid #767676; border-radius: 4px; padding: 2px 1.6em 2px 4px; text-overflow: ellipsis; }
.igteach-live .live button { min-height: 32px; font: inherit; color: inherit; background: #f3f3f3; border: 1px solid #767676;
  border-radius: 4px; padding: 2px 10px; cursor: pointer; }
.igteach-live .live :focus-visible { outline: 3px solid #0072B2; outline-offset: 1px; }
.igteach-live .live output { min-width: 3em; font-variant-numeric: tabular-nums; }
.igteach-live .live .words { margin: 4px 0 8px; min-height: 5.8em; }
.igteach-live .live .beside { display: flex; gap: 14px; justify-content: space-between; margin-bottom: 8px; }
.igteach-live .live .beside .pane { flex: 0 0 96px; }
.igteach-live .live .beside figcaption { min-height: 0; }
.igteach-live .live .panes { display: grid; grid-template-columns: repeat(var(--columns, 2), minmax(var(--narrowest, 0px), 1fr)); gap: 10px 14px; }
.igteach-live .live .pane { margin: 0; min-width: 0; display: flex; flex-direction: column; }
.igteach-live .live .pane figcaption { color: inherit; font-size: 13px; font-style: normal; font-weight: 400; line-height: 1.3; text-align: center;
  min-height: 2.6em; display: flex; align-items: end; justify-content: center; padding-bottom: 3px; overflow-wrap: anywhere; }
.igteach-live .live .stack { position: relative; width: 100%; border: 1px solid #ccc; line-height: 0; overflow: hidden; }
.igteach-live .live .stack.stack > * { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; max-width: none;
  filter: none; background: none; border-radius: 0; } /* twice, to be stronger than a dark theme's rule */
.igteach-live .live .pixels { image-rendering: pixelated; }
.igteach-live .live .scale { height: 10px; margin: 5px 8% 0; border: 1px solid #ccc; }
.igteach-live .live .ends { display: flex; justify-content: space-between; font-size: 12px; margin: 0 4%; }
.igteach-live .live .unit { font-size: 12px; text-align: center; }
.igteach-live .live output.unit { display: block; min-height: 2.9em; } /* two lines, so that nothing moves */
.igteach-live .live .stack > .here { inset: auto; box-shadow: 0 0 0 2px black, 0 0 0 4px white; pointer-events: none; }
.igteach-live .live svg { display: block; width: 100%; height: auto; overflow: visible; }
.igteach-live .live svg text { font: 12px system-ui, sans-serif; fill: #222; }
.igteach-live .live .legend { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: 12px; justify-content: center; }
.igteach-live .live .legend span { display: inline-flex; align-items: center; gap: 5px; }
.igteach-live .live .legend svg { width: 26px; flex: none; }
.igteach-live .live .bar { display: grid; grid-template-columns: minmax(3em, 30%) 1fr 4.5em; gap: 8px; align-items: center; }
.igteach-live .live .track { position: relative; height: 16px; border-left: 1px solid #ccc; border-right: 1px solid #ccc; }
.igteach-live .live .track > span { position: absolute; top: 0; bottom: 0; }
@media (max-width: 480px) {
  .igteach-live .live { padding: 4px 0; }
  .igteach-live .live .words { min-height: 8.7em; }
  .igteach-live .live .beside .words { min-height: 11.6em; }
  .igteach-live .live .panes { gap: 8px; }
}
`;

// ---- the page's elements

/** An element with attributes and children; `text` is its text, and what starts with "on" listens. */
igteachLive.element = (tag, attributes = {}, ...children) => {
  const isDrawing = ["svg", "path", "line", "rect", "circle", "polyline", "polygon", "text", "g"].includes(tag);
  const made = isDrawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};

/** A slider with its name and its value in words: {element, value(), set(value)}. */
igteachLive.slider = (name, { min, max, step, value, words = String }, changed) => {
  const { element } = igteachLive;
  const input = element("input", { type: "range", min, max, step, value, "aria-label": name });
  const readout = element("output");
  const read = () => {
    readout.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", readout.textContent);
  };
  input.addEventListener("input", () => { read(); changed(Number(input.value)); });
  read();
  const set = (next) => { input.value = next; read(); };
  return { element: element("label", {}, element("span", { text: name }), input, readout), value: () => Number(input.value), set };
};

/** A choice by name among names: {element, value(), set(value)}. */
igteachLive.choice = (name, options, value, changed) => {
  const { element } = igteachLive;
  const select = element("select", { "aria-label": name }, ...options.map((option) => element("option", { value: option, text: option })));
  select.value = value;
  select.addEventListener("change", () => changed(select.value));
  const set = (next) => { select.value = next; };
  const letters = name.length + Math.max(...options.map((option) => option.length));
  const wide = `flex-basis: ${3.5 + 0.55 * letters}em`;
  return { element: element("label", { style: wide }, element("span", { text: name }), select), value: () => select.value, set };
};

/** The words of a figure, which a screen reader reads when they change: {element, say(...lines)}. */
igteachLive.words = () => {
  const { element } = igteachLive;
  const words = element("div", { class: "words", "aria-live": "polite" });
  return { element: words, say: (...lines) => words.replaceChildren(...lines.map((text) => element("div", { text }))) };
};

/** Controls above words above panes, in so many columns, or "auto-fit": as many as there is room for. */
igteachLive.layout = (controls, words, panes, columns = 2) => {
  const { element } = igteachLive;
  const keepArrows = (event) => event.key.startsWith("Arrow") && event.stopPropagation(); // JupyterLab and themes take them
  return element("div", { class: "live", onkeydown: keepArrows },
    element("div", { class: "controls" }, ...controls.map((control) => control.element)),
    words.element,
    element("div", { class: "panes", style: `--columns: ${columns}; --narrowest: ${columns === "auto-fit" ? 250 : 0}px` }, ...panes.map((pane) => pane.element)));
};

igteachLive.pane = (title, ...children) => {
  const caption = igteachLive.element("figcaption", { text: title });
  return { element: igteachLive.element("figure", { class: "pane" }, caption, ...children), caption };
};

// ---- numbers

/** A number of so many significant digits, as Python writes it. */
igteachLive.number = (value, digits = 3) => {
  if (Math.abs(value) < 1e-12) return "0";
  const rounded = Number(value.toPrecision(digits)), size = Math.abs(rounded);
  if (size >= 1e-4 && size < 1e6) return String(rounded);
  return rounded.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
};
igteachLive.withSign = (value, digits) => (value > 0 ? "+" : "") + igteachLive.number(value, digits);

/** Rows and columns that an arrow key goes. */
igteachLive.arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Maps that Python packed: {height, width, maps: [Float64Array, ...]}. */
igteachLive.decode = ({ shape, step, values }) => {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  const whole = new Int8Array(bytes.buffer);
  const [count, height, width] = shape, size = height * width;
  const maps = Array.from({ length: count }, (_, at) => Float64Array.from(whole.subarray(at * size, (at + 1) * size), (v) => v * step));
  return { height, width, maps };
};

/** Red, green and blue, from 0 to 255, of a strength from -1 to 1. */
igteachLive.colour = (strength) => {
  const place = 2 * (Math.min(1, Math.max(-1, strength)) + 1), low = Math.min(3, Math.floor(place));
  const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
  const [from, to] = [channels(igteachLive.signed[low]), channels(igteachLive.signed[low + 1])];
  return from.map((level, channel) => Math.round(level + (place - low) * (to[channel] - level)));
};

// ---- panes

/** Pictures on top of one another: {element, caption, layers}. Each layer's opacity can be set. */
igteachLive.picture = (title, { height, width, sources }) => {
  const { element } = igteachLive;
  const few = Math.max(height, width) <= igteachLive.coarse ? "pixels" : "";
  const layers = sources.map((src) => element("img", { src, alt: "", class: few }));
  layers[layers.length - 1].alt = title;
  const stack = element("div", { class: "stack", style: `aspect-ratio: ${width} / ${height}` }, ...layers);
  return { ...igteachLive.pane(title, stack), layers };
};

/** A map of signed values over the ghost of a picture, with its scale: {element, canvas, draw(values, top, title)}.
    `ghost` is the address of a light grey picture; `ink`, for few squares, says of each whether it is ink.
    It tells the number of the square that is pointed at, tapped, or stepped to with the arrow keys. */
igteachLive.map = (title, { height, width, unit, ghost = null, ink = null }) => {
  const { element, number } = igteachLive;
  const side = Math.ceil(384 / Math.max(height, width)), within = (at, size) => Math.min(size - 1, Math.max(0, at));
  let shown = null, row = null, column = null; // the square that is told
  const tell = (live) => {
    told.setAttribute("aria-live", live);
    const value = shown.values[row * width + column], isStrongest = Math.abs(value) > 0.999999 * shown.top;
    const said = `row ${row + 1}, column ${column + 1}: ${igteachLive.withSign(value, 2)}`;
    told.textContent = isStrongest ? `${said}, strongest colour` : said;
    here.hidden = false;
    here.style.cssText = `left: ${(100 * column) / width}%; top: ${(100 * row) / height}%; width: ${100 / width}%; height: ${100 / height}%`;
  };
  const choose = (down, across) => {
    const before = [row, column];
    [row, column] = [within(down, height), within(across, width)];
    if (row !== before[0] || column !== before[1]) tell("polite");
  };
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    choose(Math.floor((height * (event.clientY - box.top)) / box.height), Math.floor((width * (event.clientX - box.left)) / box.width));
  };
  const step = (event) => {
    const by = igteachLive.arrows[event.key];
    if (!by) return;
    event.preventDefault();
    choose(row + by[0], column + by[1]);
  };
  const canvas = element("canvas", {
    width: width * side, height: height * side, role: "application", "aria-roledescription": "map", "aria-label": title, tabindex: 0,
    onpointerdown: point, onpointermove: point, onkeydown: step, onfocus: () => row ?? choose(height >> 1, width >> 1),
  });
  const beneath = ghost ? [element("img", { src: ghost, alt: "" })] : [];
  const here = element("span", { class: "here", hidden: "" });
  const stack = element("div", { class: "stack", style: `aspect-ratio: ${width} / ${height}` }, ...beneath, canvas, here);
  const scale = element("div", { class: "scale", style: `background: linear-gradient(to right, ${igteachLive.signed})` });
  const ends = element("div", { class: "ends" });
  const told = element("output", { class: "unit", text: "Point, tap or use the arrow keys for numbers" });
  const pane = igteachLive.pane(title, stack, scale, ends, element("div", { class: "unit", text: unit }), told);
  const draw = (values, top, named = title) => {
    shown = { values, top };
    pane.caption.textContent = named;
    canvas.setAttribute("aria-label", named);
    igteachLive.drawMap(canvas, { height, width, side, values, top, isOverGhost: Boolean(ghost), ink });
    ends.replaceChildren(...[-top, 0, top].map((end) => element("span", { text: number(end, 2) })));
    if (row !== null) tell("off"); // the figure's own words say what has changed
  };
  return { element: pane.element, canvas, draw };
};

igteachLive.drawMap = (canvas, { height, width, side, values, top, isOverGhost, ink }) => {
  const pen = canvas.getContext("2d");
  const few = Math.max(height, width) <= igteachLive.fewSquares, coarse = Math.max(height, width) <= igteachLive.coarse;
  const squares = { pale: new Path2D(), strong: new Path2D() };
  pen.clearRect(0, 0, canvas.width, canvas.height);
  values.forEach((value, at) => {
    const x = (at % width) * side, y = Math.floor(at / width) * side, strength = value / top;
    const opacity = isOverGhost ? Math.min(1, 1.5 * Math.abs(strength)) : 1;
    pen.fillStyle = `rgb(${igteachLive.colour(strength).join(" ")} / ${opacity})`;
    pen.fillRect(x, y, side, side);
    const faintest = few ? -0.05 : coarse ? -0.5 : -Infinity;
    if (strength < faintest) squares[strength < -0.5 ? "strong" : "pale"].rect(x, y, side, side);
  });
  igteachLive.hatch(pen, squares.pale, igteachLive.signed[0], few ? 14 : 7);
  igteachLive.hatch(pen, squares.strong, "#A9CBE4", few ? 14 : 7);
  if (ink) igteachLive.outline(pen, ink, height, width, side);
};

igteachLive.hatch = (pen, squares, colour, gap) => {
  const { width, height } = pen.canvas;
  pen.save();
  pen.clip(squares);
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let start = -height; start < width; start += gap) { pen.moveTo(start, height); pen.lineTo(start + height, 0); }
  pen.stroke();
  pen.restore();
};

igteachLive.outline = (pen, ink, height, width, side) => {
  const isInk = (row, column) => row >= 0 && column >= 0 && row < height && column < width && Boolean(ink[row * width + column]);
  pen.beginPath();
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      const [x, y] = [column * side, row * side];
      if (isInk(row, column) !== isInk(row - 1, column)) { pen.moveTo(x, y); pen.lineTo(x + side, y); }
      if (isInk(row, column) !== isInk(row, column - 1)) { pen.moveTo(x, y); pen.lineTo(x, y + side); }
    }
  }
  pen.strokeStyle = "#808080";
  pen.lineWidth = 2;
  pen.stroke();
};

/** Ticks between two numbers: round ones, or the decades of a logarithmic axis. */
igteachLive.ticks = (low, high, isLogarithmic) => {
  if (isLogarithmic) {
    const decades = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high) + 1e-9; power++) decades.push(10 ** power);
    const every = Math.ceil(decades.length / 5);
    return decades.filter((_, at) => at % every === 0);
  }
  const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((one) => one >= rough * 0.99);
  return Array.from({ length: 8 }, (_, at) => (Math.ceil(low / step - 1e-9) + at) * step).filter((tick) => tick <= high + 1e-9 * step);
};

/** Lines over an axis: {element, axes, draw(lines, mark), cleanup()}. `axes` may get other limits before a `draw`.
    Axes are {label, limits: [low, high], ticks?, logarithmic?}; lines are [{x, y}], in the order of `names`; mark is [x, y] or null. */
igteachLive.lines = (title, { across, up, names }) => {
  const { element, strokes, number } = igteachLive;
  const drawing = element("svg", { role: "img", "aria-label": title });
  const sample = (at) => element("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, stroke("M0 5H26", at));
  const stroke = (d, at) => element("path", { d, fill: "none", stroke: strokes[at][0], "stroke-dasharray": strokes[at][1], "stroke-width": 2 });
  const legend = element("div", { class: "legend" }, ...names.map((name, at) => element("span", {}, sample(at), name)));
  let last = null;
  const place = (axis, value, from, to) => {
    const [low, high, v] = [...axis.limits, value].map((one) => (axis.logarithmic ? Math.log10(Math.max(one, 1e-300)) : one));
    return from + ((v - low) / (high - low)) * (to - from);
  };
  const redraw = () => {
    const wide = drawing.getBoundingClientRect().width;
    if (!last || !wide) return;
    const [left, right, head, foot] = [40, wide - 8, 8, Math.max(150, 0.8 * wide)];
    const x = (value) => place(across, value, left, right), y = (value) => place(up, value, foot, head);
    const write = (text, more) => element("text", { ...more, text });
    const marks = [across, up].map((axis) => axis.ticks || igteachLive.ticks(...axis.limits, axis.logarithmic));
    drawing.setAttribute("viewBox", `0 0 ${wide} ${foot + 36}`);
    drawing.replaceChildren(
      ...marks[0].map((tick) => write(number(tick, 2), { x: x(tick), y: foot + 16, "text-anchor": "middle" })),
      ...marks[1].map((tick) => write(number(tick, 2), { x: left - 5, y: y(tick) + 4, "text-anchor": "end" })),
      ...marks[0].map((tick) => element("line", { x1: x(tick), x2: x(tick), y1: head, y2: foot, stroke: "#e4e4e4" })),
      ...marks[1].map((tick) => element("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), stroke: "#e4e4e4" })),
      element("path", { d: `M${left} ${head}V${foot}H${right}`, fill: "none", stroke: "#666" }),
      write(across.label, { x: (left + right) / 2, y: foot + 31, "text-anchor": "middle" }),
      ...last.lines.map((line, at) => stroke(Array.from(line.x, (v, i) => `${i ? "L" : "M"}${x(v).toFixed(1)} ${y(line.y[i]).toFixed(1)}`).join(""), at)),
      ...(last.mark ? [element("circle", { cx: x(last.mark[0]), cy: y(last.mark[1]), r: 5, fill: "black", stroke: "white" })] : []),
    );
  };
  const watch = new ResizeObserver(redraw);
  watch.observe(drawing);
  const draw = (lines, mark = null) => { last = { lines, mark }; redraw(); };
  return { ...igteachLive.pane(title, drawing, legend), axes: { across, up }, draw, cleanup: () => watch.disconnect() };
};

/** Bars from a zero in the middle: {element, draw([{name, value}], top)}. */
igteachLive.bars = (title) => {
  const { element, number } = igteachLive;
  const rows = element("div");
  const row = ({ name, value }, top) => {
    const wide = 50 * Math.min(1, Math.abs(value) / top), left = value < 0 ? 50 - wide : 50;
    const fill = element("span", { style: `left: ${left}%; width: ${wide}%; background: ${value < 0 ? "#0072B2" : "#D55E00"}` });
    const zero = element("span", { style: "left: 50%; width: 1px; background: #222" });
    return element("div", { class: "bar" }, element("span", { text: name }), element("span", { class: "track" }, fill, zero), element("span", { text: number(value) }));
  };
  return { ...igteachLive.pane(title, rows), draw: (items, top) => rows.replaceChildren(...items.map((item) => row(item, top))) };
};

// ---- start

/** Put a figure into an element in place of what is there; what is there stays if the figure fails. */
igteachLive.show = (element, kind, data) => {
  const fresh = igteachLive.element("div");
  const cleanup = igteachLive.figures[kind](fresh, data);
  element.classList.add("igteach-live");
  element.replaceChildren(igteachLive.element("style", { text: igteachLive.style }), ...fresh.childNodes);
  return cleanup;
};

/** Start every figure of the page. */
igteachLive.start = () => {
  for (const element of document.querySelectorAll(".igteach-live[data-figure]")) {
    try {
      igteachLive.show(element, element.dataset.figure, JSON.parse(element.querySelector("script").textContent));
    } catch (error) {
      console.error(error); // the picture stays, and so do the other figures
    }
  }
};
