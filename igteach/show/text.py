"""A text with the share of each token: as HTML for a notebook, and in words for a terminal and a screen reader."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from matplotlib.colors import to_hex

from igteach.methods.token_answer import TokenAttribution
from igteach.show.figures import Values, numbers, rounded
from igteach.show.palette import WHITE_IS_ZERO, ink_on
from igteach.show.tables import Table

FAINT = 0.05  # of the strongest: a score below it has no colour and no line under it
LEGEND = (
    "Orange over a solid line speaks for the answer, blue over a dotted line against it; no colour is next to nothing."
)
GIVEN = "answered so far: given, and without a share"
WANTED = "pass answers of token_attribution, or tokens as str with scores"
# Numbers are seen where a pointer or a finger is, and in print.
STYLE = """<style>
.share:is(:hover, :focus)::after {content: " " attr(title); font-size: 0.75em}
@media print {.share::after {content: " " attr(title); font-size: 0.75em}}
</style>"""

Piece = tuple[str, float | None]  # a stretch of the text, and its score; None if no token stands there


def text(
    attributions: TokenAttribution | Sequence[TokenAttribution] | Sequence[str], scores: Values | None = None
) -> Table:
    """Show a text with the score of each token, or several texts on one scale, each with its residual.

    A notebook shows each token on the colour of its score, and the number when the pointer or a finger is on it, and in
    print. A score next to nothing has no colour. No sign depends on hue: tokens that speak for the label stand over a
    solid line, those against it over dots. Of a continuation the answer so far stands behind the prompt, paler.
    A terminal and a screen reader get each token with its score to 2 digits, which another machine may round otherwise.

    Args:
        attributions: of one text, or of several; or the tokens of a text as a list of str, with scores from elsewhere.
        scores: (tokens,), with a list of tokens only.

    Returns:
        A table that a notebook shows as HTML and a terminal as text.

    Raises:
        TypeError: attributions is a list of str and scores is missing, or the other way round; or it holds something
            else.
        ValueError: there is not one score for each token, or one of them is NaN or infinite.

    Example:
        >>> from igteach import token_attribution
        >>> from igteach.models.text import load
        >>> print(text(token_attribution(load("sentiment_zh", "cpu"), "房间很干净")))  # doctest: +ELLIPSIS
        房(...)...
        positive, which the model chooses: from ... at the baseline to ...; residual ...
        >>> print(text(["not", "bad"], [-0.5, 1.25]))
        not(-0.50) bad(+1.25)
    """
    if isinstance(attributions, str) or not isinstance(attributions, TokenAttribution | Iterable):
        raise TypeError(f"attributions is {type(attributions).__name__}; {WANTED}")
    several = [attributions] if isinstance(attributions, TokenAttribution) else [*attributions]
    answers = [each for each in several if isinstance(each, TokenAttribution)]
    tokens = [each for each in several if isinstance(each, str)]
    if len(several) not in (len(answers), len(tokens)):
        kinds = ", ".join(sorted({type(each).__name__ for each in several}))
        raise TypeError(f"attributions holds {kinds}; {WANTED}")
    if bool(tokens) != (scores is not None):
        raise TypeError("scores go with a list of tokens as str, and a list of str with scores; pass both, or answers")
    if scores is not None:
        lines = [(_spaced(tokens, numbers(scores, "scores")), "", "")]
    else:
        lines = [(pieces_of(each), each.given, evidence_in_words(each)) for each in answers]
    top = max((abs(score) for pieces, *_ in lines for _, score in pieces if score is not None), default=0.0) or 1.0
    said = [_scores_in_words(pieces) + given for pieces, given, _ in lines]
    body = "".join(_html(*line, words, top) for line, words in zip(lines, said, strict=True))
    below = [evidence for *_, evidence in lines]
    words = "\n".join("\n".join(filter(None, line)) for line in zip(said, below, strict=True))
    return Table(f"{STYLE}<div>{body}<small>{_scale(top)} {LEGEND}</small></div>", words)


def _spaced(tokens: list[str], scores: np.ndarray) -> list[Piece]:
    """Tokens with their scores, and a space between them if none brings its own."""
    if scores.shape != (len(tokens),):
        raise ValueError(f"scores has shape {scores.shape}, and there are {len(tokens)} tokens; pass one for each")
    gap: list[Piece] = [] if any(token[:1].isspace() for token in tokens) else [(" ", None)]
    pieces: list[Piece] = []
    for token, score in zip(tokens, scores.tolist(), strict=True):
        pieces += [*(gap if pieces else []), (token, score)]
    return pieces


def _html(pieces: Sequence[Piece], given: str, evidence: str, words: str, top: float) -> str:
    spans = [escape(piece) if score is None else _span(piece, score, top) for piece, score in pieces]
    if given:
        spans.append(f'<span title="{GIVEN}" style="opacity: 0.7">{escape(given)}</span>')
    style = "white-space: pre-wrap; line-height: 2.2; margin: 0"
    shown = f'<p role="img" aria-label="{escape(words)}" dir="auto" style="{style}">{"".join(spans)}</p>'
    below = f'<p style="margin: 0 0 0.6em"><small>{escape(evidence)}</small></p>' if evidence else ""
    return shown + below


def _span(piece: str, score: float, top: float) -> str:
    if abs(score) < FAINT * top:
        return f'<span title="{score:+.2f}">{escape(piece)}</span>'
    line = "underline 3px solid" if score > 0 else "underline 3px dotted"
    line = f"text-decoration: {line}; text-underline-offset: 4px; text-decoration-skip-ink: none; padding-bottom: 6px"
    style = f"{_colours(score / top)}; {line}"
    return f'<span class="share" tabindex="0" title="{score:+.2f}" style="{style}">{escape(piece)}</span>'


def colours_of(strength: float) -> tuple[str, str]:
    """The colours of a token's ground and of its letters.

    Args:
        strength: its score over the strongest of all, from -1 to 1.

    Returns:
        Two colours, as a page takes them.

    Example:
        >>> colours_of(1.0)
        ('#d55e00', '#000000')
    """
    red, green, blue, _ = WHITE_IS_ZERO(0.5 + 0.5 * strength)
    return to_hex((red, green, blue)), ink_on(red, green, blue)


def _colours(strength: float) -> str:
    ground, letters = colours_of(strength)
    return f"background-color: {ground}; color: {letters}"


def _scale(top: float) -> str:
    """The colours with their shares, from the strongest against the label to the strongest for it."""
    strengths = (-1.0, -0.5, 0.5, 1.0)
    swatches = [
        f'<b style="{_colours(strength)}; padding: 0 0.5em; font-weight: normal">{rounded(strength * top, 2):+g}</b>'
        for strength in strengths
    ]
    return "".join(swatches)


def pieces_of(attribution: TokenAttribution) -> list[Piece]:
    """Cut the text of an attribution into pieces, from start to end, each with its score.

    Tokens that have characters in common, as the bytes of an emoji do, are one piece. A token that has a score and
    stands nowhere in the text is a piece of its own, in brackets.

    Args:
        attribution: of one text.

    Returns:
        The pieces, which together are the text; the score is None where no token stands.

    Example:
        >>> from igteach import token_attribution
        >>> from igteach.models.text import load
        >>> [piece for piece, _ in pieces_of(token_attribution(load("sentiment_zh", "cpu"), "很差", steps=2))]
        ['很', '差']
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


