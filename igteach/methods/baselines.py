"""Inputs to compare x with.

Each has the shape, dtype and device of x (batch, *features). Random ones are drawn on the CPU, so that a seed gives the
same numbers on every device.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv1d, pad

from igteach.core.evaluation import forward, forward_with_gradient, frozen_parameters
from igteach.core.functions import Function, Logit
from igteach.core.per_row import PerRow
from igteach.core.validation import check_arguments, check_baseline, check_floating

MAX_DESCENT_STEPS = 500
DESCENT_FRACTION = 0.2  # of the step that would bring a linear loss to zero
TINY_PROBABILITY = 1e-30  # so that a probability of 0 has a logit


def zero(x: Tensor) -> Tensor:
    """Zeros, in the units that f takes: if f takes standardised pictures, this is grey, not black.

    Args:
        x: (batch, *features), floating point.

    Returns:
        Zeros, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if x is not a batch, or holds NaN or infinity.

    Example:
        >>> import torch
        >>> zero(torch.tensor([[1.0, 2.0]])).tolist()
        [[0.0, 0.0]]
    """
    return constant(x, 0.0)


def constant(x: Tensor, value: Tensor | float = 0.0) -> Tensor:
    """The same value for every example, in the units that f takes.

    Black, for instance, is `preprocess` of a black picture, not 0.

    Args:
        x: (batch, *features), floating point.
        value: a number, or broadcasts to x.

    Returns:
        The value, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor, or value is neither a number nor a floating tensor.
        ValueError: if x is not a batch, value does not broadcast to x, or one of them holds NaN or infinity.

    Example:
        >>> import torch
        >>> constant(torch.zeros(2, 2), torch.tensor([0.5, 1.0])).tolist()
        [[0.5, 1.0], [0.5, 1.0]]
    """
    if check_floating("x", x).dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    return check_baseline(x, value).clone()


def mean(x: Tensor, dataset: Tensor) -> Tensor:
    """The mean of each feature over a dataset.

    Args:
        x: (batch, *features), floating point.
        dataset: (N, *features).

    Returns:
        The mean, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if dataset does not fit x, or as `constant`.

    Example:
        >>> import torch
        >>> mean(torch.zeros(1, 2), torch.tensor([[1.0, 0.0], [3.0, 1.0]])).tolist()
        [[2.0, 0.5]]
    """
    return constant(x, _checked_dataset(x, dataset).mean(0))


def median(x: Tensor, dataset: Tensor) -> Tensor:
    """The median of each feature over a dataset; of the two in the middle, the lower one.

    Args:
        x: (batch, *features), floating point.
        dataset: (N, *features).

    Returns:
        The median, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if dataset does not fit x, or as `constant`.

    Example:
        >>> import torch
        >>> median(torch.zeros(1, 1), torch.tensor([[1.0], [3.0], [100.0]])).tolist()
        [[3.0]]
    """
    return constant(x, _checked_dataset(x, dataset).median(0).values)


def sample(x: Tensor, dataset: Tensor, seed: int = 0) -> Tensor:
    """A random row of a dataset for each example.

    Args:
        x: (batch, *features), floating point.
        dataset: (N, *features).
        seed: decides which rows.

    Returns:
        The rows, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if dataset does not fit x, or as `constant`.

    Example:
        >>> import torch
        >>> sample(torch.zeros(3, 1), torch.tensor([[7.0]])).tolist()
        [[7.0], [7.0], [7.0]]

    Source:
        Erion et al. (2021), https://arxiv.org/abs/1906.10670, who average over many.
    """
    num_rows = len(_checked_dataset(x, dataset))
    chosen = torch.randint(num_rows, (len(x),), generator=Generator().manual_seed(seed), device="cpu")
    return constant(x, dataset[chosen.to(dataset.device)])


def noise(x: Tensor, stdev: float, seed: int = 0) -> Tensor:
    """x plus Gaussian noise.

    Args:
        x: (batch, *features), floating point.
        stdev: the standard deviation of the noise, in the units of x.
        seed: decides the noise.

    Returns:
        The noisy x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if stdev is not a finite number above 0, or as `constant`.

    Example:
        >>> import torch
        >>> x = torch.zeros(1, 10_000)
        >>> noise(x, stdev=0.5).std().round(decimals=1).item()
        0.5

    Source:
        Sturmfels, Lundberg and Lee (2020), https://doi.org/10.23915/distill.00022.
    """
    normal = torch.randn(x.shape, generator=Generator().manual_seed(seed), device="cpu").to(x)
    return constant(x, x + _checked_positive("stdev", stdev) * normal)


def uniform(x: Tensor, low: float = 0.0, high: float = 1.0, seed: int = 0) -> Tensor:
    """Each feature drawn uniformly between two numbers.

    Args:
        x: (batch, *features), floating point.
        low: the lower number, in the units of x.
        high: the upper number, in the units of x.
        seed: decides what is drawn.

    Returns:
        The numbers drawn, in the shape of x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: as `constant`.

    Example:
        >>> import torch
        >>> drawn = uniform(torch.zeros(1, 100), low=2.0, high=3.0)
        >>> bool((drawn >= 2).all() and (drawn <= 3).all())
        True

    Source:
        Sturmfels, Lundberg and Lee (2020), https://doi.org/10.23915/distill.00022.
    """
    drawn = torch.rand(x.shape, generator=Generator().manual_seed(seed), device="cpu").to(x)
    return constant(x, low + (high - low) * drawn)


def blur(x: Tensor, sigma: float) -> Tensor:
    """x smoothed by a Gaussian: a vector along its features, pictures along height and width.

    Args:
        x: (batch, features) or (batch, channels, height, width), floating point; beyond its edges it is continued by
            its outermost values.
        sigma: the standard deviation of the Gaussian, in features or pixels.

    Returns:
        The blurred x.

    Raises:
        TypeError: if x is not a floating tensor.
        ValueError: if sigma is not a finite number above 0, or as `constant`.

    Example:
        >>> import torch
        >>> blur(torch.full((1, 4), 2.0), sigma=1.0).round(decimals=3).tolist()
        [[2.0, 2.0, 2.0, 2.0]]

    Source:
        Fong and Vedaldi (2017), https://arxiv.org/abs/1704.03296.
    """
    blurred = constant(x, x)
    radius = math.ceil(3 * _checked_positive("sigma", sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device="cpu") / sigma) ** 2).to(x)
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    first_axis = min(2, x.dim() - 1)
    for axis in range(first_axis, x.dim()):
        lines = blurred.movedim(axis, -1)
        padded = pad(lines.reshape(-1, 1, lines.shape[-1]), (radius, radius), mode="replicate")
        blurred = conv1d(padded, kernel).view(lines.shape).movedim(-1, axis)
    return blurred.contiguous()


class _Evenness(Logit):
    """The class probabilities relative to an even distribution: each times the number of classes."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, classes): 1 where the distribution is even, never 0; a single probability stands for two classes."""
        p = super().forward(x)
        if p.shape[1:].numel() == 1:
            p = torch.stack([1 - p.flatten(), p.flatten()], 1)
        if p.min() < 0 or (p.sum(1) - 1).abs().max() > 1e-3:
            raise ValueError(
                "f gives no class probabilities that sum to 1; wrap the model in probability(), or, of labels that do "
                "not exclude one another, ask about one: lambda x: f(x)[:, 0]"
            )
        return p.clamp_min(torch.finfo(p.dtype).tiny) * p.shape[1]


