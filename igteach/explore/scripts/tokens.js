// Choose a target and a baseline: the text in the colours of its shares, with the number of each token at hand.
igteachLive.style += `
.igteach-live .tokens .text { white-space: pre-wrap; line-height: 2.6; font-size: 16px; margin: 0 0 4px; overflow-wrap: anywhere; }
.igteach-live .tokens .text button { min-height: 0; padding: 2px 0 5px; border: 0; border-radius: 0; background: none;
  white-space: pre-wrap; line-height: 1.4; text-underline-offset: 4px; text-decoration-skip-ink: none; cursor: default; }
.igteach-live .tokens .words > :last-child { min-height: 2.9em; }
.igteach-live .tokens .given { color: #6b6b6b; }
.igteach-live .tokens .swatch { padding: 0 0.6em; }
@media (max-width: 480px) { .igteach-live .tokens .words { min-height: 10.15em; } }`;

igteachLive.figures.tokens = (element, data) => {
  const { element: make, number, withSign, choice } = igteachLive;
  const text = make("p", { class: "text", dir: "auto" });
  const words = igteachLive.words();

  const token = ([piece, score, ground, letters], tell) => {
    if (score === undefined) return piece;
    const said = () => tell(`${JSON.stringify(piece)}: share ${withSign(score)}.`);
    const made = make("button", {
      type: "button", text: piece, "aria-label": `${piece.trim()} ${withSign(score)}`, onfocus: said, onclick: said, onpointerenter: said,
    });
    const line = `underline 3px ${score > 0 ? "solid" : "dotted"}`;
    if (ground) Object.assign(made.style, { background: ground, color: letters, textDecoration: line });
    return made;
  };
  const draw = () => {
    const map = data.maps[data.targets.indexOf(target.value())][data.baselines.indexOf(baseline.value())];
    const change = map.f - map.f_baseline;
    const sums = `The shares add up to ${number(change + map.residual)}, and F(x) - F(x') is ${number(change)}.`;
    const tell = (line) => words.say(map.words, sums, line);
    const given = make("span", { class: "given", title: "answered so far: given, and without a share", text: map.given });
    text.replaceChildren(...map.pieces.map((piece) => token(piece, tell)), given);
    tell("Point at a token, tap it, or step through the tokens with the Tab key, for its share.");
  };
  const target = choice("target", data.targets, data.targets[0], draw);
  const baseline = choice("baseline", data.baselines, data.baselines[0], draw);
  const swatch = ([value, ground, letters]) =>
    make("span", { class: "swatch", style: `background: ${ground}; color: ${letters}`, text: withSign(value, 2) });
  const scale = make("span", { style: "gap: 0" }, ...data.scale.map(swatch));
  const plate = { element: make("div", {}, text, make("div", { class: "legend" }, scale, data.legend)) };
  const shell = igteachLive.layout([target, baseline], words, [plate], 1);
  shell.classList.add("tokens");
  element.append(shell);
  draw();
};
