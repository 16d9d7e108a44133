"""Short hashes that tell tensors and models apart."""

import hashlib
import re

import torch
from torch import Tensor, nn

DIGITS = 16  # hexadecimal


def of_tensor(tensor: Tensor) -> str:
    """Dtype, shape and hash of a tensor, whatever its device.

    Args:
        tensor: any.

    Returns:
        Such as "torch.float32 (1, 2) 58c1...".

    Example:
        >>> of_tensor(torch.ones(2)) == of_tensor(torch.ones(2)), of_tensor(torch.ones(2)) == of_tensor(torch.zeros(2))
        (True, False)
    """
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{tensor.dtype} {tuple(tensor.shape)} {hashlib.sha256(content).hexdigest()[:DIGITS]}"


def of_model(model: nn.Module) -> str:
    """Hash of a model: of its layers as they print, and of every parameter and buffer.

    Args:
        model: any.

    Returns:
        Hexadecimal digits.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> of_model(layer) == of_model(layer)
        True
    """
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(model)).encode())
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        digest.update(f"{name} {of_tensor(tensor)}".encode())
    return digest.hexdigest()[:DIGITS]
