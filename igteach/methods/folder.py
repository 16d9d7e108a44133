"""Attributions of a folder of pictures, by any number of processes, on one machine or on several that share it.

    torchrun --nproc-per-node 2 -m igteach.methods.folder PICTURES RESULTS

Each of N processes takes every N-th picture and attributes it alone, so that no result depends on N. Each result gets
its final name only when it is complete, and a run does what earlier runs left undone: after an interruption, start it
again. The folder of results has a file `settings.json`, which says by what model and options they were made; a run by
others is refused.
"""

import argparse
import glob
import inspect
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.core.fingerprint import of_model, of_tensor
from igteach.core.functions import Logit, logit, probability
from igteach.datasets.photographs import open_picture
from igteach.lessons.files import in_one_sentence, make_folder, write_atomically
from igteach.methods.integrated_gradients import integrated_gradients

SETTINGS = "settings.json"
CHANGES_NO_RESULT = {"batch_size", "progress"}  # options that say how, not what


def attribute_folder(
    pictures: str | Path,
    results: str | Path,
    model: nn.Module,
    preprocess: Callable[[Any], Tensor],
    *,
    target: int | None = None,
    **options: Any,
) -> dict[str, str]:
    """Attribute each picture of a folder and write NAME.npz for it.

    A result holds values, target (the class), residual and error_estimate, and input, a hash of what the model was
    given. One that exists is not computed again. results/settings.json says by what model and options the results were
    made, and results/broken.txt lists the pictures without a result. To use several processes, call this in each of
    them between `dist.init_process_group` and `dist.destroy_process_group`.

    Args:
        pictures: the folder with the pictures; hidden files and folders in it are left out.
        results: the folder for the results, which is made if it is missing.
        model: maps (N, *features) to (N, classes) logits, as a tensor or as `.logits`; its probability is explained. To
            explain its output as it is, pass `igteach.logit(model)`.
        preprocess: makes of a PIL picture what the model takes, (*features).
        target: the class to explain in every picture; None is each picture's most probable one.
        **options: those of `igteach.integrated_gradients`.

    Returns:
        The reason for each picture that has no result, by its name; the same in every process. It cannot be read, or
        the result of that name is of another picture or preprocess, and was kept.

    Raises:
        OSError: if there is no such folder, or the results cannot be written.
        TypeError: if an argument is of the wrong kind, as in `igteach.integrated_gradients`.
        ValueError: if there is no picture, if the folder holds results of another model or of other options, or as in
            `igteach.integrated_gradients`.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import torch
        >>> from PIL import Image
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
        >>> def preprocess(picture):
        ...     return torch.tensor(list(picture.tobytes())) / 255
        >>> with TemporaryDirectory() as folder:
        ...     Image.new("RGB", (2, 2)).save(Path(folder, "black.png"))
        ...     found = attribute_folder(folder, Path(folder, "results"), model, preprocess)
        ...     found, sorted(path.name for path in Path(folder, "results").iterdir())
        ({}, ['black.png.npz', 'broken.txt', 'settings.json'])
    """
    pictures, results = Path(pictures), Path(results)
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}; pass a torch.nn.Module")
    names = _names_in(pictures)
    if results.resolve() == pictures.resolve():
        raise ValueError(f"results is {str(results)!r}, the folder of the pictures; pass another folder")
    f = model if isinstance(model, Logit) else probability(model)
    settings = _settings(f, target, options)
    make_folder(results)
    _check_settings(results, settings)
    rank, num_processes = 0, 1
    if dist.is_initialized():
        rank, num_processes = dist.get_rank(), dist.get_world_size()
    broken: dict[str, str] = {}
    for name in _with_progress_bar(names[rank::num_processes], rank):
        try:
            x = _model_input(pictures / name, preprocess)
        except (ValueError, OSError) as error:
            broken[name] = str(error)
            continue
        result, fingerprint = results / f"{name}.npz", of_tensor(x)
        if result.exists():
            if _stored_input(result) != fingerprint:
                broken[name] = f"{result.name} is of another picture or preprocess; move it away, or choose new results"
            continue
        try:
            found = _attribute(f, x, target, options)
        except Exception as error:
            error.add_note(f"The picture is {str(pictures / name)!r}.")
            raise
        _claim(results, settings)
        _write(result, {**found, "input": np.array(fingerprint)})
    reasons = _of_all_processes(broken, num_processes)
    if rank == 0:
        lines = [f"{name}: {reasons[name]}\n" for name in sorted(reasons)]
        (results / "broken.txt").write_text("".join(lines), encoding="utf-8")
    return reasons


def _names_in(pictures: Path) -> list[str]:
    """The names of what may be pictures, sorted; OSError or ValueError if there are none."""
    if not pictures.exists():
        raise FileNotFoundError(f"pictures is {str(pictures)!r}, and there is no such folder")
    if not pictures.is_dir():
        raise NotADirectoryError(f"pictures is {str(pictures)!r}, a file; pass the folder that it is in")
    names = sorted(path.name for path in pictures.iterdir() if not path.is_dir() and not path.name.startswith("."))
    if not names:
        raise ValueError(f"pictures is {str(pictures)!r}, which holds no files; folders in it are not searched")
    return names


def _model_input(path: Path, preprocess: Callable[[Any], Tensor]) -> Tensor:
    """What the model takes for a picture: (1, *features), on the CPU or wherever preprocess puts it."""
    if path.exists() and not path.is_file():  # a pipe, which would be waited for
        raise ValueError(f"{path.name} is not a file")
    x = preprocess(open_picture(path))
    if not isinstance(x, Tensor):
        raise TypeError(f"preprocess gave {type(x).__name__}; it must give a tensor (*features)")
    return x[None]


