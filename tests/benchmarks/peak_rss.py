"""Memory that one answer takes, at its peak, in a process of its own: MiB beyond the loaded network.

Resident memory on a CPU, what PyTorch allocates on a GPU.

python tests/benchmarks/peak_rss.py FAMILY ours|captum GRADIENTS [BATCH]
"""

import argparse
import resource
import sys
from pathlib import Path

import torch
from examples import DEVICE, FAMILIES
from ways import captum, ours

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_kib() -> int:
    """The most memory in use so far; on Linux since `main` set it back."""
    if DEVICE.type == "cuda":
        return torch.cuda.max_memory_allocated() // 1024
    if STATUS.exists():
        return int(STATUS.read_text().split("VmHWM:")[1].split()[0])
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest // 1024 if sys.platform == "darwin" else largest


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("way", choices=("ours", "captum"))
    parser.add_argument("gradients", type=int)
    parser.add_argument("batch", type=int, nargs="?")
    options = parser.parse_args()
    torch.set_num_threads(1)
    case = FAMILIES[options.family](1)[0]
    if RESET.exists():
        RESET.write_text("5")
    before = peak_kib()
    if options.way == "ours":
        ours(case, tolerance=1e-9, max_evaluations=options.gradients)
    else:
        captum(case, options.gradients, options.batch)
    print((peak_kib() - before) / 1024)


if __name__ == "__main__":
    main()
