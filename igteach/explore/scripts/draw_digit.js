// Draw a digit: its class scores and its Integrated Gradients from black follow every stroke.
igteachLive.style += `
.igteach-live .digit .ink { display: grid; grid-template-columns: repeat(8, 1fr); aspect-ratio: 1; border: 1px solid #767676;
  touch-action: none; }
.igteach-live .digit .ink button { min-height: 0; padding: 0; border: 1px solid #444; border-radius: 0; cursor: crosshair; }
.igteach-live .digit .pane .controls { gap: 6px; justify-content: center; padding: 6px 0 0; }
.igteach-live .digit .ink button:focus { outline: 3px solid #56B4E9; outline-offset: -3px; }
.igteach-live .digit .bar { grid-template-columns: 1.2em 1fr 3.2em; gap: 6px; line-height: 1.35; font-size: 13px; }
.igteach-live .digit .bar[data-explained] { font-weight: bold; }
.igteach-live .digit .track > span { left: 0; background: #0072B2; }
@media (max-width: 480px) {
  .igteach-live .digit .words { min-height: 7.3em; }
  .igteach-live .digit .panes { --columns: 2 !important; }
  .igteach-live .digit .pane:first-child { grid-column: 1 / -1; width: 290px; justify-self: center; }
}`;

/** Squares to ink by pointer, finger or keyboard, above buttons: {element, cursor(), draw()}; `ink` is changed in place. */
igteachLive.inkGrid = (ink, isErasing, changed, buttons) => {
  const { element: make, number } = igteachLive;
  let cursor = 0, last = null;
  const press = (at) => { ink[at] = ink[at] === 1 ? 0 : ink[at] < 0.5 ? 0.5 : 1; changed(); };
  const point = (at) => { cursor = at; changed(); };
  const cell = (_, at) => make("button", {
    type: "button", onfocus: () => point(at), onclick: (event) => event.detail || press(at), // of a pointer the stroke has done it
  });
  const cells = Array.from(ink, cell);
  const help = "Ink. Arrows move, the space bar changes the ink, Delete removes it.";
  const grid = make("div", { class: "ink", role: "group", "aria-label": help }, ...cells);

  const dot = (x, y) => ink.forEach((level, at) => {
    const reach = Math.min(1, Math.max(0, 1.25 - Math.hypot(x - (at & 7) - 0.5, y - (at >> 3) - 0.5)));
    ink[at] = isErasing() ? Math.min(level, 1 - reach) : Math.max(level, reach);
  });
  const stroke = (event) => {
    const box = grid.getBoundingClientRect();
    const [x, y] = [(8 * (event.clientX - box.left)) / box.width, (8 * (event.clientY - box.top)) / box.height];
    const [fromX, fromY] = last || [x, y], parts = Math.ceil(4 * Math.hypot(x - fromX, y - fromY)) || 1;
    for (let k = 1; k <= parts; k++) dot(fromX + ((x - fromX) * k) / parts, fromY + ((y - fromY) * k) / parts);
    last = [x, y];
    const [column, row] = last.map((place) => Math.min(7, Math.max(0, Math.floor(place))));
    point(8 * row + column);
  };
  grid.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    grid.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
    cells[cursor].focus({ preventScroll: true });
  });
  grid.addEventListener("pointermove", (event) => { if (grid.hasPointerCapture(event.pointerId)) stroke(event); });
  grid.addEventListener("keydown", (event) => {
    const step = igteachLive.arrows[event.key];
    const isRemoving = ["Delete", "Backspace"].includes(event.key);
    if (!step && !isRemoving) return;
    event.preventDefault();
    if (isRemoving) { ink[cursor] = 0; changed(); return; }
    const [row, column] = [(cursor >> 3) + step[0], (cursor & 7) + step[1]];
    if (Math.min(row, column) >= 0 && Math.max(row, column) < 8) cells[8 * row + column].focus();
  });

  const draw = () => cells.forEach((one, at) => {
    one.style.background = `rgb(${Array(3).fill(Math.round(255 * ink[at])).join(" ")})`;
    one.tabIndex = at === cursor ? 0 : -1;
    one.setAttribute("aria-label", `row ${(at >> 3) + 1}, column ${(at & 7) + 1}, ink ${number(ink[at], 2)}`);
  });
  const below = make("div", { class: "controls" }, ...buttons);
  return { element: igteachLive.pane("draw on this digit, or clear it first", grid, below).element, cursor: () => cursor, draw };
};

