"""Networks that tell the object of a scene: (N, 3, 64, 64), RGB in [0, 1], to (N, 8) logits."""

import torch
from torch import nn

from igteach.models.weights import with_weights


class ScenesCNN(nn.Sequential):
    """A convolutional network, piecewise linear in its input, that pools by averages."""

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


def load(device: torch.device | str | None = None) -> ScenesCNN:
    """The trained ScenesCNN, in eval mode, on `device` (`igteach.device()` where None); errors as `load_state`."""
    return with_weights(ScenesCNN(), "scenes", device)


def load_shortcut(device: torch.device | str | None = None) -> ScenesCNN:
    """A ScenesCNN that was shown one class with a mark in a corner, always, and no other class; as for `load`."""
    return with_weights(ScenesCNN(), "scenes_shortcut", device)
