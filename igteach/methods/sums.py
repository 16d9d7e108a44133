"""Sums of models, such as a tree ensemble and a network: attributed part by part."""

import torch

from igteach.core.attribution import Attribution
from igteach.core.error_estimate import error_scale, with_error


def sum_attributions(*answers: Attribution) -> Attribution:
    """The attribution of a sum of models, such as trees and a network: the sum of theirs, by linearity.

    answers  for the same x and baseline; one with a baseline each. Their expected L1 errors add up.
    Raises ValueError for answers of different shapes, or of a method without a baseline.
    """
    shapes = [tuple(answer.values.shape) for answer in answers]
    if len(set(shapes)) != 1:
        raise ValueError(f"answers have the shapes {shapes}; attribute every part of the sum at the same x")
    starts = [answer.f_baseline for answer in answers if answer.f_baseline is not None]
    if len(starts) < len(answers):
        raise ValueError("answers hold one without F(baseline), whose values are no shares; use integrated_gradients")
    whole = Attribution(
        torch.stack([a.values.double() for a in answers]).sum(0),
        torch.stack([a.f_input.double() for a in answers]).sum(0),
        torch.stack([start.double() for start in starts]).sum(0),
        sum(a.evaluations for a in answers),
    )
    distances = [a.error_estimate.double() * error_scale(a) for a in answers if a.error_estimate is not None]
    return with_error(whole, torch.stack(distances).sum(0) if len(distances) == len(answers) else None)
