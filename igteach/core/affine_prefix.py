"""The affine prefix of a network: passed once for each example along a straight path, not once for each step.

Up to its first non-linearity a network is affine, h = A x + c. Along a straight path h is on a straight path, too, and
the gradient with respect to x is A^T times the one with respect to h, and a weighted sum of gradients is A^T times the
weighted sum of those. The same holds for everything that the error estimate needs, except the sum of the squared second
differences, feature by feature, which is not linear. That one is estimated with a sketch: the second differences go in
turn into SKETCH_SIZE sums, each with a random sign from a fixed seed; averaged over the signs, the squares of these
sums add up to the sum of the squares.

Sources: Charikar, Chen and Farach-Colton (2002), https://doi.org/10.1007/3-540-45465-9_59, for the sketch; see also
Alon, Matias and Szegedy (1996), https://doi.org/10.1145/237814.237823.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import batchnorm

from igteach.core.attribution import accumulator
from igteach.core.devices import full_precision
from igteach.core.error_estimate import NEIGHBOURS, expected_l1_error
from igteach.core.evaluation import forward_with_gradient, frozen_parameters, repeat_target
from igteach.core.functions import Function, Logit, Probability
from igteach.core.integration import Integrand
from igteach.core.paths import StraightPath
from igteach.core.quadrature import Cells, parabola_corrections

POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
AFFINE = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, *POOLING, nn.Flatten, nn.Dropout, nn.Identity)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
SKETCH_SIZE = 4
NUM_SUMS = 4 + SKETCH_SIZE  # weighted sums of gradients that go back through the prefix
FEWEST_STEPS = 2 * NUM_SUMS  # with fewer steps the split gains nothing
FEWEST_PRODUCTS = 48  # nor with fewer multiplications for each output of the prefix


class ChannelsFirst(nn.Module):
    """Takes channels last, in which pooling takes a fifth of the time on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1)


@dataclass(frozen=True, eq=False)
class SplitModel:
    """F in two: remainder(h), where h is prefix(x) with its channels last.

    Attributes:
        prefix: The affine layers that F begins with.
        remainder: The rest of F, a function of h.
    """

    prefix: nn.Sequential
    remainder: Function

    def hidden_path(self, path: StraightPath) -> StraightPath:
        """The path of h while x is on `path`."""
        with torch.no_grad(), full_precision():
            ends = [self.prefix(x.clone()).movedim(1, -1).contiguous() for x in (path.baseline, path.x)]
        return StraightPath(*ends)

    def gradients_by_input(self, x: Tensor, gradients_by_hidden: Tensor) -> Tensor:
        """A^T times each of the gradients with respect to h, with h's channels where prefix has them.

        Args:
            x: (batch, *features).
            gradients_by_hidden: (k, batch, channels, ...).

        Returns:
            The gradients by x: (k, batch, *features).
        """
        with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(self.prefix), full_precision():
            points = x.clone().requires_grad_()
            hidden = self.prefix(points)
            found = [torch.autograd.grad(hidden, points, by, retain_graph=True)[0] for by in gradients_by_hidden]
        return torch.stack(found)


@dataclass(frozen=True, eq=False)
class PrefixIntegrand(Integrand):
    """The gradient of F by the hidden path behind an affine prefix; its sums go back through the prefix at the end.

    Attributes:
        f: The remainder of F.
        path: The hidden path, a straight one.
        target: The class of each example (batch,), or None.
        split: F in two.
        input_path: The path of x.
    """

    path: StraightPath
    split: SplitModel
    input_path: StraightPath

    @classmethod
    def of(cls, split: SplitModel, path: StraightPath, target: Tensor | None) -> "PrefixIntegrand":
        """The integrand of a split F along the path of its input."""
        return cls(split.remainder, split.hidden_path(path), target, split, path)

    def values(self, cells: Cells) -> Tensor:
        points = self.path.points(cells.nodes)
        _, gradients = forward_with_gradient(self.f, points.flatten(0, 1), repeat_target(self.target, len(points)))
        return gradients.reshape(points.shape)

    def running_sums(self, cells: Cells) -> "PrefixSums":
        return PrefixSums(self, cells)