/** A bar for each class: {element, draw(probabilities, target)}. */
igteachLive.classBars = () => {
  const { element: make } = igteachLive;
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const fill = make("span"), value = make("span"), track = make("span", { class: "track" }, fill);
    return { fill, value, row: make("div", { class: "bar" }, make("span", { text: digit }), track, value) };
  });
  const draw = (p, target) => bars.forEach(({ fill, value, row }, digit) => {
    fill.style.width = `${100 * p[digit]}%`;
    value.textContent = p[digit].toFixed(3);
    row.toggleAttribute("data-explained", digit === target);
  });
  return { element: igteachLive.pane("probabilities", ...bars.map(({ row }) => row)).element, draw };
};

igteachLive.figures.draw_digit = (element, data) => {
  const { element: make, number, choice } = igteachLive, { load, probabilities, shares } = igteachLive.digits;
  const network = load(data.weights), black = probabilities(network, new Float64Array(64));
  const ink = Float64Array.from(data.picture), inked = Array(64).fill(false);
  const likeliest = (p) => p.indexOf(Math.max(...p));
  let frame = 0, rest = 0, found = null, explains = ""; // the shares, and of which ink and class

  const draw = () => {
    frame = 0;
    const p = probabilities(network, ink);
    const target = explained.value() === "the likeliest" ? likeliest(p) : Number(explained.value());
    grid.draw();
    scores.draw(p, target);
    const said = `The network says ${likeliest(p)}. F is P(${target}): ${number(black[target])} at black, ` +
      `${number(p[target])} here; F(x) - F(x') = ${number(p[target] - black[target])}.`;
    clearTimeout(rest);
    const wanted = `${target}: ${ink}`;
    const finish = () => {
      if (explains !== wanted) [found, explains] = [shares(network, ink, target), wanted];
      drawShares(target, p[target] - black[target], said);
    };
    if (explains === wanted || !found) { finish(); return; }
    rest = setTimeout(finish, 150); // 64 gradients take too long for every frame of a stroke
    map.canvas.style.opacity = 0.3;
    words.say(said, "The shares follow when the pen rests.");
  };
  const drawShares = (target, change, said) => {
    const at = grid.cursor(), sum = found.reduce((total, share) => total + share, 0);
    ink.forEach((level, place) => { inked[place] = level > 0; });
    map.canvas.style.opacity = 1;
    map.draw(found, Math.max(...found.map(Math.abs)) || 1, `IG from black, for P(${target})`);
    words.say(
      said,
      `The shares add up to ${number(sum)}; residual ${number(sum - change, 2)}.`,
      `Row ${(at >> 3) + 1}, column ${(at & 7) + 1}: ink ${number(ink[at], 2)}, share ${number(found[at])}.`,
    );
  };
  const update = () => { frame = frame || requestAnimationFrame(draw); };
  const button = (text, picture) => make("button", { type: "button", text, onclick: () => { ink.set(picture); update(); } });

  const pen = choice("pen", ["draws", "erases"], "draws", () => {});
  const explained = choice("explain", ["the likeliest", ..."0123456789"], "the likeliest", update);
  const buttons = [button("clear (black)", new Float64Array(64)), button("the lesson's digit", data.picture)];
  const grid = igteachLive.inkGrid(ink, () => pen.value() === "erases", update, buttons);
  const map = igteachLive.map("IG from black", { height: 8, width: 8, unit: "share of F", ink: inked });
  const scores = igteachLive.classBars(), words = igteachLive.words();
  const shell = igteachLive.layout([pen, explained], words, [grid, map, scores], 3);
  shell.classList.add("digit");
  element.append(shell);
  draw();
  return () => { cancelAnimationFrame(frame); clearTimeout(rest); };
};
