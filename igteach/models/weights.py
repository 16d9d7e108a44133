"""Weights that are shipped in `data/`, or released by others: found, verified by SHA-256, and only then parsed."""

import http.client
import io
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.datasets.shipped import load_state, safetensors_torch, sha256_of

PATIENCE = 5.0  # seconds without a sign of life from a server
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Release:
    """A file that others publish: its name, its SHA-256 (or the start of it, if no more is published), its address."""

    file: str
    sha256: str
    url: str | None = None


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
    """Released weights are not on this machine and cannot be downloaded; says in two lines why, and what to do."""


def with_weights(network: Network, name: str, device: torch.device | str | None = None) -> Network:
    """The network with the shipped weights NAME, in eval mode, on `device` (`igteach.device()` where None).

    Raises what `load_state` raises, and RuntimeError where the weights are another network's.
    """
    network.load_state_dict(load_state(name))
    return network.to(default_device() if device is None else device).eval()


def load_release(name: str, path: str | Path | None = None) -> dict[str, Tensor]:
    """The tensors of released weights, on the CPU, from the first of these places that has them:

    `path`, and no other where it is given; the folder `IGTEACH_MODELS`; the folder `checkpoints` of `torch.hub`, which
    torchvision fills too (see `torch.hub.get_dir`); the official address, whose file is kept in that folder.

    Raises WeightsUnavailable where none has them; FileNotFoundError where path is no file; ValueError for an unknown
    name, and for a file other than those in RELEASES, which is not opened. A damaged download is downloaded anew.
    """
    if name not in RELEASES:
        raise ValueError(f"name is {name!r}; released weights are known for {', '.join(RELEASES)}")
    known = RELEASES[name]
    if path is not None:
        return _load_known(Path(path), known)
    folder = os.environ.get("IGTEACH_MODELS")
    for release in known if folder else ():
        if Path(str(folder), release.file).is_file():
            return _load_known(Path(str(folder), release.file), known)
    official = next(release for release in known if release.url)
    cached = Path(torch.hub.get_dir(), "checkpoints", official.file)
    if not cached.is_file() or not sha256_of(cached.read_bytes()).startswith(official.sha256):
        _download(official, cached)
    return _load_known(cached, known)


def _load_known(path: Path, known: tuple[Release, ...]) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"path is {path}, which is no file; leave path out to look in the usual places")
    content = path.read_bytes()
    found = sha256_of(content)
    release = next((release for release in known if found.startswith(release.sha256)), None)
    if release is None:
        raise ValueError(
            f"{path} has SHA-256 {found}, not {' or '.join(release.sha256 for release in known)}: the file is damaged "
            "or another one, and was not opened; copy it anew, or remove it"
        )
    if release.file.endswith(".safetensors"):
        return safetensors_torch().load(content)
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _download(release: Release, path: Path) -> None:
    """Puts the file at `path`, whole and verified, or raises WeightsUnavailable and changes nothing."""
    state = "damaged" if path.is_file() else "missing"
    print(f"{path} is {state}: downloading {release.url}", file=sys.stderr)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)  # torch.hub would wait for ever
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(str(release.url), str(path), release.sha256)
    except (OSError, http.client.HTTPException, RuntimeError) as error:
        raise WeightsUnavailable(
            f"The folder IGTEACH_MODELS ({os.environ.get('IGTEACH_MODELS') or 'not set'}) has no weights, {path} is "
            f"{state}, and {release.url} cannot be had: {' '.join(str(error).split()) or type(error).__name__}\n"
            f"Connect to the network once, or put {release.file} from there into a folder and set IGTEACH_MODELS to it."
        ) from None
    finally:
        socket.setdefaulttimeout(before)
