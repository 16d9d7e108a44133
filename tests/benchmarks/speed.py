"""How many gradients, how much time and how much memory Integrated Gradients takes here, beside Captum's.

    python tests/benchmarks/speed.py [--quick] [--examples 24] [--parts MiniLM ...] [--repeats 7] [--out FOLDER]

An error is an L1 distance from the truth, relative to its L1 norm; the truth is a refined answer whose error estimate
is TRUTH, or what COSTLY says. Times are compared in rounds: all ways in turn, on one example after the other; of the
ratios of the rounds the median counts, beside their quartiles. Runs on `igteach.device()`, and writes to FOLDER, which
is docs/benchmarks: DEVICE.json, DEVICE.png, and README.md with the tables of all the JSON that lies there. A part is a
network, `growth` or `folder`; a run of some parts leaves what is known of the others as it is.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from examples import DEVICE, FAMILIES, Case
from report import error_plot, goals_of, page
from torch import Tensor, nn
from ways import bare, captum, clock, interleaved, ours, ratio, relative_l1, remembering, score

import igteach
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph
from igteach.models.weights import WeightsUnavailable

QUALITY, TRUTH = 0.05, 0.005
STEPS = 50  # Captum's default
GRADIENTS = (5, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257)
COSTLY = {  # fewer numbers of gradients are tried there, up to so many; and the error estimate of the truth
    "EfficientNet-Lite0": (129, 2 * TRUTH),
    "MiniLM": (257, TRUTH),
    "random ViT": (129, TRUTH),
    "SmolLM2": (257, TRUTH),
}
BATCHES = (1, 4, 16, 50)
PARTS = [*FAMILIES, "growth", "folder"]


def errors_of(case: Case, gradients: Iterable[int], truth: float) -> dict[str, list[float]]:
    """The error of each rule, by the gradients spent, beside a refined answer whose error estimate is `truth`."""
    true = ours(case, tolerance=truth, max_evaluations=4096)
    rules: dict[str, Any] = {
        "ours": lambda n: {"tolerance": 1e-9, "max_evaluations": n},
        "Gauss-Legendre": lambda n: {"steps": n, "rule": "gauss_legendre"},
        "equal steps": lambda n: {"steps": n},
    }
    return {name: [relative_l1(ours(case, **options(n)), true) for n in gradients] for name, options in rules.items()}


def needed(gradients: list[int], errors: list[float]) -> float:
    """The gradients from which on the error stays below QUALITY, read off between two of those that were tried."""
    above = [i for i, error in enumerate(errors) if error > QUALITY]
    if not above:
        return gradients[0]
    last = above[-1]
    if last == len(errors) - 1:
        return math.inf
    (a, b), (high, low) = gradients[last : last + 2], errors[last : last + 2]
    low = max(low, 1e-9)  # the truth itself has none
    return a * (b / a) ** (math.log(high / QUALITY) / math.log(high / low))


def accuracy(cases: Iterable[Case], gradients: list[int], truth: float) -> dict[str, Any]:
    """The errors of each rule (90th percentile over the examples), and the gradients that each needs for QUALITY."""
    found = [errors_of(case, gradients, truth) for case in cases]
    errors, enough = {}, {}
    for rule in found[0]:
        columns = zip(*(each[rule] for each in found), strict=True)
        errors[rule] = [percentile(column) for column in columns]
        count = percentile([needed(gradients, each[rule]) for each in found])
        enough[rule] = count if math.isfinite(count) else None
    return {"gradients": gradients, "errors": errors, "needed": enough}


def percentile(numbers: Iterable[float]) -> float:
    """The 90th, which is one of the numbers."""
    ordered = sorted(numbers)
    return ordered[math.ceil(0.9 * len(ordered)) - 1]


def best_batch(way: Any, cases: list[Case], rounds: int) -> int:
    """The batch in which it takes least."""
    times = interleaved({str(batch): partial(way, batch=batch) for batch in BATCHES}, cases, rounds)
    return int(min(times, key=lambda batch: statistics.median(times[batch])))


def speed(cases: list[Case], enough: dict[str, float | None], repeats: int, quick: bool) -> dict[str, Any]:
    """Seconds of an example in each way, and how they compare."""
    told, theirs = (math.ceil(enough[rule] or GRADIENTS[-1]) for rule in ("ours", "Gauss-Legendre"))
    rounds_of = {case: rows_by_round(case) for case in cases}
    spent = {case: sum(rounds) for case, rounds in rounds_of.items()}
    rounds = 1 if quick else 2
    passes = best_batch(partial(bare, gradients=STEPS), cases, rounds)
    tuned = best_batch(partial(captum, steps=STEPS), cases, rounds)
    times = interleaved(
        {
            "bare": lambda case: bare(case, STEPS, passes),
            "equal": lambda case: ours(case, steps=STEPS),
            "captum": lambda case: captum(case, STEPS, tuned),
            "bare as refined": lambda case: bare(case, spent[case], passes),
            "bare in rounds": lambda case: bare(case, spent[case], rounds_of[case]),
            "refined": ours,
            "told": lambda case: ours(case, tolerance=1e-9, max_evaluations=told),
            "captum default to quality": lambda case: captum(case, theirs),
            "captum tuned to quality": lambda case: captum(case, theirs, tuned),
        },
        cases,
        repeats,
    )
    return {
        "gradients": {"told": told, "refined": statistics.median(spent.values()), "captum": theirs},
        "batches": {"bare": passes, "captum": tuned},
        "seconds": {name: statistics.median(each) for name, each in times.items()},
        "told / captum default": ratio(times, "told", "captum default to quality"),
        "told / captum tuned": ratio(times, "told", "captum tuned to quality"),
        "refined / captum default": ratio(times, "refined", "captum default to quality"),
        "refined / captum tuned": ratio(times, "refined", "captum tuned to quality"),
        "equal / bare": ratio(times, "equal", "bare"),
        "equal / captum": ratio(times, "equal", "captum"),
        "refined / bare": ratio(times, "refined", "bare as refined"),
        "rounds / bare": ratio(times, "bare in rounds", "bare as refined"),
    }


def rows_by_round(case: Case) -> list[int]:
    """The gradients asked for together, one number a batch, by a call with the default tolerance."""
    asked = list[int]()

    def f(points: Tensor) -> Tensor:
        if points.requires_grad:
            asked.append(len(points))
        return score(case, points)

    igteach.integrated_gradients(f, case.x, case.baseline)
    return asked


def hundred(cases: list[Case], repeats: int) -> dict[str, float]:
    """The time of a hundred examples in one call over that of bare passes of all their rows, on a GPU."""
    case = cases[0]
    many = Case(case.f, case.x.expand(100, *case.x.shape[1:]).clone(), case.baseline, case.target)
    steps, batch = 16, 512

    def passes(case: Case) -> None:
        for _ in range(-(-100 * steps // batch)):
            bare(Case(case.f, case.x[:1], case.baseline, case.target), batch, batch)

    times = interleaved({"ours": lambda case: ours(case, steps=steps), "bare": passes}, [many], repeats)
    return ratio(times, "ours", "bare")


def memory(name: str, counts: dict[str, int], tuned: int) -> dict[str, float]:
    """MiB of resident memory at the peak of one answer, beyond the network."""
    ways = {
        "ours": ["ours", counts["told"]],
        "captum default": ["captum", counts["captum"]],
        "captum tuned": ["captum", counts["captum"], tuned],
    }
    script = Path(__file__).with_name("peak_rss.py")
    commands = {way: [sys.executable, str(script), name, *map(str, rest)] for way, rest in ways.items()}
    return {way: float(subprocess.check_output(command, text=True)) for way, command in commands.items()}


def slope(times: dict[int, float]) -> float:
    """Of a line through the points on a log-log plot."""
    x, y = [[math.log(value) for value in values] for values in (times.keys(), times.values())]
    return statistics.linear_regression(x, y).slope


def growth(quick: bool) -> dict[str, float]:
    """How the time grows, as slopes on a log-log plot: for a random CNN, refined to the last gradient."""

    def seconds(gradients: int = 65, examples: int = 4, side: int = 64, classes: int = 10) -> float:
        torch.manual_seed(0)
        convolutions = nn.Conv2d(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU()
        network = nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, classes))
        x = torch.randn(examples, 3, side, side).to(DEVICE)
        case = Case(igteach.logit(network.to(DEVICE)), x, torch.zeros_like(x), 1)
        way = partial(ours, tolerance=1e-9, max_evaluations=gradients)
        return statistics.median(interleaved({"": way}, [case], 1 if quick else 3)[""])

    factors = (1, 2, 4) if quick else (1, 2, 4, 8)
    ways = {"gradients": 33, "examples": 2, "side": 32, "classes": 10}
    return {name: slope({first * k: seconds(**{name: first * k}) for k in factors}) for name, first in ways.items()}


def folder(rounds: int) -> dict[str, float]:
    """The wall clock of a folder of photographs by two processes over that by one, with torchrun."""
    from PIL import Image

    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place, "pictures")
        pictures.mkdir()
        for name in PHOTOGRAPHS[:6]:
            Image.fromarray(load_photograph(name)).save(pictures / f"{name}.png")
        for number in range(rounds):
            for processes, took in seconds.items():
                results = Path(place, f"results {number} {processes}")
                start = time.perf_counter()
                module = ["-m", "igteach.methods.folder", str(pictures), str(results)]
                command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), *module]
                subprocess.run(command, check=True, capture_output=True)
                took.append(time.perf_counter() - start)
    return {"pictures": 6, "one process": statistics.median(seconds[1]), "two processes": statistics.median(seconds[2])}


def machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else DEVICE.type
    found = {"device": name, "cpu": cpu, "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    return found | {"system": platform.system(), "python": platform.python_version(), "torch": torch.__version__}


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All that is measured of a family."""
    cases, start = FAMILIES[name](2 if options.quick else options.examples), clock()
    most, truth = COSTLY.get(name, (GRADIENTS[-1], TRUTH))
    tried = GRADIENTS[1::2] if name in COSTLY or options.quick else GRADIENTS
    numbers = [count for count in tried if count <= most]
    judged = map(remembering, cases) if name in COSTLY else cases
    found = {"examples": len(cases), "rounds": options.repeats}
    found |= accuracy(judged, numbers, 4 * TRUTH if options.quick else truth)
    found["speed"] = speed(cases, found["needed"], options.repeats, options.quick)
    found["MiB"] = memory(name, found["speed"]["gradients"], found["speed"]["batches"]["captum"])
    if DEVICE.type == "cuda":
        found["hundred / bare"] = hundred(cases, options.repeats)
    print(f"{name}: {clock() - start:.0f} s", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two small networks, a few examples: does it run?")
    parser.add_argument("--examples", type=int, default=24)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    if options.quick:
        options.repeats, options.parts = 2, ["digits CNN", "scenes CNN", "growth"]
    options.out.mkdir(parents=True, exist_ok=True)
    about = machine()
    file = options.out / f"{about['device'].lower().replace(' ', '-')}.json"
    report = json.loads(file.read_text()) if file.exists() else {"families": {}}
    report["machine"] = about
    for name in [each for each in FAMILIES if each in options.parts]:
        try:
            report["families"][name] = measure(name, options)
        except WeightsUnavailable as error:
            print(f"{name} is left out: {error}")
            continue
        for goal in goals_of(name, report["families"][name]):
            print(goal.line(), flush=True)
        file.write_text(json.dumps(report, indent=1) + "\n")
    if "growth" in options.parts:
        report["growth"] = growth(options.quick)
    if "folder" in options.parts:
        report["folder"] = folder(3)
    file.write_text(json.dumps(report, indent=1) + "\n")
    error_plot(report["families"]).save(file.with_suffix(".png"))
    (options.out / "README.md").write_text(page(options.out))


if __name__ == "__main__":
    main()
