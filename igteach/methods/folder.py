"""Attributions of a folder of pictures, by as many processes as there are, on one machine or many that share it.

    torchrun --nproc-per-node 2 -m igteach.methods.folder PICTURES RESULTS

Each process takes every N-th picture and attributes it alone, so that no result depends on N. A result has its name
only when it is whole, and a run does what the runs before it left: start it again after an interruption.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from igteach.core.functions import probability
from igteach.datasets.photographs import open_picture
from igteach.methods.integrated_gradients import integrated_gradients


def attribute_folder(
    pictures: Path, results: Path, model: nn.Module, preprocess: Callable[[Any], Tensor], **options: Any
) -> dict[str, str]:
    """Writes NAME.npz for each picture: values, target (the likeliest class), residual, error_estimate.

    model maps (N, *features) to (N, classes) logits; preprocess a PIL picture to (*features); options are those of
    integrated_gradients. Between dist.init_process_group and its end, if there is more than one process.
    Returns the pictures that cannot be read and why, which results/broken.txt lists: all in the first process.
    """
    rank, count = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    names = sorted(path.name for path in pictures.iterdir() if path.is_file() and not path.name.startswith("."))
    results.mkdir(parents=True, exist_ok=True)
    where, broken = next(model.parameters()).device, dict[str, str]()
    for name in _counted(names[rank::count], rank):
        if (results / f"{name}.npz").exists():
            continue
        try:
            x = preprocess(open_picture(pictures / name))[None].to(where)
        except (ValueError, OSError) as error:
            broken[name] = str(error)
            continue
        with torch.no_grad():
            target = model(x).argmax(1)
        answer = integrated_gradients(probability(model), x, target=target, **options)
        kept = {"values": answer.values, "target": target, "residual": answer.residual}
        _write(results / f"{name}.npz", kept | {"error_estimate": answer.error_estimate})
    everyone = [broken]
    if count > 1:
        everyone = [{} for _ in range(count)]
        dist.all_gather_object(everyone, broken)  # also waits for all
    found = {name: why for some in everyone for name, why in sorted(some.items())}
    if rank == 0:
        (results / "broken.txt").write_text("".join(f"{name}: {found[name]}\n" for name in sorted(found)))
    return found


def _write(path: Path, tensors: dict[str, Tensor | None]) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        arrays: dict[str, Any] = {name: part[0].cpu().numpy() for name, part in tensors.items() if part is not None}
        np.savez(file, **arrays)
    unfinished.replace(path)


def _counted(names: list[str], rank: int) -> Any:
    from tqdm import tqdm

    return tqdm(names, desc="pictures of the first process", disable=rank > 0)


def main() -> None:
    """SqueezeNet on IGTEACH_DEVICE, or on a GPU for each process, or on the CPU."""
    from igteach.core.devices import device
    from igteach.models import imagenet

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--steps", type=int, default=64)
    options = parser.parse_args()
    place = device()
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(place)
    if "RANK" in os.environ:  # as torchrun sets it
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    model = imagenet.load(device=place)
    found = attribute_folder(options.pictures, options.results, model, imagenet.preprocess, steps=options.steps)
    if int(os.environ.get("RANK", 0)) == 0:
        print(f"{len(found)} pictures cannot be read" + "".join(f"\n  {name}: {why}" for name, why in found.items()))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
