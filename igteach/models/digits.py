"""Networks that read a handwritten digit: (N, 1, 8, 8) with ink in [0, 1] to (N, 10) logits."""

import torch
from torch import nn

from igteach.models.weights import with_weights


class DigitsCNN(nn.Sequential):
    """A small convolutional network, piecewise linear in its input.

    It takes (N, 1, 8, 8) and gives (N, 10) logits. It pools by averages: a maximum over equal pixels, as in a black
    corner, has no well-defined gradient.
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
    """Two layers of tanh units, which saturate: far from 0 their output hardly changes with their input.

    It takes (N, 1, 8, 8) and gives (N, 10) logits.
    """

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
    """Load the trained DigitsCNN.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 1, 8, 8) with ink in [0, 1] to (N, 10) logits.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load("cpu")(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 10])
    """
    return with_weights(DigitsCNN(), "digits", device)


def load_plain(device: torch.device | str | None = None) -> DigitsMLP:
    """Load a DigitsMLP that was trained as usual, the plain one of the pair in the lesson on saturation.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 1, 8, 8) with ink in [0, 1] to (N, 10) logits.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load_plain("cpu")(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 10])
    """
    return with_weights(DigitsMLP(), "saturation_plain", device)


def load_flat(device: torch.device | str | None = None) -> DigitsMLP:
    """Load a DigitsMLP as accurate and as confident as the plain one, but with almost no gradient at a digit.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 1, 8, 8) with ink in [0, 1] to (N, 10) logits.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load_flat("cpu")(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 10])
    """
    return with_weights(DigitsMLP(), "saturation_flat", device)