def _settings(f: Logit, target: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the results depend on beside the pictures, in the types of JSON."""
    call = inspect.signature(integrated_gradients).bind(f, None, target=target, **options)
    call.apply_defaults()
    settings = {"F": type(f).__name__.lower(), "model": f"{type(f.model).__name__} {of_model(f)}"}
    for name, value in {"output": f.output, **call.arguments}.items():
        if name not in {"f", "x", *CHANGES_NO_RESULT}:
            settings[name] = _in_json(name, value)
    return settings


def _in_json(name: str, value: Any) -> Any:
    """An option in the types of JSON, a tensor as its fingerprint."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor | np.ndarray):
        return of_tensor(torch.as_tensor(value))
    if isinstance(value, tuple | list):
        return [_in_json(name, each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _in_json(name, each) for key, each in value.items()}
    raise TypeError(f"{name} is {type(value).__name__}, which cannot be recorded; pass numbers, strings or tensors")


def _check_settings(results: Path, settings: dict[str, Any]) -> None:
    """Raises ValueError if the folder holds results that were made otherwise, or nobody knows how."""
    path = results / SETTINGS
    if not path.exists():
        if any(results.glob("*.npz")):
            raise ValueError(
                f"results is {str(results)!r}, which holds results without {SETTINGS}; pass another folder"
            )
        return
    try:
        recorded = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise ValueError(
            f"{str(path)!r} is damaged, so nobody knows how the results were made; pass another folder as results"
        ) from None
    differing = [name for name in {**recorded, **settings} if recorded.get(name) != settings.get(name)]
    if differing:
        theirs, mine = (", ".join(f"{name}={each.get(name)!r}" for name in differing) for each in (recorded, settings))
        raise ValueError(
            f"results is {str(results)!r}, which holds results with {theirs}, not with {mine}; pass another folder, or "
            "the same model and options again"
        )


def _claim(results: Path, settings: dict[str, Any]) -> None:
    """Record the settings with the first result; ValueError if another run was faster and has others."""
    if not (results / SETTINGS).exists():
        with suppress(FileExistsError):
            write_atomically(results / SETTINGS, json.dumps(settings, indent=1) + "\n", replace=False)
    _check_settings(results, settings)


def _attribute(f: Logit, x: Tensor, target: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """What is stored of the attribution of x (1, *features)."""
    parameter = next(f.parameters(), x)
    x = x.to(parameter.device)
    chosen: Any = target
    if target is None:
        with torch.no_grad():
            out = logit(f.model, f.output)(x)
        chosen = out.argmax(1) if out.dim() > 1 else None
    answer = integrated_gradients(f, x, target=chosen, **options)
    stored = {
        "values": answer.values,
        "target": chosen,
        "residual": answer.residual,
        "error_estimate": answer.error_estimate,
    }
    return {name: _first(value) for name, value in stored.items() if value is not None}


def _first(value: Tensor | int) -> np.ndarray:
    """The entry of the only example."""
    return value[0].cpu().numpy() if isinstance(value, Tensor) else np.array(value)


def _stored_input(result: Path) -> str | None:
    """The fingerprint of what the model was given for a result, or None if it cannot be read."""
    try:
        with np.load(result) as stored:
            return str(stored["input"])
    except (ValueError, OSError, KeyError, EOFError, BadZipFile):
        return None


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a result completely or not at all; what a killed run left of it goes."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    try:
        write_atomically(path, file.getvalue(), replace=False)
    except OSError:
        if not path.exists():  # as it does where another run was faster, with the same settings
            raise
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            unfinished.unlink()


def _of_all_processes(broken: dict[str, str], num_processes: int) -> dict[str, str]:
    """The reasons of every process, in each of them. Waits for all."""
    gathered = [broken]
    if num_processes > 1:
        gathered = [{} for _ in range(num_processes)]
        dist.all_gather_object(gathered, broken)
    reasons: dict[str, str] = {}
    for reasons_of_one in gathered:
        reasons.update(sorted(reasons_of_one.items()))
    return reasons


def _with_progress_bar(names: list[str], rank: int) -> Iterable[str]:
    """The names, with a bar in the first process."""
    from tqdm import tqdm

    bar: Iterable[str] = tqdm(names, desc="pictures of the first process", disable=rank > 0)
    return bar


def main() -> None:
    """Attribute a folder with EfficientNet-Lite0, on IGTEACH_DEVICE, or on a GPU for each process, or on the CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--steps", type=int, default=64)
    options = parser.parse_args()
    try:
        _names_in(options.pictures)  # before a model is loaded
        _run(options.pictures, options.results, options.steps)
    except OSError as error:
        sys.exit(f"folder: {in_one_sentence(error)}")
    except (TypeError, ValueError) as error:
        sys.exit("folder: " + " ".join([str(error), *getattr(error, "__notes__", [])]))


def _run(pictures: Path, results: Path, steps: int) -> None:
    """Attribute the pictures with EfficientNet-Lite0, and say which have no result."""
    from igteach.models import imagenet

    device = _device_of_process()
    if "RANK" in os.environ:  # as torchrun sets it
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    model = imagenet.load(device=device)
    broken = attribute_folder(pictures, results, model, imagenet.preprocess, steps=steps)
    if int(os.environ.get("RANK", 0)) == 0:
        print(f"{len(broken)} pictures have no result")
        for name, reason in broken.items():
            print(f"  {name}: {reason}")
    if dist.is_initialized():
        dist.destroy_process_group()


def _device_of_process() -> torch.device:
    """The device for the lessons; if it is CUDA, the GPU of this process."""
    device = default_device()
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    return device


if __name__ == "__main__":
    main()
