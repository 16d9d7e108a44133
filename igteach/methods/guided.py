"""Guided Integrated Gradients: a path that keeps away from steep places, as what matters least moves first."""

from dataclasses import replace

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, check_count
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import path_gradients

NOTHING = 1e-9  # of the L1 distance from baseline to x


def guided_integrated_gradients(
    f: Function,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    steps: int = 256,
    legs: int = 32,
    fraction: float = 0.1,
    max_distance: float = 1.0,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along a path chosen by the gradients themselves.

    steps  gradients to integrate along the path; legs: gradients to choose it by. The rest as for guided_path, and
           as for integrated_gradients. The path has corners: it takes more steps than a straight one.
    Source: Kapishnikov et al. (2021).
    """
    path = guided_path(f, x, baseline, target, legs=legs, fraction=fraction, max_distance=max_distance)
    return replace(path_gradients(f, path, target, steps=steps, batch_size=batch_size), evaluations=steps + legs)


def guided_path(
    f: Function,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    legs: int = 32,
    fraction: float = 0.1,
    max_distance: float = 1.0,
) -> Tensor:
    """The way-points of guided_integrated_gradients, from baseline to x: (legs + 1, batch, *features).

    Each leg is 1 / legs of the L1 distance from baseline to x, and no feature ever goes back.
    fraction      of the features that move first, those of the smallest |gradient|; then come the next, and so on
    max_distance  how far, in alpha, a feature may be ahead of the straight path or behind it: 0 is the straight path
    Raises what integrated_gradients raises.
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    check_count("legs", legs, 1)
    for name, number in (("fraction", fraction), ("max_distance", max_distance)):
        if not 0 <= number <= 1:
            raise ValueError(f"{name} is {number}; pass a number from 0 to 1")
    distance = (x - baseline).flatten(1).abs().to(accumulator(x))
    alphas, points = torch.zeros_like(distance), [baseline]  # alphas: how far each feature has come
    for leg in range(1, legs):
        slope = gradient(f, points[-1], None, target).values.flatten(1).abs()
        alphas = _moved(alphas, distance, slope, leg / legs, fraction, max_distance)
        points.append(torch.lerp(baseline, x, alphas.view_as(x).to(x)))
    return torch.stack([*points, x])


def _moved(
    alphas: Tensor, distance: Tensor, slope: Tensor, straight: float, fraction: float, max_distance: float
) -> Tensor:
    """The alphas once a leg has been gone, that leads as far as the straight path is; each (batch, features).

    A group of the smallest slopes moves as far as it may, then the next one, until the leg has its length.
    """
    features, highest = alphas.shape[1], min(straight + max_distance, 1.0)
    group = int(fraction * (features - 1)) + 1
    alphas = alphas.clamp_min(straight - max_distance)
    for _ in range(-(-features // group)):
        room = (highest - alphas).clamp_min(0) * distance
        still_to_go = ((straight - alphas) * distance).sum(1, keepdim=True)
        if (still_to_go <= NOTHING * distance.sum(1, keepdim=True)).all():
            break
        slope = torch.where(room > 0, slope, torch.inf)
        chosen = (room > 0) & (slope <= slope.kthvalue(group, dim=1, keepdim=True).values)  # equal slopes together
        in_group = (room * chosen).sum(1, keepdim=True)
        chunk = (still_to_go / in_group.clamp_min(torch.finfo(room.dtype).tiny)).clamp(0, 1)
        moved = torch.where(chunk < 1, torch.lerp(alphas, alphas.new_tensor(highest), chunk), highest)
        alphas = torch.where(chosen, moved, alphas)
    return alphas
