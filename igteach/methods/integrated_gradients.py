"""Integrated Gradients, along the straight path and along any other."""

from collections.abc import Callable

from torch import Tensor

from igteach.core.affine_prefix import PrefixIntegrand, split_model
from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, takes_any_inputs
from igteach.core.integrands import CurvedIntegrand, Integrand, StraightIntegrand
from igteach.core.integration import MAX_EVALUATIONS, Goal, integrate
from igteach.core.paths import CurvedPath, StraightPath, piecewise_linear_path
from igteach.core.per_row import Arguments
from igteach.core.validation import check_inputs, default_batch_size


@takes_any_inputs
def integrated_gradients(
    f: Function,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
    rule: str | None = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along the straight path from x' to x.

    IG_i = (x_i - x'_i) * integral over alpha in [0, 1] of dF/dx_i at x' + alpha (x - x').

    Args:
        f: F: maps (N, *features) to (N,), (N, classes) or (N, *axes), each row independent of the others.
        x: The inputs (batch, *features), floating point, in the units that f takes: a tensor, a NumPy array or a table
            (DataFrame). Several inputs are a tuple, which f gets one after the other, or a dict, which it gets by name.
        baseline: x': a number, or a tensor that broadcasts to x; of several inputs a tuple or dict with one for each.
            None is zeros.
        target: The class: an int, or a tensor (batch,) of ints. A tuple of ints, or a tensor (batch, axes), is an
            index into f's output for an example, such as (class, row, column) of a segmentation. None where f gives one
            number a row.
        arguments: What f gets beside x, such as a mask: a tuple, or a dict by name. A tensor has an entry for each
            example, which is repeated with its rows; anything else goes into every call.
        tolerance: Gradients are added where they are needed until the error estimate of every example is below it: 0.05
            is 5% of the L1 norm of its values.
        max_evaluations: Gradients for an example, at most; `converged` says whether they were enough.
        steps: Gradients for every example, at the nodes of a rule, instead of a tolerance.
        rule: One of `core.quadrature.RULES`, with `steps`. None is "midpoint": equal steps.
        batch_size: Rows of f at once, at most. None picks a size for the device of x.
        progress: Show a bar that counts gradients (needs tqdm).

    Returns:
        An Attribution in the units of F: values in the form, shape and dtype of x, their residual, an estimate of their
        error, and F along the path. What happens between two nodes and leaves no trace at them goes unseen: of
        F(u, v) = u + s(u) - s(v), with a steep step s between two nodes, half is missed, and no estimate can know it.

    Raises:
        TypeError: An argument is of the wrong kind; the message names it and says what to pass.
        ValueError: An argument cannot give a right answer: a shape, NaN, a network in train mode, rows that depend on
            one another.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y, z: x * y + z)
        >>> igteach.integrated_gradients(f, torch.ones(1, 3), baseline=0.0).values.tolist()
        [[0.5, 0.5, 1.0]]

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    x, baseline, per_row = check_inputs(f, x, baseline, target, arguments)
    goal = Goal(tolerance, max_evaluations, steps, rule, default_batch_size(x, batch_size), progress)
    path, split = StraightPath(baseline, x), split_model(f, x)
    integrand: Integrand = PrefixIntegrand(f, per_row, path, split) if split else StraightIntegrand(f, per_row, path)
    return integrate(integrand, baseline, x, goal)


def path_gradients(
    f: Function,
    path: Tensor | Callable[[float], Tensor],
    target: Target = None,
    *,
    x: Tensor | None = None,
    baseline: Tensor | float | None = None,
    arguments: Arguments = (),
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
    rule: str | None = None,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along any path from x' to x.

    Args:
        f: As for `integrated_gradients`.
        path: Waypoints (k, batch, *features), joined by straight lines, or a function of alpha in [0, 1] that gives
            (batch, *features).
        target: As for `integrated_gradients`.
        x: Where given, the end that the path must have.
        baseline: Where given, the start that the path must have.
        arguments: As for `integrated_gradients`.
        tolerance: As for `integrated_gradients`.
        max_evaluations: As for `integrated_gradients`.
        steps: As for `integrated_gradients`.
        rule: As for `integrated_gradients`.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution of the path's ends, as `integrated_gradients` gives it.

    Raises:
        TypeError: As for `integrated_gradients`.
        ValueError: The path does not start at baseline or end at x; and as for `integrated_gradients`.

    Example:
        First along x, then along y: the second feature gets all of xy.

        >>> import igteach, torch
        >>> corners = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 1.0]]])
        >>> igteach.path_gradients(igteach.toy(lambda x, y: x * y), corners).values.tolist()
        [[0.0, 1.0]]

    Source:
        Friedman (2004), https://doi.org/10.1007/s001820400173; Sundararajan, Taly and Yan (2017).
    """
    function = path if callable(path) else piecewise_linear_path(path)
    start, end = map(CurvedPath(function).at, (0.0, 1.0))
    for reached, expected, name, verb in ((start, baseline, "baseline", "start"), (end, x, "x", "end")):
        if expected is not None and (reached - expected).abs().max() > 1e-4 * reached.abs().max().clamp_min(1):
            raise ValueError(f"path does not {verb} at {name}: correct the path, or leave out {name}")
    end, start, per_row = check_inputs(f, end, start, target, arguments)
    goal = Goal(tolerance, max_evaluations, steps, rule, default_batch_size(end, batch_size))
    return integrate(CurvedIntegrand(f, per_row, CurvedPath(function), end), start, end, goal)
