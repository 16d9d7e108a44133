"""What a report says: facts about an answer, in the words and numbers of its JSON."""

import platform
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core import fingerprint
from igteach.core.attribution import ROUGHLY_BELOW, Attribution, leaves
from igteach.core.functions import Function, Logit, Probability
from igteach.core.summary import largest_shares
from igteach.methods.prompts import NextTokens
from igteach.methods.token_answer import TokenAttribution
from igteach.models.language import NextLogits
from igteach.models.text import EmbeddingInterpolation
from igteach.reports.page import MARK
from igteach.reports.questions import Question

STRONGEST = 10  # features that are listed
WRAPPERS = (Logit, NextTokens, EmbeddingInterpolation, NextLogits)  # of a model
LITTLE = 0.05  # of |F|: if F changes by less, there is almost nothing to attribute
SURE = 0.5  # of the way from an even probability to certainty
SUMS_TO_ONE = 1e-3  # rounding that the sum of probabilities may have
LARGEST = 3  # outputs at x' that are listed
PACKAGES = {  # module: what pip calls it; those that are in use are listed
    "igteach": "igteach",
    "torch": "torch",
    "numpy": "numpy",
    "transformers": "transformers",
    "sklearn": "scikit-learn",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
}


def findings_of(
    answer: Attribution | TokenAttribution, evidence: Attribution, question: Question | None
) -> dict[str, Any]:
    """What an answer says, and how far it can be trusted, but for the controls.

    Args:
        answer: About one example.
        evidence: The Attribution in it.
        question: What was asked, if that is known.

    Returns:
        Facts by name, as JSON has them.
    """
    outputs = None if question is None else _outputs_at_baseline(question)
    return {
        "format": MARK,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdict": evidence.verdict,
        "may be read as shares of F(x) - F(x')": _adds_up(evidence),
        "asked": _asked(answer, question),
        "evidence": _numbers(evidence) | _largest(outputs, answer),
        "F hardly changes": _hardly_changes(evidence),
        "x' is not neutral": question is not None and isinstance(question.model, Probability) and _is_sure(outputs),
        "truncated": isinstance(answer, TokenAttribution) and answer.truncated,
        "strongest": [{"feature": name, "share": share} for name, share in _strongest(answer)],
        "versions": {"python": platform.python_version(), **_versions()},
        "command": "in a notebook" if "ipykernel" in sys.modules else " ".join(sys.argv),
    }


def _adds_up(evidence: Attribution) -> bool:
    """Whether the shares add up, and single ones are settled as far as that is known."""
    relative = evidence.relative_residual
    if relative is None or relative.item() >= ROUGHLY_BELOW:
        return False
    return evidence.error_estimate is None or evidence.error_estimate.item() < ROUGHLY_BELOW


def _asked(answer: Attribution | TokenAttribution, question: Question | None) -> dict[str, str]:
    asked = {}
    if isinstance(answer, TokenAttribution):
        asked = {"text": answer.text, "F": answer.f_name or f"probability of {answer.target!r}"}
        asked["baseline"] = answer.baseline_name or "not recorded"
    if question is None:
        return asked
    f = question.model
    if isinstance(f, nn.Module):
        model = _without_wrappers(f)
        asked["model"] = f"{type(model).__name__}, {sum(each.numel() for each in model.parameters()):,} parameters"
        asked["hash of the model's layers and weights"] = fingerprint.of_model(model)
    asked["method, as told"] = getattr(question.method, "__name__", repr(question.method))
    if isinstance(answer, TokenAttribution):
        return asked
    asked["F"] = _name_of(f)
    asked["target"] = "none: F is one number" if question.label is None else str(question.label)
    asked["input"] = fingerprint.of_tensor(question.x)
    asked["baseline"] = _in_words(question.baseline)
    return asked


def _without_wrappers(f: nn.Module) -> nn.Module:
    """The model in F."""
    while isinstance(f, WRAPPERS):
        f = f.path if isinstance(f, NextTokens) else f.model  # type: ignore[assignment]
    return f


