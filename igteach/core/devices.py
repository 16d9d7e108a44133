"""Where the lessons compute, and how exactly."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class _Hold(ABC):
    """A setting of the whole process, held while any thread needs it so, and then put back as it was."""

    def __init__(self) -> None:
        self.lock, self.holders, self.before = threading.Lock(), 0, None

    @abstractmethod
    def take(self) -> Any:
        """Set what is needed; what `put_back` needs to undo it."""

    @abstractmethod
    def put_back(self, before: Any) -> None:
        """Undo what `take` did."""

    @contextmanager
    def held(self) -> Iterator[None]:
        with self.lock:
            if not self.holders:
                self.before = self.take()
            self.holders += 1
        try:
            yield
        finally:
            with self.lock:
                self.holders -= 1
                if not self.holders:
                    self.put_back(self.before)


class _FullPrecision(_Hold):
    """TensorFloat-32 has two switches: an old one for all of cuDNN, which cannot be read once the newer ones differ."""

    def take(self) -> Any:
        newer = [getattr(torch.backends.cudnn, kind) for kind in ("conv", "rnn") if hasattr(torch.backends.cudnn, kind)]
        before = [(switch, switch.fp32_precision) for switch in newer]
        try:
            old: bool | None = torch.backends.cudnn.allow_tf32
        except RuntimeError:
            old = None
        if old is not None:
            torch.backends.cudnn.allow_tf32 = False
        for switch in newer:
            switch.fp32_precision = "ieee"
        return old, before

    def put_back(self, before: Any) -> None:
        old, newer = before
        if old is not None:
            torch.backends.cudnn.allow_tf32 = old
        for switch, precision in newer:
            switch.fp32_precision = precision


class _WithoutCudnn(_Hold):
    def take(self) -> bool:
        before: bool = torch.backends.cudnn.enabled
        torch.backends.cudnn.enabled = False
        return before

    def put_back(self, before: bool) -> None:
        torch.backends.cudnn.enabled = before


_full_precision, _without_cudnn = _FullPrecision(), _WithoutCudnn()


@contextmanager
def full_precision() -> Iterator[None]:
    """Within this context, in every thread, convolutions and recurrent layers on NVIDIA's cards use full float32.

    TensorFloat-32, PyTorch's default for them, has 10 bits of mantissa, which is too few for sums that cancel.
    """
    with _full_precision.held():
        yield


@contextmanager
def without_cudnn() -> Iterator[None]:
    """Within this context, in every thread, PyTorch does without cuDNN, which has no backward of some layers."""
    with _without_cudnn.held():
        yield


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