def opinion(f: Function, baseline: Tensor) -> Tensor:
    """How far a model is from undecided: the largest class probability minus an even one.

    Args:
        f: gives class probabilities (N, classes), or that of the second of two classes, (N, 1) or (N,).
        baseline: (batch, *features), floating point.

    Returns:
        (batch,), from 0, undecided, to 1 - 1 / classes, certain.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if f does not give probabilities, or the baseline is not a finite batch.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x: torch.sigmoid(x))
        >>> opinion(f, torch.zeros(1, 1)).tolist(), opinion(f, torch.full((1, 1), 100.0)).tolist()
        ([0.0], [0.5])
    """
    evenness = _Evenness(f)
    baseline, _, _ = check_arguments(evenness, baseline, baseline, 0)
    with torch.no_grad():
        relative = evenness(baseline)
    answer: Tensor = (relative.amax(1) - 1) / relative.shape[1]
    return answer


def neutral(f: Function, x: Tensor, gap: float = 0.01) -> Tensor:
    """An input near x, in the units that f takes, on which the model has no opinion.

    Args:
        f: gives class probabilities (N, classes), or that of the second of two classes, (N, 1) or (N,).
        x: (batch, *features), floating point.
        gap: the largest `opinion` that counts as none.

    Returns:
        The input found for each example, in the shape of x.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if gap is not a finite number above 0, f does not give probabilities, or no such input is found.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: torch.sigmoid(x - y))
        >>> baseline = neutral(f, torch.tensor([[1.0, 0.0]]))
        >>> bool(opinion(f, baseline) <= 0.01)
        True
    """
    evenness = _Evenness(f)
    divergence = 2 * _checked_positive("gap", gap) ** 2  # small enough for the gap, by Pinsker's inequality
    x, _, _ = check_arguments(evenness, x, x, 0)

    def divergence_from_even(points: Tensor) -> Tensor:
        log_ratios: Tensor = evenness(points).log()
        return -log_ratios.mean(1)

    with frozen_parameters(f):
        return _descend(divergence_from_even, x, divergence)


