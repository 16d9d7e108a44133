"""How fast Integrated Gradients is here, and how much memory it takes, beside Captum's.

    python tests/benchmarks/speed.py [--quick] [--photographs 24] [--dense 2000] [--repeats 7] [--out docs/benchmarks]

Peers: Captum with its defaults (50 Gauss-Legendre steps, all at once), and with its best internal_batch_size. The ways
of one table run in turn in one process, picture by picture; a time is the median. Error: L1, relative to the truth of
`dense` midpoint steps; its 90th percentile over the pictures. F is the probability of the likeliest class.
Writes speed.json with the machine's description, and speed.png.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

import igteach
from igteach.datasets.digits import load_digits
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph, open_picture
from igteach.datasets.scenes import make_scenes
from igteach.models import digits, imagenet, scenes
from igteach.models.weights import WeightsUnavailable
from igteach.show.figures import curves
from igteach.speed.measure import peak_bytes

STEPS = 50  # Captum's default
FEWER = (8, 12, 16, 20, 25, 32, 40, 50, 64, 80)  # steps tried for Captum's quality
BATCHES = (1, 2, 4, 8, 16, 50)
Case = tuple[Tensor, int]  # a picture (1, ...) and its class
Times = dict[str, dict[str, float]]


def photographs(count: int) -> list[Tensor]:
    folder = Path(os.environ.get("IGTEACH_MODELS", "")).parent / "photos"
    files = sorted(folder.glob("*.JPEG"))[:count]
    pictures = [open_picture(file) for file in files] or [load_photograph(name) for name in PHOTOGRAPHS[:count]]
    return [imagenet.preprocess(picture)[None] for picture in pictures]


def models(quick: bool, count: int) -> Iterator[tuple[str, nn.Module, list[Tensor]]]:
    """Name, network, pictures."""
    small = min(count, 4) if quick else count
    yield "digits CNN", digits.load("cpu"), list(load_digits().x_test[:small].split(1))
    yield "scenes CNN", scenes.load("cpu"), list(make_scenes(small, 0).x.split(1))
    if not quick:
        try:
            yield "SqueezeNet", imagenet.load(device="cpu"), photographs(count)
        except WeightsUnavailable as error:
            print(f"SqueezeNet left out: {error}")


def captum(f: nn.Module, case: Case, at_once: int | None = None) -> Tensor:
    return IntegratedGradients(f).attribute(case[0], target=case[1], n_steps=STEPS, internal_batch_size=at_once)


def ours(f: nn.Module, case: Case, steps: int = STEPS, rule: str = "midpoint") -> Tensor:
    return igteach.integrated_gradients(f, case[0], target=case[1], steps=steps, rule=rule).values


def bare(f: nn.Module, case: Case, at_once: int) -> None:
    """The passes that STEPS gradients and F at both ends need, and nothing else."""
    x, target = case
    for alphas in ((torch.arange(STEPS) + 0.5) / STEPS).split(at_once):
        points = (alphas.view(-1, *[1] * (x.dim() - 1)) * x).requires_grad_()
        torch.autograd.grad(f(points)[:, target].sum(), points)
    with torch.no_grad():
        f(torch.cat([x * 0, x]))


def interleaved(ways: dict[str, Callable[[Case], Any]], cases: list[Case], repeats: int) -> Times:
    """Medians over rounds of the seconds a picture: wall, and of this thread on a CPU."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for round_ in range(repeats + 1):
        case = cases[round_ % len(cases)]
        for name, way in ways.items():
            start = time.perf_counter(), time.thread_time()
            way(case)
            if round_:  # the first one warms up
                found[name].append((time.perf_counter() - start[0], time.thread_time() - start[1]))
    return {
        name: dict(zip(("wall", "cpu"), map(statistics.median, zip(*pairs, strict=True)), strict=True))
        for name, pairs in found.items()
    }


def best(way: Callable[[Case, int], Any], cases: list[Case], repeats: int) -> int:
    """The batch in which it takes least."""
    ways = {str(batch): lambda case, batch=batch: way(case, batch) for batch in BATCHES}
    times = interleaved(ways, cases, repeats)
    return int(min(times, key=lambda name: times[name]["cpu"]))


