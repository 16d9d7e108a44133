"""Inputs to compare x with. Each has the shape, dtype and device of x (batch, *features), and raises ValueError or
TypeError for arguments that do not fit. Random ones draw on the CPU: a seed gives the same numbers on every device."""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv1d, pad

from igteach.core.evaluation import forward, forward_with_gradient
from igteach.core.functions import Function, Logit
from igteach.core.validation import check_arguments, check_baseline, check_floating


def zero(x: Tensor) -> Tensor:
    """Zeros, in the units that f takes: where f wants standardised pictures this is grey, not black."""
    return constant(x, 0.0)


def constant(x: Tensor, value: Tensor | float = 0.0) -> Tensor:
    """A number or what broadcasts to x, in the units that f takes: black is `preprocess` of a black picture, not 0."""
    if check_floating("x", x).dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    return check_baseline(x, value).clone()


def mean(x: Tensor, dataset: Tensor) -> Tensor:
    """The mean of each feature over a dataset (N, *features)."""
    return constant(x, _rows(x, dataset).mean(0))


def median(x: Tensor, dataset: Tensor) -> Tensor:
    """The median of each feature over a dataset (N, *features); of two in the middle, the lower one."""
    return constant(x, _rows(x, dataset).median(0).values)


def sample(x: Tensor, dataset: Tensor, seed: int = 0) -> Tensor:
    """For each example a row of a dataset (N, *features). Source: Erion et al. (2021), who average over many."""
    drawn = torch.randint(len(_rows(x, dataset)), (len(x),), generator=Generator().manual_seed(seed))
    return constant(x, dataset[drawn.to(dataset.device)])


def noise(x: Tensor, stdev: float, seed: int = 0) -> Tensor:
    """x plus Gaussian noise of this standard deviation. Source: Sturmfels, Lundberg and Lee (2020)."""
    drawn = torch.randn(x.shape, generator=Generator().manual_seed(seed))
    return constant(x, x + _positive("stdev", stdev) * drawn.to(x))


def uniform(x: Tensor, low: float = 0.0, high: float = 1.0, seed: int = 0) -> Tensor:
    """Each feature drawn evenly between low and high. Source: Sturmfels, Lundberg and Lee (2020)."""
    return constant(x, low + (high - low) * torch.rand(x.shape, generator=Generator().manual_seed(seed)).to(x))


def blur(x: Tensor, sigma: float) -> Tensor:
    """x smoothed by a Gaussian of `sigma` pixels, its edges continued; a vector along its features, images
    (batch, channels, height, width) along height and width. Source: Fong and Vedaldi (2017)."""
    smooth, radius = constant(x, x), math.ceil(3 * _positive("sigma", sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2).to(x)
    for axis in range(min(2, x.dim() - 1), x.dim()):
        lines = smooth.movedim(axis, -1)
        padded = pad(lines.reshape(-1, 1, lines.shape[-1]), (radius, radius), mode="replicate")
        smooth = conv1d(padded, (kernel / kernel.sum()).view(1, 1, -1)).view(lines.shape).movedim(-1, axis)
    return smooth.contiguous()


class _Evenness(Logit):
    def forward(self, x: Tensor) -> Tensor:
        """Probabilities times classes (N, classes): 1 where even, never 0. One probability stands for two classes."""
        p = super().forward(x)
        p = torch.stack([1 - p.flatten(), p.flatten()], 1) if p.shape[1:].numel() == 1 else p
        if p.min() < 0 or (p.sum(1) - 1).abs().max() > 1e-3:
            raise ValueError("f gives no class probabilities; wrap the model in probability()")
        return p.clamp_min(torch.finfo(p.dtype).tiny) * p.shape[1]


def opinion(f: Function, baseline: Tensor) -> Tensor:
    """(batch,) The largest class probability less an even share: 0 is even. f gives (N, classes), (N, 1) or (N,)."""
    with torch.no_grad():
        evenness = _Evenness(f)(check_arguments(_Evenness(f), baseline, baseline, 0)[0])
    return (evenness.amax(1) - 1) / evenness.shape[1]


def neutral(f: Function, x: Tensor, gap: float = 0.01) -> Tensor:
    """An input near x, by distance in f's units, whose `opinion` is at most `gap`; ValueError if none is found."""
    evenness, level = _Evenness(f), 2 * _positive("gap", gap) ** 2  # enough for the gap, by Pinsker's inequality
    return _descend(lambda points: -evenness(points).log().mean(1), check_arguments(evenness, x, x, 0)[0], level)


def adversarial(f: Function, x: Tensor, target: int | Tensor | None = None, near_zero: float = 0.01) -> Tensor:
    """x changed little, in f's units, until the probability F is at most `near_zero`; ValueError if none is found.
    Source: Szegedy et al. (2013), that so little does; Moosavi-Dezfooli et al. (2016), the steps."""
    x, _, target = check_arguments(f, x, x, target)
    p, aim = forward(f, x, target), math.log(_positive("near_zero", near_zero) / 2)
    if p.min() < 0 or p.max() >= 1:
        raise ValueError("f is not between 0 and 1, or rounds to 1; pass probability(model), or x in float64")
    return _descend(lambda points: forward(f, points, target).logit(eps=1e-30) - aim, x, math.log(2))


def _descend(loss: Function, x: Tensor, level: float) -> Tensor:
    """x moved until loss <= level, by fifths of the least step that would bring a linear loss to zero (Polyak 1969)."""
    for _ in range(500):
        value, slope = forward_with_gradient(loss, x, None)
        if (value <= level).all():
            return x
        square = slope.flatten(1).square().sum(1).clamp_min(torch.finfo(x.dtype).tiny)
        direction = torch.einsum("n...,n->n...", slope, 1 / square)  # zero where f is flat
        x = x - torch.einsum("n...,n->n...", direction, torch.where(value > level, 0.2 * value, 0))
    raise ValueError("no such baseline found: f has gone flat; start from another x, or allow a wider gap or near_zero")


def _positive(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value}; pass a finite number above 0")
    return value


def _rows(x: Tensor, dataset: Tensor) -> Tensor:
    if not isinstance(dataset, Tensor) or dataset.shape[1:] != x.shape[1:] or len(dataset) == 0:
        received = tuple(dataset.shape) if isinstance(dataset, Tensor) else type(dataset).__name__
        raise ValueError(f"dataset is {received}; for this x pass a tensor (N, {', '.join(map(str, x.shape[1:]))})")
    return dataset