def _name_of(f: Function) -> str:
    if isinstance(f, Logit):
        return "probability" if isinstance(f, Probability) else "logit"
    return str(getattr(f, "__name__", type(f).__name__))


def _in_words(baseline: Tensor) -> str:
    first = baseline.flatten()[:1]
    if first.numel() and bool((baseline == first).all()):
        return f"{first.item():g} in every place"
    return fingerprint.of_tensor(baseline)


def _outputs_at_baseline(question: Question) -> Tensor | None:
    """(classes,), what F says at x'; None of next tokens, and of a place in each of several axes."""
    with torch.no_grad():
        outputs = question.f(question.baseline.clone())  # f may work in place
    is_choice = outputs.dim() <= 2 and not isinstance(question.f, NextTokens)
    return outputs.flatten() if is_choice else None


def _is_sure(probabilities: Tensor | None) -> bool:
    """Whether the largest of the probabilities of a choice is nearer to certainty than to an even one."""
    if probabilities is None:
        return False
    if len(probabilities) == 1:
        probabilities = torch.cat([1 - probabilities, probabilities])
    if abs(probabilities.sum().item() - 1) > SUMS_TO_ONE:
        return False
    even = 1 / len(probabilities)
    return (probabilities.max().item() - even) / (1 - even) >= SURE


def _largest(outputs: Tensor | None, answer: Attribution | TokenAttribution) -> dict[str, str]:
    """The largest outputs at x': the baseline may be sure of another class than the target."""
    if outputs is None or len(outputs) < 2:
        return {}
    labels = answer.labels if isinstance(answer, TokenAttribution) else None
    largest = outputs.argsort(descending=True)[:LARGEST].tolist()
    words = [f"{labels[i] if labels else i}: {outputs[i].item():.3g}" for i in largest]
    return {"largest outputs at x'": ", ".join(words)}


def _numbers(evidence: Attribution) -> dict[str, float | bool | str | None]:
    def number(value: Tensor | None) -> float | None:
        return None if value is None else float(value.item())

    evaluations = evidence.evaluations
    return {
        "F(x)": number(evidence.f_input),
        "F(x')": number(evidence.f_baseline),
        "sum of |shares| / |F(x) - F(x')|": _cancelled(evidence),
        "residual": number(evidence.residual),
        "residual / |F(x) - F(x')|": number(evidence.relative_residual),
        "error estimate, as a fraction of all |shares|": number(evidence.error_estimate),
        "gradients": float(evaluations.item() if isinstance(evaluations, Tensor) else evaluations),
        "converged: the estimate is below the tolerance": None
        if evidence.converged is None
        else bool(evidence.converged.item()),
    }


def _cancelled(evidence: Attribution) -> float | None:
    """The sum of all |shares|, relative to the sum of the shares with their signs."""
    if evidence.f_baseline is None:
        return None
    change = (evidence.f_input - evidence.f_baseline).abs().item()
    total = sum(each.double().abs().sum().item() for each in leaves(evidence.values))
    return total / change if change else None


def _hardly_changes(evidence: Attribution) -> bool:
    """Whether there is almost nothing to attribute."""
    if evidence.f_baseline is None:
        return False
    f_input, f_baseline = evidence.f_input.item(), evidence.f_baseline.item()
    return abs(f_input - f_baseline) <= LITTLE * max(abs(f_input), abs(f_baseline))


def _strongest(answer: Attribution | TokenAttribution) -> list[tuple[str, float]]:
    if isinstance(answer, Attribution):
        largest, _, _ = largest_shares(answer, 0, STRONGEST)
        return [(name, share) for name, share in largest if share != 0]
    order = answer.scores.abs().argsort(descending=True)[:STRONGEST].tolist()
    return [(f"{answer.tokens[i]!r} (token {i})", answer.scores[i].item()) for i in order if answer.scores[i] != 0]


def _versions() -> dict[str, str]:
    found = {}
    for module, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            if module in sys.modules:
                found[package] = version(package)
    return found
