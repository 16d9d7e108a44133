"""How Integrated Gradients of one prompt gets on with the gradients it spends: measured once, stored in data/."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from igteach.datasets.shipped import load_state

PROMPT = "When Mary and John went to the store, John gave a drink to"
OTHER_PROMPT = "When John and Mary went to the store, Mary gave a drink to"  # of as many tokens
TARGET, AGAINST = " Mary", " John"
BASELINES = {"end of text": "eos", "mean": "mean", "another prompt": OTHER_PROMPT}


@dataclass(frozen=True, eq=False)
class PromptCurves:
    """F is the logit of TARGET minus that of AGAINST after PROMPT, by SmolLM2-135M-Instruct.

    Attributes:
        zero_steps: (counts,), numbers of equal steps from embeddings of zero.
        zero_residual: (counts,), |residual| / |F(x) - F(x')| with so many.
        log10_alphas: (points,), from -44 to 0, equally spaced.
        f: (points,), F at these alphas on the path from zero.
        spent: (counts,), numbers of gradients from the other baselines.
        equal: by name of the baseline the error with so many equal steps: L1 distance from the truth, over its norm.
        refined: the same by cutting where the integrand differs.
        truth_residual: by name of the baseline |residual| / |F(x) - F(x')| of what counts as the truth.
    """

    zero_steps: Tensor
    zero_residual: Tensor
    log10_alphas: Tensor
    f: Tensor
    spent: Tensor
    equal: dict[str, Tensor]
    refined: dict[str, Tensor]
    truth_residual: dict[str, float]


def load_prompt_curves() -> PromptCurves:
    """Load what `python -m igteach.training prompt_curves` measured.

    Returns:
        The curves.

    Raises:
        FileNotFoundError: the folder data/ lacks the file or the list of its SHA-256.
        ValueError: the file is not the one listed; it is not opened.

    Example:
        >>> curves = load_prompt_curves()
        >>> sorted(curves.refined)
        ['another prompt', 'end of text', 'mean']
    """
    stored = load_state("prompt_curves")
    shared: dict[str, Any] = {
        name: stored[name] for name in ("zero_steps", "zero_residual", "log10_alphas", "f", "spent")
    }
    by_baseline: dict[str, Any] = {
        kind: {name: stored[f"{kind}: {name}"] for name in BASELINES} for kind in ("equal", "refined")
    }
    residual = {name: stored[f"truth: {name}"].item() for name in BASELINES}
    return PromptCurves(**shared, **by_baseline, truth_residual=residual)
