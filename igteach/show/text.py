"""A text with the share of each token: as HTML for a notebook, and in words for a terminal and a screen reader."""

from collections.abc import Sequence
from html import escape

from matplotlib.colors import to_hex

from igteach.methods.token_attribution import TokenAttribution
from igteach.show.figures import rounded
from igteach.show.palette import WHITE_IS_ZERO
from igteach.show.tables import Table

FAINT = 0.05  # of the strongest: a score below it has no colour and no line under it
LEGEND = (
    "Orange over a solid line speaks for the label, blue over a dotted line against it; no colour is next to nothing."
)
# Numbers are seen where a pointer or a finger is, and in print.
STYLE = """<style>
.share:is(:hover, :focus)::after {content: " " attr(title); font-size: 0.75em}
@media print {.share::after {content: " " attr(title); font-size: 0.75em}}
</style>"""

Piece = tuple[str, float | None]  # a stretch of the text, and its score; None if no token stands there


def text(attributions: TokenAttribution | Sequence[TokenAttribution]) -> Table:
    """Show a text with the score of each token, or several texts on one scale, each with its residual.

    A notebook shows each token on the colour of its score, and the number when the pointer or a finger is on it, and in
    print. A score next to nothing has no colour. No sign depends on hue: tokens that speak for the label stand over a
    solid line, those against it over dots.
    A terminal and a screen reader get each token with its score to 2 digits, which another machine may round otherwise.

    Args:
        attributions: of one text, or of several.

    Returns:
        A table that a notebook shows as HTML and a terminal as text.

    Example:
        >>> from igteach import token_attribution
        >>> from igteach.models.text import load
        >>> print(text(token_attribution(load("sentiment_zh", "cpu"), "房间很干净")))  # doctest: +ELLIPSIS
        房(...)...
        positive, which the model chooses: from ... at the baseline to ...; residual ...
    """
    several = [attributions] if isinstance(attributions, TokenAttribution) else list(attributions)
    top = max((float(attribution.scores.abs().max()) for attribution in several), default=0.0)
    if top == 0.0:
        top = 1.0
    body = "".join(_html(attribution, top) for attribution in several)
    return Table(f"{STYLE}<div>{body}<small>{_scale(top)} {LEGEND}</small></div>", "\n".join(map(_words, several)))


def _html(attribution: TokenAttribution, top: float) -> str:
    spans = [escape(piece) if score is None else _span(piece, score, top) for piece, score in _pieces(attribution)]
    style = "white-space: pre-wrap; line-height: 2.2; margin: 0"
    label = escape(_scores_in_words(attribution))
    shown = f'<p role="img" aria-label="{label}" dir="auto" style="{style}">{"".join(spans)}</p>'
    return f'{shown}<p style="margin: 0 0 0.6em"><small>{escape(_evidence(attribution))}</small></p>'


def _span(piece: str, score: float, top: float) -> str:
    if abs(score) < FAINT * top:
        return f'<span title="{score:+.2f}">{escape(piece)}</span>'
    line = "underline 3px solid" if score > 0 else "underline 3px dotted"
    line = f"text-decoration: {line}; text-underline-offset: 4px; text-decoration-skip-ink: none; padding-bottom: 6px"
    style = f"{_colours(score / top)}; {line}"
    return f'<span class="share" tabindex="0" title="{score:+.2f}" style="{style}">{escape(piece)}</span>'


def _colours(strength: float) -> str:
    red, green, blue, _ = WHITE_IS_ZERO(0.5 + 0.5 * strength)
    ink = "#000000" if _luminance(red, green, blue) > 0.179 else "#ffffff"  # whichever has the higher contrast
    return f"background-color: {to_hex((red, green, blue))}; color: {ink}"


def _scale(top: float) -> str:
    """The colours with their shares, from the strongest against the label to the strongest for it."""
    strengths = (-1.0, -0.5, 0.5, 1.0)
    swatches = [
        f'<b style="{_colours(strength)}; padding: 0 0.5em; font-weight: normal">{rounded(strength * top, 2):+g}</b>'
        for strength in strengths
    ]
    return "".join(swatches)


def _luminance(red: float, green: float, blue: float) -> float:
    """The relative luminance of a colour in sRGB, by the Web Content Accessibility Guidelines 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _pieces(attribution: TokenAttribution) -> list[Piece]:
    """The text from start to end, each piece with its score.

    Tokens that have characters in common, as the bytes of an emoji do, are one piece. A token that has a score and
    stands nowhere in the text is a piece of its own, in brackets.
    """
    text = attribution.text
    pieces: list[Piece] = []
    start_of_last = end_of_last = 0  # of the last piece of the text
    for token, (start, end), score in zip(
        attribution.tokens, attribution.offsets, attribution.scores.tolist(), strict=True
    ):
        if start == end:
            if score != 0:
                pieces.append((f"[{token}]", score))
        elif start < end_of_last and pieces:
            _, score_before = pieces.pop()
            end_of_last = max(end_of_last, end)
            pieces.append((text[start_of_last:end_of_last], (score_before or 0.0) + score))
        else:
            if end_of_last < start:
                pieces.append((text[end_of_last:start], None))
            pieces.append((text[start:end], score))
            start_of_last, end_of_last = start, end
    if end_of_last < len(text):
        pieces.append((text[end_of_last:], None))
    return pieces


def _words(attribution: TokenAttribution) -> str:
    return f"{_scores_in_words(attribution)}\n{_evidence(attribution)}"


def _scores_in_words(attribution: TokenAttribution) -> str:
    """The text with the score of each token in brackets behind it."""
    return "".join(piece if score is None else f"{piece}({score:+.2f})" for piece, score in _pieces(attribution))


def _evidence(attribution: TokenAttribution) -> str:
    evidence, target, prediction = attribution.evidence, attribution.target, attribution.prediction
    several = prediction if isinstance(prediction, tuple) else (prediction,)
    if target in several:
        chosen = "which the model chooses"
    elif any(isinstance(number, float) for number in several):
        chosen = "a number"
    else:
        chosen = f"where the model chooses {', '.join(several) or 'none'}"
    change = f"{evidence.f_baseline.item():.2f} at the baseline to {evidence.f_input.item():.2f}"  # type: ignore[union-attr]
    words = f"{target}, {chosen}: from {change}; residual {attribution.residual:+.3f}: {evidence.verdict}"
    return f"{words}; the model did not read all of the text" if attribution.truncated else words
