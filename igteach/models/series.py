"""A recurrent network that reads a series of numbers, one step after the other."""

from torch import Tensor, nn


class SeriesGRU(nn.Module):
    """A GRU whose state after the last step gives one number: above 0 it says class 1.

    It takes (N, steps, 1) and gives (N,) log odds.

    Args:
        width: of the state.

    Example:
        >>> import torch
        >>> SeriesGRU()(torch.zeros(2, 30, 1)).shape
        torch.Size([2])

    Source:
        Cho et al. (2014), https://arxiv.org/abs/1406.1078.
    """

    def __init__(self, width: int = 16):
        super().__init__()
        self.gru = nn.GRU(1, width, batch_first=True)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, steps, 1) to (N,)."""
        states, _ = self.gru(x)
        logits: Tensor = self.head(states[:, -1])
        return logits[:, 0]
