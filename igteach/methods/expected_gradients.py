"""Attributions against many baselines at once, in place of a choice among them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator, all_finite
from igteach.core.error_estimate import MARGIN, error_scale, with_error
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Function
from igteach.core.paths import broadcast_alphas
from igteach.core.validation import check_arguments, check_count, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients


def expected_gradients(
    f: Function,
    x: Tensor,
    baselines: Tensor,
    target: int | Tensor | None = None,
    *,
    samples: int = 256,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - the mean F of the baselines: IG averaged over them, by random samples.

    Each sample draws a baseline and an alpha, the same ones for every example, and costs one gradient.
    baselines (k, *features); samples at least 2; the rest as for integrated_gradients. The error estimate is that of
    the sampling, which falls like 1 / sqrt(samples); f_baseline is the mean F of the baselines.
    Source: Erion et al. (2021).
    """
    check_baselines(baselines)
    x, _, target = check_arguments(f, x, baselines[0], target)
    if baselines.shape[1:] != x.shape[1:]:
        raise ValueError(f"baselines has shape {tuple(baselines.shape)}; pass (k, *{tuple(x.shape[1:])})")
    check_count("samples", samples, 2)
    baselines, batch_size, random = (
        baselines.detach().to(x),
        default_batch_size(x, batch_size),
        torch.Generator().manual_seed(seed),
    )
    drawn = torch.randint(len(baselines), (samples,), generator=random).to(x.device)
    alphas = torch.rand(samples, generator=random, dtype=torch.float64)
    values, distances, means = torch.empty_like(x), [], []
    for i in range(len(x)):
        chosen = None if target is None else target[i]
        total = squares = torch.zeros_like(x[i], dtype=accumulator(x))
        for chunk in torch.arange(samples).split(batch_size):
            starts = baselines[drawn[chunk]]
            points = starts + broadcast_alphas(alphas[chunk], x[i]) * (x[i] - starts)
            _, gradients = forward_with_gradient(f, points, None if chosen is None else chosen.expand(len(points)))
            pulls = (gradients * (x[i] - starts)).to(total)
            total, squares = total + pulls.sum(0), squares + pulls.square().sum(0)
        values[i] = total / samples
        variance = (squares / samples - (total / samples).square()).clamp_min(0)
        distances.append(MARGIN * (variance / (samples - 1)).sqrt().sum())
        means.append(
            forward_batched(f, baselines, None if chosen is None else chosen.expand(len(baselines)), batch_size).mean()
        )
    answer = Attribution(values, forward_batched(f, x, target, batch_size), torch.stack(means), samples)
    return with_error(answer, torch.stack(distances))


def average_integrated_gradients(
    f: Function, x: Tensor, baselines: Tensor, target: int | Tensor | None = None, **options: Any
) -> Attribution:
    """The share of each feature in F(x) - the mean F of the baselines: the mean of IG against each of them.

    baselines (k, ...), each as for integrated_gradients, and so are the options. The error estimate is their mean.
    """
    check_baselines(baselines)
    answers = [integrated_gradients(f, x, baseline, target, **options) for baseline in baselines]

    def mean(parts: Iterable[Any]) -> Tensor:
        return torch.stack(list(parts)).to(accumulator(x)).mean(0).to(x)

    values, f_baseline = mean(a.values for a in answers), mean(a.f_baseline for a in answers)
    average = Attribution(values, answers[0].f_input, f_baseline, sum(a.evaluations for a in answers))
    if answers[0].converged is not None:
        average = replace(average, converged=mean(a.converged for a in answers) == 1)
    estimates = [a.error_estimate * error_scale(a) for a in answers if a.error_estimate is not None]
    return with_error(average, mean(estimates) if estimates else None)


def check_baselines(baselines: Tensor) -> None:
    if not isinstance(baselines, Tensor):
        raise TypeError(f"baselines is {type(baselines).__name__}; pass a tensor (k, ...) of k baselines")
    if baselines.dim() == 0 or len(baselines) == 0 or not all_finite(baselines):
        raise ValueError(f"baselines of shape {tuple(baselines.shape)} is empty or holds NaN; pass (k, ...), finite")
