"""Where the lessons compute."""

import os

import torch


def device() -> torch.device:
    """The device for models and inputs: `IGTEACH_DEVICE` if set, else CUDA, else MPS, else the CPU.

    Raises ValueError where `IGTEACH_DEVICE` names a device that PyTorch does not know or have.
    """
    wanted = os.environ.get("IGTEACH_DEVICE")
    if wanted:
        try:
            chosen = torch.device(wanted)
            torch.empty(0, device=chosen)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"IGTEACH_DEVICE is {wanted!r}, which cannot be used here ({error}); "
                "unset it, or set it to 'cpu', 'cuda' or 'mps'"
            ) from None
        return chosen
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
