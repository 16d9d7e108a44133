"""Attributions against many baselines at once, in place of a choice among them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import ROUGHLY_BELOW, Attribution, accumulator, all_finite
from igteach.core.error_estimate import MARGIN, error_scale, with_error
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Function, Target
from igteach.core.inputs import Inputs, takes_any_inputs
from igteach.core.integration import MAX_EVALUATIONS, Goal
from igteach.core.per_row import Arguments, PerRow
from igteach.core.validation import check_arguments, check_count, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients

FIRST_SAMPLES = 64


@takes_any_inputs
def expected_gradients(
    f: Function,
    x: Inputs,
    baselines: Inputs,
    target: Target = None,
    *,
    arguments: Arguments = (),
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    samples: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - the mean F of the baselines: IG averaged over them, by random samples.

    A sample is a baseline and a place on the way from it to the input; each costs one gradient.

    Args:
        f: As for `integrated_gradients`.
        x: As for `integrated_gradients`.
        baselines: (k, *features), in the form of x.
        target: As for `integrated_gradients`.
        arguments: As for `integrated_gradients`.
        tolerance: Samples are doubled, from FIRST_SAMPLES on, until the error estimate of an example is below it.
        max_evaluations: Samples for an example, at most; `converged` says whether they were enough.
        samples: Samples for every example, instead of a tolerance. At least 2.
        seed: Of the draws, which are made on the CPU.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution. Its error estimate is the standard error of the sampling, which falls like 1 / sqrt(samples);
        its f_baseline is the mean F of the baselines.

    Raises:
        TypeError: As for `integrated_gradients`.
        ValueError: baselines is empty or of another shape than x, samples is below 2; and as there.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 2 * x - y)
        >>> baselines = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
        >>> igteach.expected_gradients(f, torch.ones(1, 2), baselines).f_baseline.tolist()
        [-1.0]

    Source:
        Erion et al. (2021), https://arxiv.org/abs/1906.10670.
    """
    check_baselines(baselines)
    x, _, per_row = check_arguments(f, x, baselines[0], target, arguments)
    if baselines.shape[1:] != x.shape[1:]:
        raise ValueError(f"baselines has shape {tuple(baselines.shape)}; pass (k, *{tuple(x.shape[1:])})")
    if samples is not None:
        check_count("samples", samples, 2)
    else:
        Goal(tolerance, max_evaluations, None, None, batch_size=1).check()
    most = samples or max_evaluations
    baselines, batch_size = baselines.detach().to(x), default_batch_size(x, batch_size)
    draws = _Draws.of(baselines, most, seed)
    values, distances, means, spent = torch.empty_like(x), [], [], []
    for i in range(len(x)):
        sums = _Sums(f, x[i], draws, per_row[i : i + 1])
        sums.add(most if samples else min(FIRST_SAMPLES, most), batch_size)
        while sums.count < most and sums.relative_error() > tolerance:
            sums.add(min(2 * sums.count, most), batch_size)
        values[i], distance = sums.mean_and_error()
        distances.append(distance)
        spent.append(sums.count)
        means.append(forward_batched(f, baselines, per_row.of(i, len(baselines)), batch_size).mean())
    f_input = forward_batched(f, x, per_row, batch_size)
    evaluations = samples or torch.tensor(spent, device=x.device)
    answer = with_error(Attribution(values, f_input, torch.stack(means), evaluations), torch.stack(distances))
    if samples or answer.error_estimate is None:
        return answer
    return replace(answer, converged=answer.error_estimate <= tolerance)


@dataclass(frozen=True, eq=False)
class _Draws:
    """Samples of a baseline and of a place between it and the input.

    Attributes:
        baselines: (k, *features).
        chosen: Which of them each sample takes (samples,).
        alphas: Where each sample is (samples,), float64.
    """

    baselines: Tensor
    chosen: Tensor
    alphas: Tensor

    @classmethod
    def of(cls, baselines: Tensor, samples: int, seed: int) -> "_Draws":
        random = torch.Generator().manual_seed(seed)
        chosen = torch.randint(len(baselines), (samples,), generator=random, device="cpu").to(baselines.device)
        return cls(baselines, chosen, torch.rand(samples, generator=random, dtype=torch.float64, device="cpu"))


