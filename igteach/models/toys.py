"""Networks small enough to do by hand: the examples of the axioms."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Formula(nn.Module):
    """F from a function of columns, as one layer: Formula(lambda x, y: x * y) takes (N, 2) and returns (N,)."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(*x.unbind(1))


def network(*weights_and_biases: list) -> nn.Sequential:
    """Linear layers of the weights and biases given, in turn, with a ReLU between any two."""
    layers: list[nn.Module] = []
    for weights, biases in zip(weights_and_biases[::2], weights_and_biases[1::2], strict=True):
        layer = nn.utils.skip_init(nn.Linear, len(weights[0]), len(weights), dtype=torch.float32)  # draws no numbers
        layer.load_state_dict({"weight": torch.tensor(weights), "bias": torch.tensor(biases)})
        layers += [nn.ReLU(), layer]
    return nn.Sequential(*layers[1:]).requires_grad_(False)


IDENTITY = [[1, 0], [0, 1]]
SATURATING = network([[-1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x): at 2 against 0 its gradient is 0
EITHER = network([[-1, -1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x - y): one of the two is enough
MIN_X_FIRST = network([[1, 0], [-1, 0], [1, -1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as x - ReLU(x - y)
MIN_Y_FIRST = network([[0, 1], [0, -1], [-1, 1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as y - ReLU(y - x)
PAPER_F = nn.Sequential(*network(IDENTITY, [0, 0], [[1, -1]], [-1]), nn.ReLU())  # ReLU(ReLU(x) - 1 - ReLU(y))
PAPER_G = nn.Sequential(*network(IDENTITY, [-1, 0], [[1, -1]], [0]), nn.ReLU())  # ReLU(ReLU(x - 1) - ReLU(y))
XY = Formula(lambda x, y: x * y)
XY_PLUS_Z = Formula(lambda x, y, z: x * y + z)
