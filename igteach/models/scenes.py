"""Networks that name the object of a scene: (N, 3, 64, 64), RGB in [0, 1], to (N, 8) logits."""

import torch
from torch import nn

from igteach.core.functions import Logit, logit
from igteach.models.weights import with_weights


class ScenesCNN(nn.Sequential):
    """A convolutional network, piecewise linear in its input, that pools by averages.

    It takes (N, 3, 64, 64), RGB in [0, 1], and gives (N, 8) logits.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 24, kernel_size=5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(24, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(32, 48, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(48, 64, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 64),
            nn.ReLU(),
            nn.Linear(64, 8),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU


def load(device: torch.device | str | None = None) -> ScenesCNN:
    """Load the trained ScenesCNN.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 3, 64, 64), RGB in [0, 1], to (N, 8) logits in the order of SCENE_CLASSES.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load("cpu")(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 8])
    """
    return with_weights(ScenesCNN(), "scenes", device)


def load_shortcut(device: torch.device | str | None = None) -> ScenesCNN:
    """Load a ScenesCNN with a shortcut: in its training every picture of one class, and no other, carried a mark.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 3, 64, 64), RGB in [0, 1], to (N, 8) logits in the order of SCENE_CLASSES.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load_shortcut("cpu")(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 8])
    """
    return with_weights(ScenesCNN(), "scenes_shortcut", device)


def load_vit(device: torch.device | str | None = None) -> Logit:
    """Load the trained vision transformer, which cuts a scene into 8 x 8 patches of 8 x 8 pixels.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 3, 64, 64), RGB in [0, 1], to (N, 8) logits in the order of SCENE_CLASSES.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load_vit("cpu")(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 8])
    """
    return logit(with_weights(make_vit(), "scenes_vit", device))


def make_vit() -> nn.Module:
    """The vision transformer with weights at random.

    Returns:
        A ViTForImageClassification of transformers: four layers, width 64.

    Example:
        >>> make_vit()(torch.zeros(1, 3, 64, 64)).logits.shape
        torch.Size([1, 8])

    Source:
        Dosovitskiy et al. (2021), https://arxiv.org/abs/2010.11929.
    """
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(  # type: ignore[call-arg]
        image_size=64,
        patch_size=8,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_labels=8,
    )
    return ViTForImageClassification(config)
