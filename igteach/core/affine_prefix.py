"""The affine prefix of a network: passed once for each example along a straight path, not once for each step.

Up to its first non-linearity a network is affine, h = A x + c. Along a straight path h is on a straight path, too, and
the gradient with respect to x is A^T times the one with respect to h, and a weighted sum of gradients is A^T times the
weighted sum of those. So cells are chosen by the gradients with respect to h, and only sums go back through the prefix.
The same holds for everything that the error estimate needs, except the sum of the squared jumps, feature by feature,
which is not linear. That one is estimated with a sketch: the jumps go in turn into SKETCH_SIZE sums, each with a random
sign from a fixed seed; averaged over the signs, the squares of these sums add up to the sum of the squares.

Sources: Charikar, Chen and Farach-Colton (2002), https://doi.org/10.1007/3-540-45465-9_59, for the sketch; see also
Alon, Matias and Szegedy (1996), https://doi.org/10.1145/237814.237823.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm

from igteach.core.attribution import accumulator
from igteach.core.devices import full_precision
from igteach.core.error_estimate import jump_matrix, jump_spreads
from igteach.core.evaluation import frozen_parameters, unchecked_with_gradient
from igteach.core.functions import Function, Logit, Probability
from igteach.core.integrands import Cells, Evaluated, Integrand, row_sums, stacked, weighted_sums
from igteach.core.paths import StraightPath
from igteach.core.per_row import PerRow
from igteach.core.plain_modules import is_plain
from igteach.core.quadrature import parabola_weights

POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
AFFINE = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, *POOLING, nn.Flatten, nn.Dropout, nn.Identity)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
SKETCH_SIZE = 4
FEWEST_PRODUCTS = 48  # the split gains nothing with fewer multiplications for each output of the prefix


class ChannelsFirst(nn.Module):
    """Takes channels last, in which pooling takes a fifth of the time on a CPU.

    What it gives lies in memory with its channels last, too, unless `contiguous` is set: `view` does not take that.
    """

    contiguous = False

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        return x.clone(memory_format=torch.contiguous_format) if self.contiguous else x  # also of a single channel


@dataclass(frozen=True, eq=False)
class SplitModel:
    """F in two: remainder(h), where h is prefix(x) with its channels last.

    Attributes:
        prefix: The affine layers that F begins with.
        entry: What the remainder begins with.
        remainder: The rest of F, a function of h.
    """

    prefix: nn.Sequential
    entry: ChannelsFirst
    remainder: Function

    def forward_with_gradient(self, hidden: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor, Tensor]:
        """The remainder at rows of h, as `unchecked_with_gradient`, with h in a memory order that it takes."""
        try:
            return unchecked_with_gradient(self.remainder, hidden, per_row)
        except RuntimeError as error:
            if self.entry.contiguous or "stride" not in str(error):
                raise
        self.entry.contiguous = True
        return unchecked_with_gradient(self.remainder, hidden, per_row)

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
        f: F.
        per_row: The target and the further arguments of each example.
        path: The path of x.
        split: F in two.
        hidden: The hidden paths of the examples under way.
    """

    path: StraightPath
    split: SplitModel
    hidden: dict[int, StraightPath] = field(default_factory=dict)

    @property
    def like(self) -> Tensor:
        return self.path.x

    @cached_property
    def hidden_shape(self) -> torch.Size:
        """The shape of h of one example."""
        return self.hidden_path(0).x.shape[1:]

    @property
    def num_values(self) -> int:
        return self.hidden_shape.numel()

    @property
    def judged_by_others(self) -> bool:
        return True

    def hidden_path(self, example: int) -> StraightPath:
        """The path of h of an example, found once and kept until `forget`."""
        if example not in self.hidden:
            row = slice(example, example + 1)
            self.hidden[example] = self.split.hidden_path(StraightPath(self.path.baseline[row], self.path.x[row]))
        return self.hidden[example]

    def hidden_ends(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """h at x' and at x of some examples, each (len(examples), *hidden_shape)."""
        paths = [self.hidden_path(example) for example in examples.tolist()]
        return torch.cat([path.baseline for path in paths]), torch.cat([path.x for path in paths])

    def forget(self, example: int) -> None:
        self.hidden.pop(example, None)

    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        return self.path.rows(examples, alphas)[0]

    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        starts, ends = self.hidden_ends(examples)
        points = torch.lerp(starts, ends, alphas.to(ends).view(-1, *(1,) * (ends.dim() - 1)))
        f, gradients, finite = self.split.forward_with_gradient(points, self.per_row[examples])
        gradients = gradients.flatten(1)
        return Evaluated(f, gradients, row_sums(gradients, (ends - starts).flatten(1)), finite)

    def terms(self, found: Evaluated) -> Tensor:
        """As for any integrand, by h."""
        return (found.gradients[0] * self.hidden_path(0).x.flatten()).abs().sum()

    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        starts, ends = self.hidden_ends(cells.examples)
        velocities = (ends - starts).flatten(1)
        return stacked(cells.gradients, features) * (velocities if features is None else velocities[:, features])

    def weights(self, nodes: Tensor, widths: Tensor, is_open: Tensor) -> Tensor:
        return parabola_weights(nodes, widths, is_open)

    def integral(self, cells: Cells) -> Tensor:
        return self.by_input(cells, cells.weights[None])[0]

    def distance(self, cells: Cells, features: Tensor | None, distance: Tensor) -> Tensor:
        """As for any integrand, of the integral by x; the one of the values is by h."""
        parabolas = parabola_weights(cells.nodes, cells.widths)
        jumps = jump_matrix(self.values(cells, features), cells.nodes)
        weights = torch.cat([(parabolas - cells.weights)[None], self.sketch_weights(cells, jumps, parabolas)])
        sums = self.by_input(cells, weights)
        smooth, first, last, *sketch = sums.flatten(2).abs()
        jumps = torch.stack(sketch).square().sum(0).sqrt() + smooth
        return torch.maximum(jumps.sum(1), ((first + last) / 2).sum(1))

    def sketch_weights(self, cells: Cells, jumps: Tensor, weights: Tensor) -> Tensor:
        """The weights of the gradients in the first jump, the last one, and the sketch of all: (sums, cells, batch)."""
        spread = jumps * jump_spreads(cells.nodes, weights)[:, None]
        signs = (
            torch.randint(2, (len(jumps),), generator=torch.Generator().manual_seed(0), device="cpu").to(jumps) * 2 - 1
        )
        sketch = [torch.einsum("gnb,g->nb", spread[i::SKETCH_SIZE], signs[i::SKETCH_SIZE]) for i in range(SKETCH_SIZE)]
        return torch.stack([jumps[0] * cells.nodes[0], jumps[-1] * (1 - cells.nodes[-1]), *sketch])

    def by_input(self, cells: Cells, weights: Tensor) -> Tensor:
        """Weighted sums of the gradients by h, as shares of the features of x: (sums, batch, *features).

        Args:
            cells: Whose gradients are added up.
            weights: (sums, cells, batch).
        """
        by_hidden = weighted_sums(cells.gradients, weights, self.path.x.dtype)
        by_hidden = by_hidden.view(*by_hidden.shape[:2], *self.hidden_shape).movedim(-1, 2)
        path = StraightPath(self.path.baseline[cells.examples], self.path.x[cells.examples])
        gradients = self.split.gradients_by_input(path.x, by_hidden)
        return gradients.to(accumulator(gradients)).mul_(path.x - path.baseline)


def split_model(f: Function, x: Tensor) -> SplitModel | None:
    """F in two, if it is an nn.Sequential (nested, or in logit() or probability()) that begins with affine layers.

    Args:
        f: F, as every method takes it.
        x: (batch, *features).

    Returns:
        The two, or None where there is no prefix or it gains nothing: on a GPU, where kernel launches, not arithmetic,
        take the time.
    """
    wrappers, model = list[type[Logit]](), f
    while isinstance(model, Logit) and type(model) in (Logit, Probability) and is_plain(model):
        wrappers.append(type(model))
        model = model.model
    if not isinstance(model, nn.Sequential) or x.device.type != "cpu":
        return None
    if x.dtype not in (torch.float32, torch.float64):
        return None
    layers = list(layers_in_order(model))
    length = next((i for i, layer in enumerate(layers) if not _is_affine(layer)), 0)
    prefix = nn.Sequential(*layers[:length])
    if not any(layer.weight[0].numel() >= FEWEST_PRODUCTS for layer in prefix if isinstance(layer, WEIGHTED)):
        return None
    entry = ChannelsFirst()
    remainder: Function = nn.Sequential(entry, *layers[length:])
    for wrapper in reversed(wrappers):
        remainder = wrapper(remainder)
    return SplitModel(prefix, entry, remainder)


def layers_in_order(module: nn.Module) -> Iterator[nn.Module]:
    """What a module applies one after the other, as far as its class says so.

    Example:
        >>> from torch import nn
        >>> list(layers_in_order(nn.Sequential(nn.Sequential(nn.Tanh(), nn.ReLU()), nn.Tanh())))
        [Tanh(), ReLU(), Tanh()]
    """
    if (
        not isinstance(module, nn.Sequential)
        or type(module).forward is not nn.Sequential.forward
        or not is_plain(module)
    ):
        yield module
        return
    for child in module:  # children() would give a layer that comes twice once
        yield from layers_in_order(child)


def _is_affine(layer: nn.Module) -> bool:
    """Whether a layer is affine and has a row for each row that it gets."""
    if isinstance(layer, batchnorm._BatchNorm) and (layer.training or layer.running_mean is None):
        return False
    if isinstance(layer, nn.Flatten) and layer.start_dim == 0:
        return False
    return type(layer) in (*AFFINE, *WEIGHTED) and is_plain(layer)
