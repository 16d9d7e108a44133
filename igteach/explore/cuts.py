"""The cuts explorer: where the next gradient of a path is spent, step by step."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from igteach.core.functions import Baseline, Function
from igteach.core.paths import StraightPath
from igteach.core.validation import check_arguments
from igteach.explore.live import LiveFigure
from igteach.explore.packing import short
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show import curves

FIRST, FINEST = 9, 729  # cells at first, and if each were cut in three and in three, four times
MOST_CUTS = 24
COUNTS = [FIRST + 2 * cuts for cuts in range(MOST_CUTS + 1)]  # of gradients
SMALLEST = 1e-5  # a smaller error is drawn as this
SLOPE = "slope of F along the path"


def cuts_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> LiveFigure:
    """Cut a path where its slope differs, one cell at a time, and compare with as many equal steps.

    Nine cells have nodes in their middles. The one whose gradient differs most from those beside it, times its width,
    is cut in three. Beside F stand two functions of one number, computed in the page: 1 - ReLU(1 - x) and a sigmoid.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one small example, (1, *features).
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one example, its shares are all 0, or integrated_gradients refuses an argument.

    Example:
        >>> cuts_explorer(lambda x: x.square().sum(1), torch.ones(1, 4), None, None)
        LiveFigure: ... slope of F along the path goes from 0.0055 to 8.
    """
    if len(x) != 1:
        raise ValueError(f"x has {len(x)} rows; pass one example")
    x, start, _ = check_arguments(f, x, baseline, target)
    alphas = (torch.arange(FINEST, dtype=torch.float64) + 0.5) / FINEST
    points = StraightPath(start, x).points(alphas)[:, 0]
    integrand = (gradient(f, points, target=target).values * (x - start)).cpu().double().flatten(1)
    slopes, truth = integrand.sum(1), integrand.mean(0)
    if not truth.any():
        raise ValueError("every share is 0; pass an x for which F changes")
    cut_errors, to_cut = cut_where_it_differs(integrand)
    equal = [integrated_gradients(f, x, baseline, target, rule="midpoint", steps=n) for n in COUNTS]
    data = {
        "name": "this F",
        "slopes": short(slopes.numpy()),
        "change": short([slopes.mean().item()])[0],
        "cut": to_cut,
        "errors": [short(cut_errors), short([error_of(answer.values, truth) for answer in equal])],
        "counts": COUNTS,
        "smallest": SMALLEST,
    }
    return LiveFigure("cuts", data, curves(alphas, {SLOPE: slopes}, xlabel="alpha", ylabel=SLOPE))


def cut_where_it_differs(integrand: Tensor) -> tuple[list[float], list[int]]:
    """Cut the neediest cell in three, MOST_CUTS times.

    Args:
        integrand: gradient times x - x', in the middles of FINEST equal cells, (FINEST, features).

    Returns:
        The errors of the shares before the first cut and after each, and which cell is cut next.

    Example:
        >>> errors, to_cut = cut_where_it_differs(torch.linspace(0, 1, FINEST)[:, None] > 0.9)
        >>> round(errors[1], 2), to_cut[:2]
        (0.11, [7, 10])
    """
    integrand = integrand.double()
    truth, whole = integrand.mean(0), FINEST // FIRST
    cells = [(whole * k, whole) for k in range(FIRST)]
    errors, to_cut = [], []
    for _ in COUNTS:
        nodes = integrand[[first + width // 2 for first, width in cells]]
        widths = torch.tensor([width for _, width in cells], dtype=torch.float64) / FINEST
        errors.append(error_of(widths @ nodes, truth))
        apart = nodes.diff(dim=0).abs().sum(1)
        need = widths * (pad(apart, (1, 0)) + pad(apart, (0, 1)))
        need[widths < 1.5 / FINEST] = -1
        k = int((need >= need.max() * (1 - 1e-9)).int().argmax())
        first, third = cells[k][0], cells[k][1] // 3
        cells[k : k + 1] = [(first, third), (first + third, third), (first + 2 * third, third)]
        to_cut.append(k)
    return errors, to_cut


def error_of(shares: Tensor, truth: Tensor) -> float:
    """The sum of |errors| over the sum of |true shares|.

    Example:
        >>> error_of(torch.tensor([[1.0, 2.0]]), torch.tensor([1.0, 3.0]))
        0.25
    """
    shares, truth = (each.detach().cpu().double().flatten() for each in (shares, truth))
    return ((shares - truth).abs().sum() / truth.abs().sum()).item()