def quality(f: nn.Module, cases: list[Case], dense: int) -> tuple[float, dict[str, float]]:
    """The 90th percentile of the error of Captum's default, and that of our rules up to the first as good."""
    truths = [ours(f, case, dense) for case in cases]

    def error(way: Callable[[Case], Tensor]) -> float:
        apart = [(way(case) - true).abs().sum() / true.abs().sum() for case, true in zip(cases, truths, strict=True)]
        return torch.stack(apart).quantile(0.9).item()

    wanted, found = error(lambda case: captum(f, case, 4)), dict[str, float]()
    for rule in ("midpoint", "warped"):
        for steps in FEWER:
            found[f"{rule} {steps}"] = error(lambda case, n=steps, rule=rule: ours(f, case, n, rule))
            if found[f"{rule} {steps}"] <= wanted:
                break
    return wanted, found


def memory(f: nn.Module, cases: list[Case], quick: bool) -> dict[str, Any]:
    """MiB beyond the model, x and one result: by steps with one picture, by pictures with 10 steps; and Captum's."""
    x, target = cases[0]
    counts = (1, 8) if quick else (1, 8, 64)

    def mib(work: Callable[[], Any], pictures: int = 1) -> float:
        return (peak_bytes(work) - pictures * x.nbytes) / 2**20

    by_steps = {
        steps: mib(lambda n=steps: ours(f, cases[0], n)) for steps in ((10, 50) if quick else (10, 50, 200, 1000))
    }
    many = {n: x.expand(n, *x.shape[1:]).clone() for n in counts}
    by_pictures = {n: mib(lambda some=some: ours(f, (some, target), 10), n) for n, some in many.items()}
    return {"steps": by_steps, "pictures": by_pictures, "captum default": mib(lambda: captum(f, cases[0]))}


def slope(times: dict[int, float]) -> float:
    """Of a line through the points on a log-log plot."""
    x, y = [[math.log(value) for value in values] for values in (times.keys(), times.values())]
    return statistics.linear_regression(x, y).slope


