"""Measures how Integrated Gradients of one prompt gets on with the gradients it spends, from each baseline."""

from typing import Any, cast

import torch
from torch import Tensor

from igteach.datasets.prompt_curves import AGAINST, BASELINES, OTHER_PROMPT, PROMPT, TARGET
from igteach.datasets.shipped import data_folder, save_state
from igteach.methods.prompts import ask
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.models import smollm2
from igteach.models.language import LanguageModel

ZERO_STEPS = (16, 32, 64, 128, 256, 512, 1000)
SPENT = (33, 65, 129, 257, 385)
TRUTH = 1500  # gradients
SMALLEST, POINTS = -44, 221  # the exponent of the smallest alpha, and how many alphas: five for each power of ten

CARD = """\
# Curves of a prompt

`prompt_curves.safetensors`, written by `python -m igteach.training prompt_curves`. That needs SmolLM2
(`igteach fetch`) and a quarter of an hour.

- **Prompt**: "{prompt}"; F is the logit of "{target}" minus that of "{against}", by SmolLM2-135M-Instruct in float32 on
  a CPU. "Another prompt" is "{other}".
- **What it holds**: as `igteach.datasets.prompt_curves.PromptCurves` says.
- **Licence**: MIT, as the code. The model is under Apache 2.0; its card is `smollm2.md`.
- **SHA-256**: `{digest}`

## Figures

From embeddings of zero, |residual| / |F(x) - F(x')| with equal steps:

{zero}
From the others, the L1 distance of the tokens' shares from the truth, over its norm. The truth is that of {truth:,}
gradients, spent where the integrand differs; its own |residual| / |F(x) - F(x')| stands in the last column.

{others}"""


def measure_prompt_curves() -> None:
    """Write the curves and their card."""
    model = smollm2.load("cpu")
    zero = [_shares(model, "zero", steps=steps).evidence for steps in ZERO_STEPS]
    found = {
        "zero_steps": torch.tensor(ZERO_STEPS).float(),
        "zero_residual": torch.cat([cast(Tensor, each.relative_residual) for each in zero]),
        "log10_alphas": torch.linspace(SMALLEST, 0, POINTS),
        "spent": torch.tensor(SPENT).float(),
    }
    found["f"] = _along_zero(model, 10 ** found["log10_alphas"].double())
    for name, baseline in BASELINES.items():
        truth = _shares(model, baseline, tolerance=1e-4, max_evaluations=TRUTH)
        found[f"truth: {name}"] = cast(Tensor, truth.evidence.relative_residual)
        equal = [_shares(model, baseline, steps=spent) for spent in SPENT]
        refined = [_shares(model, baseline, tolerance=1e-4, max_evaluations=spent) for spent in SPENT]
        for kind, answers in (("equal", equal), ("refined", refined)):
            found[f"{kind}: {name}"] = torch.stack([_distance(answer, truth) for answer in answers])
        print(name, found[f"equal: {name}"], found[f"refined: {name}"], found[f"truth: {name}"], flush=True)
    digest = save_state("prompt_curves", found)
    text = CARD.format(
        prompt=PROMPT,
        target=TARGET,
        against=AGAINST,
        other=OTHER_PROMPT,
        digest=digest,
        truth=TRUTH,
        zero=_table("steps", ZERO_STEPS, {"residual": found["zero_residual"]}),
        others=_table(
            "gradients",
            SPENT,
            {f"{name}, {kind}": found[f"{kind}: {name}"] for name in BASELINES for kind in ("equal", "refined")},
            {f"{name}, {kind}": found[f"truth: {name}"] for name in BASELINES for kind in ("equal", "refined")},
        ),
    )
    path = data_folder() / "prompt_curves.md"
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {path}")


def _shares(model: LanguageModel, baseline: str, **options: Any) -> TokenAttribution:
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, baseline=baseline, **options)
    return cast(TokenAttribution, answer)


@torch.no_grad()
def _along_zero(model: LanguageModel, alphas: Tensor) -> Tensor:
    """F at some alphas of the path from zero; those that float32 does not know are 0."""
    question = ask(model, PROMPT, TARGET, AGAINST, None, "zero", "written")
    rows = alphas.float()[:, None] * question.alphas
    return torch.cat([question.f(chunk)[:, 0] for chunk in rows.split(16)])


def _distance(answer: TokenAttribution, truth: TokenAttribution) -> Tensor:
    return (answer.scores - truth.scores).abs().sum() / truth.scores.abs().sum()


def _table(
    head: str, counts: tuple[int, ...], rows: dict[str, Tensor], residuals: dict[str, Tensor] | None = None
) -> str:
    lines = [f"| {head} | {' | '.join(map(str, counts))} |" + (" residual of the truth |" if residuals else "")]
    lines += ["|---|" + "---:|" * (len(counts) + bool(residuals))]
    for name, values in rows.items():
        cells = [f"{value:.3f}" for value in values.tolist()]
        cells += [f"{residuals[name].item():.1e}"] if residuals else []
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
