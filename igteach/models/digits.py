"""Networks that read a handwritten digit: (N, 1, 8, 8) with ink in [0, 1] to (N, 10) logits."""

import torch
from torch import nn

from igteach.models.weights import with_weights


class DigitsCNN(nn.Sequential):
    """A small convolutional network, piecewise linear in its input.

    It pools by averages: a maximum over equal pixels, as in a black corner, has no gradient to speak of.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 10),
        )


class DigitsMLP(nn.Sequential):
    """Two layers of tanh units, which saturate: far from 0 their output hardly changes with their input."""

    def __init__(self) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(64, 64),
            nn.Tanh(),
            nn.Linear(64, 64),
            nn.Tanh(),
            nn.Linear(64, 10),
        )


def load(device: torch.device | str | None = None) -> DigitsCNN:
    """The trained DigitsCNN, in eval mode, on `device` (`igteach.device()` where None); errors as `load_state`."""
    return with_weights(DigitsCNN(), "digits", device)


def load_plain(device: torch.device | str | None = None) -> DigitsMLP:
    """A DigitsMLP trained as usual; device and errors as for `load`."""
    return with_weights(DigitsMLP(), "saturation_plain", device)


def load_flat(device: torch.device | str | None = None) -> DigitsMLP:
    """A DigitsMLP as accurate and as sure as the plain one, but nearly without gradient at a digit; as for `load`."""
    return with_weights(DigitsMLP(), "saturation_flat", device)
