"""Whether the shares of one example add up, in words that stand in its picture."""

from igteach.core.attribution import COMPLETE_BELOW, ROUGHLY_BELOW, Attribution
from igteach.show.figures import rounded


def verdict_in_words(one: Attribution) -> str:
    """Say what F did, and whether the shares add up to it.

    Args:
        one: an answer about one example.

    Returns:
        Two sentences.

    Example:
        >>> import torch
        >>> verdict_in_words(Attribution(torch.tensor([[1.0, -0.5]]), torch.tensor([0.5]), torch.zeros(1), 1))
        'F goes from 0 to 0.5. The shares add up.'
    """
    if one.f_baseline is None:
        return f"F is {_plain(one.f_input.item())}. These are slopes, which need not add up."
    change = f"F goes from {_plain(one.f_baseline.item())} to {_plain(one.f_input.item())}."
    verdict = short_verdict(one)
    if verdict.startswith("does not add"):
        return f"{change} The shares do NOT add{verdict.removeprefix('does not add')}."
    return f"{change} The shares add{verdict.removeprefix('adds')}."


def short_verdict(one: Attribution) -> str:
    """Say in a few words whether the shares add up.

    Args:
        one: an answer about one example.

    Returns:
        Words for the title of a panel.

    Example:
        >>> import torch
        >>> short_verdict(Attribution(torch.tensor([[1.0, -0.5]]), torch.tensor([1.0]), torch.zeros(1), 1))
        "does not add up: 50.0% of F's change"
    """
    if one.f_baseline is None or one.relative_residual is None or one.residual is None:
        return "slopes, which need not add up"
    relative = one.relative_residual.item()
    error = 0.0 if one.error_estimate is None else one.error_estimate.item()
    is_missing = one.residual.item() * (one.f_input - one.f_baseline).item() < 0
    fraction = round(1 - relative if is_missing else 1 + relative, 3) + 0.0  # no minus before a zero
    handed_out = f"{fraction:.1%} of F's change"
    if relative >= ROUGHLY_BELOW:
        return f"does not add up: {handed_out}"
    if error >= ROUGHLY_BELOW:
        return f"adds up; single shares off by about {error:.0%}"
    return "adds up" if relative < COMPLETE_BELOW else f"adds up roughly: {handed_out}"


def _plain(number: float) -> str:
    return f"{rounded(number, 2):g}"
