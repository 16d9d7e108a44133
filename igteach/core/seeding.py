"""The random state of the process, seeded for code that draws from it, by one thread at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_TURN = threading.Lock()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Within this context PyTorch and NumPy draw what the seed decides; afterwards their states are as they were.

    Other threads wait for their turn.

    Args:
        seed: Of both.
        device: Where PyTorch draws, beside the CPU.
    """
    with _TURN, torch.random.fork_rng([device] if device.type == "cuda" else []):
        numpy_state = np.random.get_state()
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
