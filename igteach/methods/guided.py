"""Guided Integrated Gradients: a path that avoids steep regions, because the features that matter least move first."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, takes_any_inputs
from igteach.core.per_row import Arguments
from igteach.core.validation import check_arguments, check_count
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import path_gradients

NEGLIGIBLE = 1e-9  # of the L1 distance from baseline to x: a shorter distance is none


@takes_any_inputs
def guided_integrated_gradients(
    f: Function,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    legs: int = 32,
    fraction: float = 0.1,
    max_distance: float = 1.0,
    **options: Any,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along a path chosen by the gradients themselves.

    The path has corners, so that it takes more gradients than a straight one.

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`.
        baseline: as for `igteach.integrated_gradients`.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.
        legs: gradients that choose the path, one for each of its legs.
        fraction: of the features that move first; see `guided_path`.
        max_distance: in alpha, from the straight path; see `guided_path`.
        **options: tolerance, max_evaluations, steps, rule and batch_size, as for `igteach.path_gradients`.

    Returns:
        An Attribution in units of F.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.integrated_gradients`.
        ValueError: if fraction or max_distance is not between 0 and 1, or as in `igteach.integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 2 * x + y)
        >>> igteach.guided_integrated_gradients(f, torch.ones(1, 2)).values.round(decimals=3).tolist()
        [[2.0, 1.0]]

    Source:
        Kapishnikov et al. (2021), https://arxiv.org/abs/2106.09788.
    """
    path = guided_path(
        f, x, baseline, target, arguments=arguments, legs=legs, fraction=fraction, max_distance=max_distance
    )
    answer = path_gradients(f, path, target, arguments=arguments, **options)
    return replace(answer, evaluations=answer.evaluations + legs)


def guided_path(
    f: Function,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    legs: int = 32,
    fraction: float = 0.1,
    max_distance: float = 1.0,
) -> Tensor:
    """The waypoints of `guided_integrated_gradients`, from baseline to x.

    Each leg covers 1 / legs of the L1 distance from baseline to x, and no feature ever moves back.

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`.
        baseline: as for `igteach.integrated_gradients`.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.
        legs: gradients that choose the path, one for each of its legs.
        fraction: of the features that move first, those with the smallest |gradient|; then the next ones move, and so
            on; from 0 to 1.
        max_distance: how far, in alpha, a feature may be ahead of the straight path or behind it, from 0 to 1; 0 is the
            straight path.

    Returns:
        (legs + 1, batch, *features), for `igteach.path_gradients`.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.integrated_gradients`.
        ValueError: if fraction or max_distance is not between 0 and 1, or as in `igteach.integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from igteach.methods.guided import guided_path
        >>> f = igteach.toy(lambda x, y: 2 * x + y)
        >>> guided_path(f, torch.ones(1, 2), legs=2).tolist()  # y moves first: its gradient is smaller
        [[[0.0, 0.0]], [[0.0, 1.0]], [[1.0, 1.0]]]

    Source:
        Kapishnikov et al. (2021), https://arxiv.org/abs/2106.09788, Algorithm 1.
    """
    x, baseline, _ = check_arguments(f, x, baseline, target, arguments)
    check_count("legs", legs, 1)
    for name, number in (("fraction", fraction), ("max_distance", max_distance)):
        if not 0 <= number <= 1:
            raise ValueError(f"{name} is {number}; pass a number from 0 to 1")
    distance = (x - baseline).flatten(1).abs().to(accumulator(x))
    group_size = int(fraction * (distance.shape[1] - 1)) + 1
    alphas = torch.zeros_like(distance)
    waypoints = [baseline]
    for number in range(1, legs):
        slope = gradient(f, waypoints[-1], None, target, arguments=arguments).values.flatten(1).abs()
        leg = _Leg(number / legs, max_distance, group_size)
        alphas = _advance(alphas, distance, slope, leg)
        waypoints.append(torch.lerp(baseline, x, alphas.view_as(x).to(x)))
    return torch.stack([*waypoints, x])


@dataclass(frozen=True)
class _Leg:
    """Where a leg of the path ends, and which features move on it.

    Attributes:
        alpha: that of the straight path at the end of the leg.
        max_distance: how far, in alpha, a feature may be ahead of it or behind it.
        group_size: the number of features that move together.
    """

    alpha: float
    max_distance: float
    group_size: int

    @property
    def lowest(self) -> float:
        """The least alpha of a feature at the end of the leg; below 0 it is no bound."""
        return self.alpha - self.max_distance

    @property
    def highest(self) -> float:
        """The largest alpha of a feature at the end of the leg."""
        return min(self.alpha + self.max_distance, 1.0)


def _advance(alphas: Tensor, distance: Tensor, slope: Tensor, leg: _Leg) -> Tensor:
    """The alphas of the features at the end of a leg, in total as far from x' as the straight path is there.

    The group with the smallest slopes moves as far as it may, then the next one, until the leg has its length.

    Args:
        alphas: (batch, features), how far each feature has moved, from 0 at x' to 1 at x.
        distance: (batch, features), |x - x'|.
        slope: (batch, features), |gradient|.
        leg: the leg.

    Returns:
        (batch, features).
    """
    num_groups = math.ceil(alphas.shape[1] / leg.group_size)
    alphas = alphas.clamp_min(leg.lowest)
    for _ in range(num_groups):
        room = (leg.highest - alphas).clamp_min(0) * distance
        remaining = ((leg.alpha - alphas) * distance).sum(1, keepdim=True)
        if (remaining <= NEGLIGIBLE * distance.sum(1, keepdim=True)).all():
            break
        slope = torch.where(room > 0, slope, torch.inf)
        threshold = slope.kthvalue(leg.group_size, dim=1, keepdim=True).values
        is_in_group = (room > 0) & (slope <= threshold)  # equal slopes move together
        room_of_group = (room * is_in_group).sum(1, keepdim=True)
        proportion = (remaining / room_of_group.clamp_min(torch.finfo(room.dtype).tiny)).clamp(0, 1)
        partly = torch.lerp(alphas, alphas.new_tensor(leg.highest), proportion)
        advanced = torch.where(proportion < 1, partly, leg.highest)
        alphas = torch.where(is_in_group, advanced, alphas)
    return alphas
