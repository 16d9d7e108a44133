"""A network that judges a patient: (N, 30) measurements in their own units to (N, 1) log odds of malignant."""

import torch
from torch import Tensor, nn

from igteach.models.weights import with_weights


class PatientsMLP(nn.Sequential):
    """A small network, piecewise linear in its input, with one output: above 0 it says malignant.

    It takes (N, 30) measurements in their own units, as their standardisation is folded into its first layer, and
    gives (N, 1) log odds.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Linear(30, 16),
            nn.ReLU(),
            nn.Linear(16, 16),
            nn.ReLU(),
            nn.Linear(16, 1),
        )


@torch.no_grad()
def fold_standardisation(layer: nn.Linear, mean: Tensor, stdev: Tensor) -> None:
    """Change a layer that takes (x - mean) / stdev into one that takes x and gives the same.

    Args:
        layer: changed in place.
        mean: (features,).
        stdev: (features,), not 0.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> before = layer(torch.tensor([[(5.0 - 3.0) / 2.0]]))
        >>> fold_standardisation(layer, mean=torch.tensor([3.0]), stdev=torch.tensor([2.0]))
        >>> torch.allclose(layer(torch.tensor([[5.0]])), before, atol=1e-6)
        True
    """
    layer.weight.div_(stdev)
    layer.bias.sub_(layer.weight @ mean)


def load(device: torch.device | str | None = None) -> PatientsMLP:
    """Load the trained PatientsMLP.

    Args:
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The network, in eval mode: (N, 30) measurements in their own units to (N, 1) log odds of malignant.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> load("cpu")(torch.zeros(1, 30)).shape
        torch.Size([1, 1])
    """
    return with_weights(PatientsMLP(), "patients", device)
