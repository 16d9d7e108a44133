"""Maps that know nothing of the model, as methods: what every score is to be compared with."""

import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, default_batch_size


def random_numbers(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, seed: int = 0
) -> Attribution:
    """Gaussian noise, drawn on the CPU; arguments and errors as of igteach.gradient."""
    x, _, target = check_arguments(f, x, baseline, target)
    return _nothing_known(f, x, target, _noise(x, seed))


def random_gradients(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, seed: int = 0
) -> Attribution:
    """Gaussian noise times (x - baseline): the help that a baseline gives to any slopes; as `random_numbers`."""
    x, baseline, target = check_arguments(f, x, baseline, target)
    return _nothing_known(f, x, target, _noise(x, seed) * (x - baseline))


def edges(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """How much brightness changes at each pixel of x (batch, channels, height, width), by the Sobel operator.

    All of it stands in the first channel. Else as `random_numbers`; ValueError for x of another shape.
    Needs scikit-image: pip install scikit-image. Source: the control of Adebayo et al. (2018).
    """
    x, _, target = check_arguments(f, x, baseline, target)
    if x.dim() != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; edges are for pictures (batch, channels, height, width)")
    from skimage.filters import sobel

    values = torch.zeros_like(x)
    for row, picture in zip(values, x.mean(1).cpu().double().numpy(), strict=True):
        row[0] = torch.from_numpy(sobel(picture))
    return _nothing_known(f, x, target, values)


def _noise(x: Tensor, seed: int) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)


def _nothing_known(f: Function, x: Tensor, target: Tensor | None, values: Tensor) -> Attribution:
    return Attribution(values, forward_batched(f, x, target, default_batch_size(x, None)), None, evaluations=0)
