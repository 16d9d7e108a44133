"""Five photographs and the network that names them; where ImageNet weights are not to be had, scenes and their own."""

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
SCENES_SHOWN = (0, 1, 2, 3, 4)  # of the scenes of seed 0: each of another class


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures by name, and a network that looks at them.

    model     (N, 3, height, width), RGB in [0, 1], to (N, classes) logits
    pictures  name -> (3, height, width), RGB in [0, 1], on the model's device
    labels    of the classes
    prepare   from a PIL image or an array to such a picture, on the CPU
    note      which pictures these are; where they stand in for the photographs, why, and what to do
    """

    model: nn.Module
    pictures: dict[str, Tensor]
    labels: tuple[str, ...]
    prepare: Callable[[Image.Image | np.ndarray], Tensor]
    note: str


class OfPictures(nn.Module):
    """A network behind its normalisation: it takes RGB in [0, 1], so that a baseline of zeros is black."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(imagenet.normalise(x))


def open_gallery(device: torch.device | str | None = None) -> Gallery:
    """The photographs of scikit-image with SqueezeNet or, where its weights cannot be had, scenes with the ScenesCNN.

    On `device` (`igteach.device()` where None). Downloads the weights where they are on no disk. Errors of
    `igteach.models.imagenet.load`, but for WeightsUnavailable, which becomes the note.
    """
    device = default_device() if device is None else device
    try:
        network = imagenet.load(device=device)
    except WeightsUnavailable as reason:
        return _scenes_instead(str(reason), device)
    pictures = {name: _centre(load_photograph(name)).to(device) for name in SHOWN}
    note = "Photographs, and SqueezeNet 1.0, which tells 1,000 things apart."
    return Gallery(OfPictures(network).eval(), pictures, imagenet.class_names(), _centre, note)


def _centre(image: Image.Image | np.ndarray) -> Tensor:
    return imagenet.picture(imagenet.preprocess(image))


def _scenes_instead(reason: str, device: torch.device | str) -> Gallery:
    drawn = make_scenes(max(SCENES_SHOWN) + 1, seed=0)
    pictures = {SCENE_CLASSES[drawn.y[i]]: drawn.x[i].to(device) for i in SCENES_SHOWN}
    note = f"Scenes stand in for the photographs. {reason}"
    return Gallery(scenes.load(device), pictures, SCENE_CLASSES, _small, note)


def _small(image: Image.Image | np.ndarray) -> Tensor:
    from PIL import ImageOps

    pixels = torch.from_numpy(np.array(ImageOps.fit(rgb(image), (64, 64))))
    return pixels.permute(2, 0, 1) / 255
