"""A text with the share of each token: as HTML for a notebook, and in words for a terminal and a screen reader."""

from collections.abc import Sequence
from html import escape

import matplotlib
from matplotlib.colors import to_hex

from igteach.methods.token_attribution import TokenAttribution
from igteach.show.palette import SIGNED
from igteach.show.tables import Table

FAINT = 0.05  # of the strongest: a share below it has no line under it
LEGEND = "Light over a solid line speaks for the label, dark over a dotted line against it; grey is next to nothing."


def text(attributions: TokenAttribution | Sequence[TokenAttribution]) -> Table:
    """A text, or several on one scale: each token on the colour of its score, which shows on hover; then the residual.

    No sign rests on hue: tokens for the label are light and over a solid line, those against it dark and over dots.
    In words: each token with its score, rounded to 2 digits, which another machine may round otherwise.
    """
    several = [attributions] if isinstance(attributions, TokenAttribution) else list(attributions)
    top = max((float(one.scores.abs().max()) for one in several), default=0.0) or 1.0
    body = "".join(_html(one, top) for one in several)
    return Table(f"<div>{body}<small>{LEGEND}</small></div>", "\n".join(map(_words, several)))


def _html(one: TokenAttribution, top: float) -> str:
    pieces = "".join(escape(piece) if score is None else _span(piece, score, top) for piece, score in _pieces(one))
    style = "white-space: pre-wrap; line-height: 2.2; margin: 0"
    shown = f'<p role="img" aria-label="{escape(_shares(one))}" dir="auto" style="{style}">{pieces}</p>'
    return f'{shown}<p style="margin: 0 0 0.6em"><small>{escape(_evidence(one))}</small></p>'


def _span(piece: str, score: float, top: float) -> str:
    red, green, blue, _ = matplotlib.colormaps[SIGNED](0.5 + 0.5 * score / top)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    ink = "#000000" if luminance > 0.179 else "#ffffff"  # whichever has the higher contrast (WCAG 2.1)
    line = "none" if abs(score) < FAINT * top else f"underline 3px {'solid' if score > 0 else 'dotted'}"
    line = f"text-decoration: {line}; text-underline-offset: 4px; text-decoration-skip-ink: none; padding-bottom: 6px"
    style = f"background-color: {to_hex((red, green, blue))}; color: {ink}; {line}"
    return f'<span title="{score:+.2f}" style="{style}">{escape(piece)}</span>'


def _pieces(one: TokenAttribution) -> list[tuple[str, float | None]]:
    """The text from its start to its end, each piece with its score; None where no token stands.

    Tokens that share characters, as the bytes of an emoji do, are one piece. A token that has a share and stands
    nowhere in the text is a piece of its own, in brackets.
    """
    pieces: list[tuple[str, float | None]] = []
    last = place = 0  # where the last piece of the text starts and ends
    for token, (start, end), score in zip(one.tokens, one.offsets, one.scores.tolist(), strict=True):
        if start == end:
            pieces += [(f"[{token}]", score)] * (score != 0)
        elif start < place and pieces:
            before = pieces.pop()[1] or 0.0
            place = max(place, end)
            pieces.append((one.text[last:place], before + score))
        else:
            pieces += [(one.text[place:start], None)] * (place < start) + [(one.text[start:end], score)]
            last, place = start, end
    return pieces + [(one.text[place:], None)] * (place < len(one.text))


def _words(one: TokenAttribution) -> str:
    return f"{_shares(one)}\n{_evidence(one)}"


def _shares(one: TokenAttribution) -> str:
    """Each piece with its score; one after another where the text has no space between them."""
    return "".join(piece if score is None else f"{piece}({score:+.2f})" for piece, score in _pieces(one))


def _evidence(one: TokenAttribution) -> str:
    found = one.evidence
    chosen = "which the model chooses" if one.target == one.prediction else f"where the model chooses {one.prediction}"
    cut = "; the model did not read all of the text" if one.truncated else ""
    change = f"{found.f_baseline.item():.2f} at the baseline to {found.f_input.item():.2f}"  # type: ignore[union-attr]
    return f"{one.target}, {chosen}: from {change}; residual {one.residual:+.3f}: {found.verdict}{cut}"
