"""The token explorer: a text with the share of each token, for a target and a baseline to choose."""

from collections.abc import Mapping
from typing import Any

from igteach import show
from igteach.explore.live import LiveFigure
from igteach.methods.token_answer import TokenAttribution
from igteach.show.text import FAINT, LEGEND, colours_of, evidence_in_words, pieces_of

Choice = tuple[str, str]  # the target and the baseline, in words


def token_explorer(answers: Mapping[Choice, TokenAttribution]) -> LiveFigure:
    """Choose a target and a baseline, and read the share of each token; the colours mean the same for all choices.

    Everything is computed before; a choice only draws.

    Args:
        answers: of `token_attribution`, by target and baseline in words; one for each target with each baseline.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        ValueError: there is no answer, or one is missing.

    Example:
        >>> from igteach import token_attribution
        >>> from igteach.models.text import load
        >>> guest = load("sentiment_zh", "cpu")
        >>> answers = {
        ...     (target, "padding"): token_attribution(guest, "很差", target, steps=8) for target in guest.labels
        ... }
        >>> token_explorer(answers)
        LiveFigure: 很(...)差(...)
        negative, which the model chooses: ...
    """
    if not answers:
        raise ValueError("answers is empty; pass a mapping from (target, baseline) to answers of token_attribution")
    targets, baselines = (list(dict.fromkeys(choice[side] for choice in answers)) for side in (0, 1))
    for target in targets:
        for baseline in baselines:
            if (target, baseline) not in answers:
                raise ValueError(f"answers lacks {(target, baseline)!r}; pass each target with each baseline")
    top = max(answer.scores.abs().max().item() for answer in answers.values()) or 1.0
    maps = [[_map(answers[target, baseline], top) for baseline in baselines] for target in targets]
    data = {"targets": targets, "baselines": baselines, "maps": maps, "scale": _scale(top), "legend": LEGEND}
    return LiveFigure("tokens", data, show.text(answers[targets[0], baselines[0]]))


def _map(answer: TokenAttribution, top: float) -> dict[str, Any]:
    evidence = answer.evidence
    return {
        "given": answer.given,
        "pieces": [_piece(text, score, top) for text, score in pieces_of(answer)],
        "f": evidence.f_input.item(),
        "f_baseline": evidence.f_baseline.item(),  # type: ignore[union-attr]
        "residual": answer.residual,
        "words": evidence_in_words(answer),
    }


def _piece(text: str, score: float | None, top: float) -> list[Any]:
    """The text; and of a token its score; and of one that is not next to nothing the colours of ground and letters."""
    if score is None:
        return [text]
    return [text, score, *(colours_of(score / top) if abs(score) >= FAINT * top else ())]


def _scale(top: float) -> list[list[Any]]:
    return [[strength * top, *colours_of(strength)] for strength in (-1.0, -0.5, 0.5, 1.0)]
