"""Where the lessons compute."""

import os

import torch


def device() -> torch.device:
    """The device for models and inputs: `IGTEACH_DEVICE` if set, else CUDA, else MPS, else the CPU.

    Raises ValueError where `IGTEACH_DEVICE` names a device that PyTorch does not know or have.
    """
    others = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    wanted = os.environ.get("IGTEACH_DEVICE") or others
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"IGTEACH_DEVICE is {wanted!r}, of no use here ({error}); unset it, or say 'cpu'") from None
    return torch.device(wanted)