def growth(quick: bool) -> dict[str, dict[int, float]]:
    """CPU seconds of a random convolutional network, by steps, by pictures, by the picture's side, by its classes."""

    def seconds(steps: int = 64, pictures: int = 4, side: int = 64, classes: int = 10) -> float:
        torch.manual_seed(0)
        layers = (
            nn.Conv2d(3, 16, 5, 2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        )
        f, x = nn.Sequential(*layers, nn.Linear(512, classes)), torch.randn(pictures, 3, side, side)
        work = {"": lambda _: igteach.integrated_gradients(f, x, target=1, steps=steps)}
        return interleaved(work, [(x, 1)], 1 if quick else 5)[""]["cpu"]

    factors = (1, 2, 4) if quick else (1, 2, 4, 8, 16)
    ways = {"steps": 48, "pictures": 2, "side": 32, "classes": 10}
    return {name: {first * k: seconds(**{name: first * k}) for k in factors} for name, first in ways.items()}


def import_ratio(repeats: int) -> float:
    """Seconds of `import igteach` over those of `import torch`, each in a process of its own."""

    def run(module: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - start

    pairs = [(run("igteach"), run("torch")) for _ in range(repeats + 1)][1:]
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    return medians[0] / medians[1]


def judged(name: str, goal: float, value: float, cpu: float | None = None) -> dict[str, Any]:
    return {"figure": name, "goal": goal, "value": value, "cpu": cpu, "met": value <= goal}


def measure(name: str, network: nn.Module, pictures: list[Tensor], options: argparse.Namespace) -> dict[str, Any]:
    f = igteach.probability(network)
    with torch.no_grad():
        cases = [(x, int(network(x).argmax())) for x in pictures]
    wanted, errors = quality(f, cases, options.dense)
    enough = [key for key, error in errors.items() if error <= wanted]
    tuned = best(lambda case, batch: captum(f, case, batch), cases, 1 if options.quick else 2)
    at_best = best(lambda case, batch: bare(f, case, batch), cases, 1 if options.quick else 2)
    ways: dict[str, Callable[[Case], Any]] = {
        "captum default": lambda case: captum(f, case),
        f"captum, {tuned} at once": lambda case: captum(f, case, tuned),
        f"bare passes, {at_best} at once": lambda case: bare(f, case, at_best),
        f"ours, midpoint {STEPS}": lambda case: ours(f, case),
    }
    for key in enough:
        rule, steps = key.split()
        ways.setdefault(f"ours, {key}", lambda case, rule=rule, n=int(steps): ours(f, case, n, rule))
    times = interleaved(ways, cases, options.repeats)
    default, best_captum, passes, equal = list(ways)[:4]
    quick_ones = [f"ours, {key}" for key in enough]
    used = memory(f, cases, options.quick)
    flat = [max(some.values()) / min(some.values()) for some in (used["steps"], used["pictures"])]

    def over(label: str, goal: float, way: str, peer: str) -> dict[str, Any]:
        return judged(label, goal, *(times[way][clock] / times[peer][clock] for clock in ("wall", "cpu")))

    goals = [over("equal steps / default", 0.60, equal, default), over("equal steps / tuned", 0.85, equal, best_captum)]
    if quick_ones:
        fastest = min(quick_ones, key=lambda way: times[way]["cpu"])
        goals.append(over(f"to quality / default ({fastest})", 0.30, fastest, default))
        goals.append(over(f"to quality / tuned ({fastest})", 0.50, fastest, best_captum))
    if name == "SqueezeNet":
        goals.append(over("overhead over bare passes", 1.05, equal, passes))
    goals.append(judged("memory / default, 50 steps", 0.15, used["steps"][50] / used["captum default"]))
    goals.append(judged("memory by steps, most / least", 1.10, flat[0]))
    goals.append(judged("memory by pictures, most / least", 1.10, flat[1]))
    return {"seconds": times, "error of captum": wanted, "errors": errors, "memory MiB": used, "goals": goals}


def machine() -> dict[str, Any]:
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), platform.machine()
    )
    found = {"cpu": cpu, "cores": os.cpu_count(), "threads": torch.get_num_threads(), "system": platform.system()}
    return found | {"python": platform.python_version(), "torch": torch.__version__, "device": "cpu"}


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two small models, a few pictures: does it run?")
    parser.add_argument("--photographs", type=int, default=24)
    parser.add_argument("--dense", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    if options.quick:
        options.dense, options.repeats = 200, 2
    options.out.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "pictures": options.photographs, "dense": options.dense, "repeats": options.repeats}
    report["import"] = judged("import igteach / import torch", 1.1, import_ratio(options.repeats))
    report["models"] = {}
    for name, network, pictures in models(options.quick, options.photographs):
        report["models"][name] = measure(name, network, pictures, options)
        (options.out / "speed.json").write_text(json.dumps(report, indent=1) + "\n")
        show(name, report["models"][name]["goals"])
    show("all", [report["import"]])
    grown = growth(options.quick)
    report["growth"] = {name: {"seconds": times, "slope": slope(times)} for name, times in grown.items()}
    print("slopes of the time: " + ", ".join(f"{name} {slope(times):.2f}" for name, times in grown.items()))
    (options.out / "speed.json").write_text(json.dumps(report, indent=1) + "\n")
    factors = [value / min(grown["steps"]) for value in grown["steps"]]
    lines = {name: [value / min(times.values()) for value in times.values()] for name, times in grown.items()}
    drawn = curves(factors, lines, xlabel="times as many", ylabel="times as long", logarithmic=True)
    drawn.save(options.out / "speed.png")


def show(name: str, goals: list[dict[str, Any]]) -> None:
    for goal in goals:
        cpu = "" if goal["cpu"] is None else f"(CPU {goal['cpu']:.2f})"
        verdict = "met" if goal["met"] else "MISSED"
        line = f"{name:11s} {goal['figure']:48s} {goal['value']:8.2f} {cpu:11s} goal {goal['goal']:.2f}"
        print(f"{line}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
