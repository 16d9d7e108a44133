"""An autoencoder of handwritten digits: (N, 1, 8, 8) with ink in [0, 1] to eight numbers a digit, and back."""

import torch
from torch import Tensor, nn

from igteach.models.weights import with_weights


class DigitsAutoencoder(nn.Module):
    """Two small networks: `encode` turns a picture into a code of eight numbers, `decode` a code into a picture.

    Example:
        >>> network = DigitsAutoencoder()
        >>> network.encode(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 8])
    """

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))
        self.decode = nn.Sequential(
            nn.Linear(8, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 8, 8)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The copy of each picture (N, 1, 8, 8) that its code gives back."""
        return self.decode(self.encode(x))


def load(device: torch.device | str | None = None) -> DigitsAutoencoder:
    """Load the trained DigitsAutoencoder.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load("cpu")(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 1, 8, 8])
    """
    return with_weights(DigitsAutoencoder(), "autoencoder", device)