def adversarial(f: Function, x: Tensor, target: int | Tensor | None = None, near_zero: float = 0.01) -> Tensor:
    """x changed a little, in the units that f takes, until the probability F is next to nothing.

    Args:
        f: gives probabilities (N,) or (N, classes), below 1.
        x: (batch, *features), floating point.
        target: an int, (batch,), or None if f gives one number for each row.
        near_zero: the largest probability that counts as nothing.

    Returns:
        The input found for each example, in the shape of x.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if near_zero is not a finite number above 0, f does not give probabilities below 1, or no such input
            is found.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: torch.sigmoid(x - y))
        >>> baseline = adversarial(f, torch.tensor([[1.0, 0.0]]))
        >>> bool(f(baseline) <= 0.01)
        True

    Source:
        Szegedy et al. (2013), https://arxiv.org/abs/1312.6199, that so little suffices; Moosavi-Dezfooli et al. (2016),
        https://arxiv.org/abs/1511.04599, the steps.
    """
    x, _, per_row = check_arguments(f, x, x, target)
    with torch.no_grad():
        p = forward(f, x, per_row)
    aim = math.log(_checked_positive("near_zero", near_zero) / 2)
    if p.min() < 0 or p.max() >= 1:
        raise ValueError("f is not between 0 and 1, or rounds to 1; pass probability(model), or x in float64")

    def logit_above_aim(points: Tensor) -> Tensor:
        return forward(f, points, per_row.outside_inference()).logit(eps=TINY_PROBABILITY) - aim

    with frozen_parameters(f):
        return _descend(logit_above_aim, x, math.log(2))


def _descend(loss: Function, x: Tensor, level: float) -> Tensor:
    """x moved until loss <= level, by a fifth of Polyak's step each time.

    Polyak's step is the least one that would bring a linear loss to zero. Raises ValueError if it never gets there.
    Source: Polyak (1969), https://doi.org/10.1016/0041-5553(69)90061-5.
    """
    for _ in range(MAX_DESCENT_STEPS):
        value, slope = forward_with_gradient(loss, x, PerRow())
        if (value <= level).all():
            return x
        squared_norm = slope.flatten(1).square().sum(1).clamp_min(torch.finfo(x.dtype).tiny)
        direction = torch.einsum("n...,n->n...", slope, 1 / squared_norm)  # zero where f is flat
        length = torch.where(value > level, DESCENT_FRACTION * value, 0)
        x = x - torch.einsum("n...,n->n...", direction, length)
    raise ValueError("no such baseline found: f has gone flat; start from another x, or allow a wider gap or near_zero")


def _checked_positive(name: str, value: float) -> float:
    """The value; ValueError if it is not a finite number above 0."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value}; pass a finite number above 0")
    return value


def _checked_dataset(x: Tensor, dataset: Tensor) -> Tensor:
    """The dataset; ValueError if its rows do not have the shape of those of x."""
    if not isinstance(dataset, Tensor) or dataset.shape[1:] != x.shape[1:] or len(dataset) == 0:
        received = tuple(dataset.shape) if isinstance(dataset, Tensor) else type(dataset).__name__
        features = ", ".join(str(length) for length in x.shape[1:])
        raise ValueError(f"dataset is {received}; for this x pass a tensor (N, {features})")
    return dataset
