"""Attributions of a folder of pictures, by any number of processes, on one machine or on several that share it.

    torchrun --nproc-per-node 2 -m igteach.methods.folder PICTURES RESULTS

Each of N processes takes every N-th picture and attributes it alone, so that no result depends on N. Each result gets
its final name only when it is complete, and a run does what earlier runs left undone: after an interruption, start it
again.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from igteach.core.devices import device as default_device
from igteach.core.functions import probability
from igteach.datasets.photographs import open_picture
from igteach.methods.integrated_gradients import integrated_gradients


def attribute_folder(
    pictures: Path, results: Path, model: nn.Module, preprocess: Callable[[Any], Tensor], **options: Any
) -> dict[str, str]:
    """Attribute each picture of a folder, for its most probable class, and write NAME.npz for it.

    A result holds values, target (the class), residual and error_estimate; one that exists is not computed again.
    results/broken.txt lists the pictures that cannot be read. To use several processes, call this in each of them
    between `dist.init_process_group` and `dist.destroy_process_group`.

    Args:
        pictures: the folder with the pictures; hidden files are left out.
        results: the folder for the results, which is made if it is missing.
        model: maps (N, *features) to (N, classes) logits.
        preprocess: makes of a PIL picture what the model takes, (*features).
        **options: those of `igteach.integrated_gradients`.

    Returns:
        The reason for each picture that cannot be read, by its name; the same in every process.

    Raises:
        OSError: if there is no such folder, or the results cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from igteach.models import scenes
        >>> with TemporaryDirectory() as empty:
        ...     attribute_folder(Path(empty), Path(empty, "results"), scenes.load("cpu"), preprocess=None)
        {}
    """
    rank, num_processes = 0, 1
    if dist.is_initialized():
        rank, num_processes = dist.get_rank(), dist.get_world_size()
    names = sorted(path.name for path in pictures.iterdir() if path.is_file() and not path.name.startswith("."))
    results.mkdir(parents=True, exist_ok=True)
    device = next(model.parameters()).device
    broken: dict[str, str] = {}
    for name in _with_progress_bar(names[rank::num_processes], rank):
        result = results / f"{name}.npz"
        if result.exists():
            continue
        try:
            x = preprocess(open_picture(pictures / name))[None].to(device)
        except (ValueError, OSError) as error:
            broken[name] = str(error)
            continue
        _write(result, _attribute(model, x, options))
    reasons = _of_all_processes(broken, num_processes)
    if rank == 0:
        lines = [f"{name}: {reasons[name]}\n" for name in sorted(reasons)]
        (results / "broken.txt").write_text("".join(lines))
    return reasons


def _attribute(model: nn.Module, x: Tensor, options: dict[str, Any]) -> dict[str, Tensor | None]:
    """What is stored of the attribution of x (1, *features), each with a first axis of 1."""
    with torch.no_grad():
        target = model(x).argmax(1)
    answer = integrated_gradients(probability(model), x, target=target, **options)
    return {
        "values": answer.values,
        "target": target,
        "residual": answer.residual,
        "error_estimate": answer.error_estimate,
    }


def _write(path: Path, tensors: dict[str, Tensor | None]) -> None:
    """Write a result completely or not at all."""
    arrays: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if tensor is not None:
            arrays[name] = tensor[0].cpu().numpy()
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)


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
    from igteach.models import imagenet

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--steps", type=int, default=64)
    options = parser.parse_args()
    device = _device_of_process()
    if "RANK" in os.environ:  # as torchrun sets it
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    model = imagenet.load(device=device)
    broken = attribute_folder(options.pictures, options.results, model, imagenet.preprocess, steps=options.steps)
    if int(os.environ.get("RANK", 0)) == 0:
        print(f"{len(broken)} pictures cannot be read")
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