class _Sums:
    """The sums, over the first draws, of gradient times (x - baseline) at an example x, and of its square."""

    def __init__(self, f: Function, x: Tensor, draws: _Draws, per_row: PerRow):
        self.f, self.x, self.draws, self.per_row, self.count = f, x, draws, per_row, 0
        self.total = torch.zeros_like(x, dtype=accumulator(x))
        self.squares = torch.zeros_like(self.total)

    def add(self, count: int, batch_size: int) -> None:
        """Take further draws, up to `count` in all."""
        for chunk in torch.arange(self.count, count, device="cpu").split(batch_size):
            starts = self.draws.baselines[self.draws.chosen[chunk]]
            alphas = self.draws.alphas[chunk].to(self.x).view(-1, *(1,) * self.x.dim())
            points = torch.lerp(starts, self.x, alphas)
            _, gradients = forward_with_gradient(self.f, points, self.per_row.of(0, len(points)))
            values = (gradients * (self.x - starts)).to(self.total)
            self.total, self.squares = self.total + values.sum(0), self.squares + values.square().sum(0)
        self.count = count

    def mean_and_error(self) -> tuple[Tensor, Tensor]:
        """The mean, in x's shape, and the L1 distance to expect between it and the true one."""
        mean = self.total / self.count
        variance = (self.squares / self.count - mean.square()).clamp_min(0)
        return mean, MARGIN * (variance / (self.count - 1)).sqrt().sum()

    def relative_error(self) -> float:
        """The distance to expect over the L1 norm of the mean."""
        mean, distance = self.mean_and_error()
        return float(distance / mean.abs().sum().clamp_min(torch.finfo(mean.dtype).tiny))


def average_integrated_gradients(
    f: Function, x: Tensor, baselines: Tensor, target: Target = None, **options: Any
) -> Attribution:
    """The share of each feature in F(x) - the mean F of the baselines: the mean of IG against each of them.

    Args:
        f: As for `integrated_gradients`.
        x: The inputs (batch, *features).
        baselines: (k, ...), each as for `integrated_gradients`.
        target: As for `integrated_gradients`.
        **options: Those of `integrated_gradients`, for each baseline.

    Returns:
        An Attribution whose values, f_baseline and error are the means over the baselines, and whose evaluations are
        their sum.

    Raises:
        TypeError: baselines is not a tensor; and as for `integrated_gradients`.
        ValueError: baselines is empty or not finite; and as for `integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 2 * x - y)
        >>> baselines = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
        >>> igteach.average_integrated_gradients(f, torch.ones(1, 2), baselines).values.tolist()
        [[2.0, 0.0]]

    Source:
        Erion et al. (2021), https://arxiv.org/abs/1906.10670, who take random samples instead.
    """
    check_baselines(baselines)
    answers = [integrated_gradients(f, x, baseline, target, **options) for baseline in baselines]

    def mean(tensors: Iterable[Any]) -> Tensor:
        return torch.stack(list(tensors)).to(accumulator(x)).mean(0).to(x)

    values = mean(answer.values for answer in answers)
    f_baseline = mean(answer.f_baseline for answer in answers)
    evaluations = sum(answer.evaluations for answer in answers)
    average = Attribution(values, answers[0].f_input, f_baseline, evaluations)
    if answers[0].converged is not None:
        average = replace(average, converged=mean(answer.converged for answer in answers) == 1)
    distances = [each.error_estimate * error_scale(each) for each in answers if each.error_estimate is not None]
    return with_error(average, mean(distances) if distances else None)


def check_baselines(baselines: Tensor) -> None:
    """Raises TypeError or ValueError unless baselines is a finite tensor of at least one baseline."""
    if not isinstance(baselines, Tensor):
        raise TypeError(f"baselines is {type(baselines).__name__}; pass a tensor (k, ...) of k baselines")
    if baselines.dim() == 0 or len(baselines) == 0 or not all_finite(baselines):
        raise ValueError(f"baselines of shape {tuple(baselines.shape)} is empty or holds NaN; pass (k, ...), finite")
