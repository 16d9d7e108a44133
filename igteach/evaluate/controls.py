"""Controls: maps that know nothing of the model, as methods, to compare every score with."""

import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.per_row import PerRow
from igteach.core.validation import check_arguments, default_batch_size


def random_numbers(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, seed: int = 0
) -> Attribution:
    """Gaussian noise in place of an attribution.

    Args:
        f: maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: checked, as every method takes one, and not used.
        target: an int, (batch,), or None if f gives one number for each row.
        seed: decides the noise, which is drawn on the CPU: the same on every device.

    Returns:
        An Attribution without residual; its values do not depend on f.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import igteach, torch
        >>> f, g = igteach.toy(lambda x, y: x * y), igteach.toy(lambda x, y: x - y)
        >>> x = torch.ones(1, 2)
        >>> torch.equal(random_numbers(f, x).values, random_numbers(g, x).values)
        True
    """
    x, _, per_row = check_arguments(f, x, baseline, target)
    return _control(f, x, per_row, noise_like(x, seed))


def random_gradients(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, seed: int = 0
) -> Attribution:
    """Gaussian noise times (x - baseline): how far the factor x - baseline alone takes a method.

    Args:
        f: maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.
        seed: decides the noise, which is drawn on the CPU: the same on every device.

    Returns:
        An Attribution without residual; of f its values know nothing.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient_times_input`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient_times_input`.

    Example:
        >>> import igteach, torch
        >>> x, baseline = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.0]])
        >>> values = random_gradients(igteach.toy(lambda x, y: x * y), x, baseline).values
        >>> (values == 0).tolist()
        [[True, False]]
    """
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    return _control(f, x, per_row, noise_like(x, seed) * (x - baseline))


def edges(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The magnitude of the change in brightness at each pixel, by the Sobel operator.

    Needs scikit-image: pip install scikit-image.

    Args:
        f: maps (N, channels, height, width) to (N,) or (N, classes).
        x: pictures (batch, channels, height, width), floating point.
        baseline: checked, as every method takes one, and not used.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution without residual. All of a pixel's value is in the first channel; the others are 0.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if x does not hold pictures, or as in `igteach.gradient`.

    Example:
        >>> import torch
        >>> step = torch.zeros(1, 1, 3, 6)
        >>> step[..., 3:] = 1
        >>> values = edges(lambda x: x.sum((1, 2, 3)), step).values
        >>> (values[0, 0, 1] > 0).tolist()
        [False, False, True, True, False, False]

    Source:
        As a control: Adebayo et al. (2018), https://arxiv.org/abs/1810.03292.
    """
    x, _, per_row = check_arguments(f, x, baseline, target)
    if x.dim() != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; edges are for pictures (batch, channels, height, width)")
    from skimage.filters import sobel

    brightness = x.mean(1).cpu().double().numpy()
    values = torch.zeros_like(x)
    for i, picture in enumerate(brightness):
        values[i, 0] = torch.from_numpy(sobel(picture))
    return _control(f, x, per_row, values)


def noise_like(x: Tensor, seed: int) -> Tensor:
    """Gaussian noise, drawn on the CPU: the same on every device.

    Args:
        x: any tensor of floating-point numbers.
        seed: of the random generator.

    Returns:
        Noise in the shape and dtype, and on the device, of x.

    Example:
        >>> import torch
        >>> torch.equal(noise_like(torch.zeros(3), 0), noise_like(torch.ones(3), 0))
        True
    """
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), device="cpu").to(x)


def _control(f: Function, x: Tensor, per_row: PerRow, values: Tensor) -> Attribution:
    """The values as an Attribution, with F(x) but without F(baseline): they promise no completeness."""
    f_input = forward_batched(f, x, per_row, default_batch_size(x, None))
    return Attribution(values, f_input, None, evaluations=0)
