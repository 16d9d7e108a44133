"""An autoencoder of handwritten digits: (N, 1, 8, 8) with ink in [0, 1] to eight numbers a digit, and back."""

import torch
from torch import Tensor, nn

from igteach.models.weights import with_weights


class DigitsAutoencoder(nn.Module):
    """Two small networks: `encode` a picture into a code, `decode` a code into a picture."""

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
        return self.decode(self.encode(x))


def load(device: torch.device | str | None = None) -> DigitsAutoencoder:
    """The trained DigitsAutoencoder, in eval mode, on `device` (`igteach.device()` where None); as `load_state`."""
    return with_weights(DigitsAutoencoder(), "autoencoder", device)
