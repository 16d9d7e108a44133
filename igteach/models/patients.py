"""A network that judges a patient: (N, 30) measurements, as they were taken, to (N, 1) log odds of malignant."""

import torch
from torch import Tensor, nn

from igteach.models.weights import with_weights


class PatientsMLP(nn.Sequential):
    """A small network, piecewise linear in its input, with one output: above 0 it says malignant.

    It takes measurements in their own units. What standardises them is folded into its first layer.
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
def fold_standardisation(layer: nn.Linear, mean: Tensor, deviation: Tensor) -> None:
    """Changes a layer that takes (x - mean) / deviation into one that takes x and gives the same."""
    layer.weight.div_(deviation)
    layer.bias.sub_(layer.weight @ mean)


def load(device: torch.device | str | None = None) -> PatientsMLP:
    """The trained PatientsMLP, in eval mode, on `device` (`igteach.device()` where None); errors as `load_state`."""
    return with_weights(PatientsMLP(), "patients", device)
