"""Where the lessons compute, and how exactly."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Within this context, convolutions on NVIDIA's cards use full float32.

    TensorFloat-32, PyTorch's default for them, has 10 bits of mantissa, which is too few for sums that cancel.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def device() -> torch.device:
    """The device for models and inputs: `IGTEACH_DEVICE` if set, else CUDA, else MPS, else the CPU.

    Turns TensorFloat-32 off for convolutions, so that a lesson prints on a CUDA card what it prints elsewhere.

    Returns:
        A torch.device.

    Raises:
        ValueError: `IGTEACH_DEVICE` names a device that PyTorch does not know or have.

    Example:
        >>> import igteach
        >>> igteach.device().type in ("cpu", "cuda", "mps")
        True
    """
    name = os.environ.get("IGTEACH_DEVICE") or _fastest()
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(f"IGTEACH_DEVICE is {name!r}, of no use here ({why}); unset it, or say 'cpu'") from None
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def _fastest() -> str:
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"
