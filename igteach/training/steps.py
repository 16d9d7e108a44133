"""One step of training, as the programs here take it."""

import torch
from torch import Tensor


def take_step(loss: Tensor, optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler) -> None:
    """Move the weights against the gradient of a loss, and the learning rate along its schedule.

    Args:
        loss: one number.
        optimizer: of the weights.
        schedule: of the optimizer's learning rate.
    """
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
