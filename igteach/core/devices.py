"""Where the lessons compute, and how exactly."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Convolutions on NVIDIA's cards in full float32; TensorFloat-32, PyTorch's default, has 10 bits of mantissa."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def device() -> torch.device:
    """The device for models and inputs: `IGTEACH_DEVICE` if set, else CUDA, else MPS, else the CPU.

    Turns TensorFloat-32 off for convolutions, so that a lesson prints on a CUDA card what it prints elsewhere.
    Raises ValueError where `IGTEACH_DEVICE` names a device that PyTorch does not know or have.
    """
    others = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    wanted = os.environ.get("IGTEACH_DEVICE") or others
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(f"IGTEACH_DEVICE is {wanted!r}, of no use here ({why}); unset it, or say 'cpu'") from None
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(wanted)
