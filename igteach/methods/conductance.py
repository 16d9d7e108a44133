"""Integrated Gradients through a hidden layer: how much of F(x) - F(x') flows through each of its units."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.evaluation import is_finite
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, as_one_input
from igteach.core.integrands import Cells, Evaluated, Integrand, stacked
from igteach.core.integration import MAX_EVALUATIONS, Goal, integrate
from igteach.core.paths import StraightPath
from igteach.core.per_row import Arguments
from igteach.core.validation import check_inputs, default_batch_size
from igteach.methods.layer import Place


def neuron_conductance(
    f: Function,
    layer: nn.Module,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    at: str = "output",
    index: int = 0,
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
    rule: str | None = None,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each unit of a layer in F(x) - F(x'), along the straight path of the input from x' to x.

    It is IG along the curve that the activations y trace out: for unit j the integral of dF/dy_j dy_j over the path.
    In `layer_integrated_gradients` the activations go straight instead.

    Args:
        f: As for `integrated_gradients`.
        layer: A module that f calls once.
        x: As for `integrated_gradients`.
        baseline: As for `integrated_gradients`.
        target: As for `integrated_gradients`.
        arguments: As for `integrated_gradients`.
        at: As for `layer_integrated_gradients`.
        index: As for `layer_integrated_gradients`.
        tolerance: As for `integrated_gradients`.
        max_evaluations: As for `integrated_gradients`.
        steps: As for `integrated_gradients`.
        rule: As for `integrated_gradients`.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution whose values have the shape of the layer's tensor. They add up to F(x) - F(x') if x affects F
        only through it; otherwise the residual is what bypasses it.

    Raises:
        TypeError: As for `layer_integrated_gradients`.
        ValueError: As for `layer_integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> answer = igteach.neuron_conductance(model, model[1], torch.ones(1, 2))
        >>> tuple(answer.values.shape)
        (1, 2)

    Source:
        Dhamdhere, Sundararajan and Yan (2019), https://arxiv.org/abs/1805.12233; Lundstrom et al. (2022),
        https://arxiv.org/abs/2202.11912.
    """
    place = Place.checked(layer, at, index)
    f, x, baseline, _ = as_one_input(f, x, baseline)
    x, baseline, per_row = check_inputs(f, x, baseline, target, arguments)
    goal = Goal(tolerance, max_evaluations, steps, rule, default_batch_size(x, batch_size))
    ends = [place.values(f, each, per_row, goal.batch_size)[1] for each in (baseline, x)]
    integrand = LayerIntegrand(f, per_row, StraightPath(baseline, x), place, StraightPath(*ends))
    return integrate(integrand, baseline, x, goal)


@dataclass(frozen=True, eq=False)
class LayerIntegrand(Integrand):
    """The gradient of F by the units of a layer times their velocity, while x is on its path.

    A cell's displacement is that of the units between the middles of the ways to the neighbouring nodes.

    Attributes:
        f: F, as every method takes it.
        per_row: The target and the further arguments of each example.
        path: The path of x.
        place: The layer's tensor that the units are in.
        units: It at both ends of the path.
    """

    path: StraightPath
    place: Place
    units: StraightPath

    @property
    def like(self) -> Tensor:
        return self.units.x

    @property
    def size(self) -> int:
        return 2 * self.num_values

    @property
    def closes(self) -> bool:
        return False

    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        return self.path.rows(examples, alphas)[0]

    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        points = self.points(examples, alphas)
        f, units, gradients = self.place.gradient(self.f, points, self.per_row[examples])
        kept = torch.cat([gradients.flatten(1), units.flatten(1)], 1)
        return Evaluated(f, kept, None, torch.stack([is_finite(f), is_finite(gradients)]))

    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        chosen = torch.arange(self.num_values, device=self.like.device) if features is None else features
        gradients, units = (stacked(cells.gradients, chosen + first) for first in (0, self.num_values))
        start, end = (each.flatten(1)[:, chosen][None] for each in self.units.ends(cells.examples))
        edges = torch.cat([start, (units[1:] + units[:-1]) / 2, end])
        return gradients * edges.diff(dim=0) / cells.widths.to(units)[..., None]

    def terms(self, found: Evaluated) -> Tensor:
        return (found.gradients[0, : self.num_values] * found.gradients[0, self.num_values :]).abs().sum()