class PrefixSums:
    """NUM_SUMS weighted sums of the gradients by h: what the integral and its error estimate are made of."""

    def __init__(self, integrand: PrefixIntegrand, cells: Cells):
        self.integrand = integrand
        hidden = integrand.path.x
        weights = torch.cat(
            [
                cells.weights[None],
                parabola_corrections(cells.nodes, cells.weights)[None],
                _second_difference_weights(cells.nodes),
            ]
        )
        self.weights = weights.to(hidden).expand(-1, -1, len(hidden)).permute(2, 0, 1)  # (batch, NUM_SUMS, cells)
        self.sums = hidden.new_zeros(len(hidden), NUM_SUMS, hidden[0].numel())

    def add(self, values: Tensor, chunk: Tensor) -> None:
        self.sums.baddbmm_(self.weights[:, :, chunk], values.flatten(2).transpose(0, 1))

    def result(self) -> tuple[Tensor, Tensor | None]:
        split, path, hidden = self.integrand.split, self.integrand.input_path, self.integrand.path.x
        gradients_by_hidden = self.sums.view(len(hidden), NUM_SUMS, *hidden.shape[1:]).transpose(0, 1).movedim(-1, 2)
        gradients = split.gradients_by_input(path.x, gradients_by_hidden)
        sums = gradients.to(accumulator(gradients)).mul_(path.x - path.baseline)
        integral, correction, first, last, *sketch = sums
        return integral, expected_l1_error(torch.stack(sketch).square().sum(0), correction, first, last)


def split_model(f: Function, x: Tensor, steps: int) -> SplitModel | None:
    """F in two, if it is an nn.Sequential (nested, or in logit() or probability()) that begins with affine layers.

    Args:
        f: F, as every method takes it.
        x: (batch, *features).
        steps: Gradients for each example.

    Returns:
        The two, or None where there is no prefix or it gains nothing: with few steps, and on a GPU, where kernel
        launches, not arithmetic, take the time.
    """
    wrappers, model = list[type[Logit]](), f
    while isinstance(model, Logit) and type(model) in (Logit, Probability):
        wrappers.append(type(model))
        model = model.model
    if not isinstance(model, nn.Sequential) or steps < FEWEST_STEPS or x.device.type != "cpu":
        return None
    if x.dtype not in (torch.float32, torch.float64):
        return None
    layers = list(_layers(model))
    length = next((i for i, layer in enumerate(layers) if not _is_affine(layer)), 0)
    prefix = nn.Sequential(*layers[:length])
    if not any(layer.weight[0].numel() >= FEWEST_PRODUCTS for layer in prefix if isinstance(layer, WEIGHTED)):
        return None
    remainder: Function = nn.Sequential(ChannelsFirst(), *layers[length:])
    for wrapper in reversed(wrappers):
        remainder = wrapper(remainder)
    return SplitModel(prefix, remainder)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """What a module applies one after the other, as far as its class says so."""
    plain = type(module).forward is nn.Sequential.forward and "forward" not in vars(module)
    if not plain or _is_hooked(module):
        yield module
        return
    for child in module.children():
        yield from _layers(child)


def _is_affine(layer: nn.Module) -> bool:
    if isinstance(layer, batchnorm._BatchNorm) and (layer.training or layer.running_mean is None):
        return False
    return type(layer) in (*AFFINE, *WEIGHTED) and "forward" not in vars(layer) and not _is_hooked(layer)


def _is_hooked(module: nn.Module) -> bool:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(module, kind) for kind in kinds)


def _second_difference_weights(nodes: Tensor) -> Tensor:
    """The weights of the values at the nodes (steps, batch) in 2 + SKETCH_SIZE sums: (sums, steps, batch).

    The sums are the first second difference, the last one, and the sketch of all; a second difference is taken of
    (difference of values) (distance of nodes), as in core.error_estimate.IntegrandVariation.
    """
    count = len(nodes) - NEIGHBOURS + 1
    signs = torch.randint(2, (count,), generator=torch.Generator().manual_seed(0)).to(nodes) * 2 - 1
    weights = nodes.new_zeros(2 + SKETCH_SIZE, count)  # of the second differences
    weights[0, 0] = weights[1, -1] = 1
    weights[2 + torch.arange(count) % SKETCH_SIZE, torch.arange(count)] = signs
    of_gaps = functional.pad(weights, (0, 2)) - 2 * functional.pad(weights, (1, 1)) + functional.pad(weights, (2, 0))
    of_gaps = of_gaps[..., None] * nodes.diff(dim=0)
    return functional.pad(of_gaps, (0, 0, 1, 0)) - functional.pad(of_gaps, (0, 0, 0, 1))