def _scores_in_words(pieces: Sequence[Piece]) -> str:
    """The text with the score of each token in brackets behind it."""
    return "".join(piece if score is None else f"{piece}({score:+.2f})" for piece, score in pieces)


def evidence_in_words(attribution: TokenAttribution) -> str:
    """Say what F is, what it is at the input and at the baseline, and whether the scores add up.

    Args:
        attribution: of one text.

    Returns:
        One line, which stands below the text.

    Example:
        >>> from igteach import token_attribution
        >>> from igteach.models.text import load
        >>> print(evidence_in_words(token_attribution(load("sentiment_zh", "cpu"), "很差", steps=2)))
        negative, which the model chooses: from ... at the baseline to ...; residual ...
    """
    evidence, target, prediction = attribution.evidence, attribution.target, attribution.prediction
    several = prediction if isinstance(prediction, tuple) else (prediction,)
    if target in several:
        chosen = "which the model chooses"
    elif any(isinstance(number, float) for number in several):
        chosen = "a number"
    else:
        chosen = f"where the model chooses {', '.join(several) or 'none'}"
    change = f"{evidence.f_baseline.item():.2f} at the baseline to {evidence.f_input.item():.2f}"  # type: ignore[union-attr]
    what = f"{target}, {chosen}"
    if attribution.f_name is not None:
        what = f"{attribution.f_name} (the model chooses {prediction!r})"
    words = f"{what}: from {change}; residual {_residual_in_words(attribution.residual)}: {evidence.verdict}"
    return f"{words}; the model did not read all of the text" if attribution.truncated else words


def _residual_in_words(residual: float) -> str:
    words = f"{residual:+.3f}"
    return "0.000" if float(words) == 0 else words
