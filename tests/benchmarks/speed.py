"""How fast Integrated Gradients is here, and how much memory it takes, beside Captum's.

    python tests/benchmarks/speed.py [--quick] [--examples 24] [--dense 2000] [--repeats 7] [--out docs/benchmarks]

Peers: Captum with its defaults (50 Gauss-Legendre steps, all at once), and with its best internal_batch_size. The ways
of one table run in turn in one process, example by example; a time is the median. Error: L1, relative to the truth of
`dense` midpoint steps; its 90th percentile over the examples. F is the probability of the likeliest class.
Runs on `igteach.device()`. Writes DEVICE.json with the machine's description, DEVICE.png, and a README.md with the
tables of all the JSON that lies beside it.
"""

import argparse
import copy
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from captum.attr import IntegratedGradients
from examples import DEVICE, LARGE, Case, all_cases
from torch import Tensor, nn

import igteach
from igteach.core.profiling import peak_bytes
from igteach.show.figures import curves

STEPS = 50  # Captum's default
FEWER = (8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40, 50, 64, 80)  # steps tried for Captum's quality
BATCHES = (1, 2, 4, 8, 16, 50)
Times = dict[str, dict[str, float]]
Way = Callable[[Case], Any]


def captum(case: Case, at_once: int | None = None) -> Tensor:
    return IntegratedGradients(case.f).attribute(case.x, target=case.target, n_steps=STEPS, internal_batch_size=at_once)


def ours(case: Case, steps: int = STEPS, rule: str = "midpoint") -> Tensor:
    return igteach.integrated_gradients(case.f, case.x, target=case.target, steps=steps, rule=rule).values


def bare(case: Case, at_once: int) -> None:
    """The passes that STEPS gradients and F at both ends need, and nothing else."""
    f = case.f
    for alphas in ((torch.arange(STEPS, device=DEVICE) + 0.5) / STEPS).split(at_once):
        points = (alphas.view(-1, *[1] * (case.x.dim() - 1)) * case.x).requires_grad_()
        torch.autograd.grad(f(points)[:, case.target].sum(), points)
    with torch.no_grad():
        f(torch.cat([case.x * 0, case.x]))


def clocks() -> tuple[float, float]:
    """Seconds by the wall and of this thread, once the device is done."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter(), time.thread_time()


def interleaved(ways: dict[str, Way], cases: list[Case], repeats: int) -> Times:
    """Medians over rounds of the seconds an example: wall, and of this thread."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for round_ in range(repeats + 1):
        case = cases[round_ % len(cases)]
        for name, way in ways.items():
            start = clocks()
            way(case)
            if round_:  # the first one warms up
                found[name].append(tuple(b - a for a, b in zip(start, clocks(), strict=True)))
    return {
        name: dict(zip(("wall", "cpu"), map(statistics.median, zip(*pairs, strict=True)), strict=True))
        for name, pairs in found.items()
    }


CLOCK = "cpu" if DEVICE.type == "cpu" else "wall"  # the steadier one


def best(way: Callable[[Case, int], Any], cases: list[Case], repeats: int) -> int:
    """The batch in which it takes least."""
    ways = {str(batch): lambda case, batch=batch: way(case, batch) for batch in BATCHES}
    times = interleaved(ways, cases, repeats)
    return int(min(times, key=lambda name: times[name][CLOCK]))


def error(way: Way, cases: list[Case], truths: list[Tensor]) -> float:
    """The 90th percentile over the cases."""
    apart = [(way(case) - true).abs().sum() / true.abs().sum() for case, true in zip(cases, truths, strict=True)]
    return torch.stack(apart).quantile(0.9).item()


def quality(cases: list[Case], truths: list[Tensor]) -> tuple[float, dict[str, float]]:
    """The error of Captum's default, and that of our rules up to the first as good."""
    wanted, found = error(lambda case: captum(case, 4), cases, truths), dict[str, float]()
    for rule in ("midpoint", "warped"):
        for steps in FEWER:
            name = f"{rule} {steps}"
            found[name] = error(lambda case, n=steps, rule=rule: ours(case, n, rule), cases, truths)
            if found[name] <= wanted:
                break
    return wanted, found


def half_precision(cases: list[Case]) -> dict[str, dict[str, Any]]:
    """What bf16 and fp16 do to the shares and to F(x), beside float32 and the same steps, and the time over float32's.

    Errors as in `error`, the largest of F(x); of a network that is one for all cases.
    """
    found: dict[str, dict[str, Any]] = {}
    if any(case.network is not cases[0].network for case in cases):
        return found
    wanted = [ours(case) for case in cases]
    for name, dtype in {"bfloat16": torch.bfloat16, "float16": torch.float16}.items():
        network = copy.deepcopy(cases[0].network).to(dtype)
        low = {id(case): Case(network, case.x.to(dtype), case.target) for case in cases}
        with torch.no_grad():
            scores = [[float(one.f(one.x)[0, one.target]) for one in some] for some in (cases, low.values())]
        try:
            shares = error(lambda case, low=low: ours(low[id(case)]).float(), cases, wanted)
        except ValueError as refused:  # gradients that are not finite
            found[name] = {"refused": str(refused)}
            continue
        times = interleaved({"float32": ours, name: lambda case, low=low: ours(low[id(case)])}, cases, 3)
        over = times[name][CLOCK] / times["float32"][CLOCK]
        score = max(abs(a - b) for a, b in zip(*scores, strict=True))
        found[name] = {"error of shares": shares, "error of F(x)": score, "time / float32": over}
    return found


def other_ways(cases: list[Case]) -> dict[str, dict[str, float]]:
    """Time over the plain network's of channels_last and of torch.compile, and the seconds until the first answer."""
    network = cases[0].network
    ways: dict[str, Callable[[], nn.Module]] = {
        "compiled": lambda: torch.compile(network),
        "compiled, reduce-overhead": lambda: torch.compile(network, mode="reduce-overhead"),
    }
    if cases[0].x.dim() == 4:
        ways["channels last"] = lambda: copy.deepcopy(network).to(memory_format=torch.channels_last)
    found = {}
    for name, make in ways.items():
        torch.compiler.reset()  # what was compiled before counts towards its limit
        start = clocks()
        try:
            changed = make()
            ours(Case(changed, cases[0].x, cases[0].target))
        except Exception as failed:  # compilers fail in many ways, and none of them is ours
            found[name] = {"failed": type(failed).__name__}
            continue
        warm_up = clocks()[0] - start[0]
        one = [case for case in cases if case.x.shape == cases[0].x.shape and case.network is network]
        times = interleaved({"plain": ours, name: lambda case, f=changed: ours(Case(f, case.x, case.target))}, one, 5)
        found[name] = {"time / plain": times[name][CLOCK] / times["plain"][CLOCK], "warm-up s": warm_up}
    return found


def memory(cases: list[Case], quick: bool) -> dict[str, Any]:
    """MiB beyond the model, x and one result: by steps with one picture, by pictures with 10 steps; and Captum's."""
    case, counts = cases[0], (1, 8) if quick else (1, 8, 64)

    def mib(work: Callable[[], Any], pictures: int = 1) -> float:
        return (peak_bytes(work, DEVICE) - pictures * case.x.nbytes) / 2**20

    many = {n: Case(case.network, case.x.expand(n, *case.x.shape[1:]).clone(), case.target) for n in counts}
    return {
        "steps": {n: mib(lambda n=n: ours(case, n)) for n in ((10, 50) if quick else (10, 50, 200, 1000))},
        "pictures": {n: mib(lambda some=some: ours(some, 10), n) for n, some in many.items()},
        "captum default": mib(lambda: captum(case)),
    }


def slope(times: dict[int, float]) -> float:
    """Of a line through the points on a log-log plot."""
    x, y = [[math.log(value) for value in values] for values in (times.keys(), times.values())]
    return statistics.linear_regression(x, y).slope


def growth(quick: bool) -> dict[str, dict[int, float]]:
    """Seconds of a random convolutional network, by steps, by pictures, by the picture's side, by its classes."""

    def seconds(steps: int = 64, pictures: int = 4, side: int = 64, classes: int = 10) -> float:
        torch.manual_seed(0)
        convolutions = nn.Conv2d(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU()
        network = nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, classes))
        case = Case(network.to(DEVICE), torch.randn(pictures, 3, side, side).to(DEVICE), 1)
        return interleaved({"": lambda case: ours(case, steps)}, [case], 1 if quick else 5)[""][CLOCK]

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


def judged(figure: str, goal: float, value: float) -> dict[str, Any]:
    return {"figure": figure, "goal": goal, "value": value, "met": value <= goal}


def measure(name: str, cases: list[Case], options: argparse.Namespace) -> dict[str, Any]:
    truths = [ours(case, options.dense) for case in cases]
    wanted, errors = quality(cases, truths)
    enough = [key for key, value in errors.items() if value <= wanted]
    tuned, at_best = (best(way, cases, 1 if options.quick else 2) for way in (captum, bare))
    ways: dict[str, Way] = {
        "captum default": captum,
        f"captum, {tuned} at once": lambda case: captum(case, tuned),
        f"bare passes, {at_best} at once": lambda case: bare(case, at_best),
        f"ours, midpoint {STEPS}": ours,
    }
    for key in enough:
        rule, steps = key.split()
        ways.setdefault(f"ours, {key}", lambda case, rule=rule, n=int(steps): ours(case, n, rule))
    times = interleaved(ways, cases, options.repeats)
    default, best_captum, passes, equal = list(ways)[:4]
    used = memory(cases, options.quick)

    def over(label: str, goal: float, way: str, peer: str) -> dict[str, Any]:
        return judged(label, goal, times[way][CLOCK] / times[peer][CLOCK])

    goals = [over("equal steps / default", 0.60, equal, default), over("equal steps / tuned", 0.85, equal, best_captum)]
    if enough:
        fastest = min((f"ours, {key}" for key in enough), key=lambda way: times[way][CLOCK])
        goals.append(over(f"to quality / default ({fastest})", 0.30, fastest, default))
        goals.append(over(f"to quality / tuned ({fastest})", 0.50, fastest, best_captum))
    if name in LARGE:
        goals.append(over("overhead over bare passes", 1.05, equal, passes))
    goals.append(judged("memory / default, 50 steps", 0.15, used["steps"][50] / used["captum default"]))
    for kind in ("steps", "pictures"):
        goals.append(
            judged(f"memory by {kind}, most / least", 1.10, max(used[kind].values()) / min(used[kind].values()))
        )
    return {"goals": goals, "seconds": times, "error of captum": wanted, "errors": errors, "memory MiB": used}


def machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else DEVICE.type
    found = {"device": name, "cpu": cpu, "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    return found | {"system": platform.system(), "python": platform.python_version(), "torch": torch.__version__}


def goal_line(network: str, goal: dict[str, Any]) -> str:
    verdict = "met" if goal["met"] else "MISSED"
    return f"{network:11s} {goal['figure']:48s} {goal['value']:8.2f}  goal {goal['goal']:.2f}  {verdict}"


def tables(folder: Path) -> str:
    """README.md: a table for each JSON in the folder."""
    text = ["# Benchmarks", "", "Written by `make bench`; every figure beside its goal, on the machine that is named."]
    text += ["[Why a goal is missed, and what was tried](why.md)."]
    for file in sorted(folder.glob("*.json")):
        report = json.loads(file.read_text())
        about = report["machine"]
        text += ["", f"## {about['device']}", ""]
        text += [", ".join(f"{key} {value}" for key, value in about.items() if key != "device") + ".", ""]
        text += [f"{report['examples']} examples, truth of {report['dense']} steps, {report['repeats']} rounds.", ""]
        text += ["| network | figure | value | goal | |", "|---|---|---|---|---|"]
        batch_size = [("", report["import"])]
        batch_size += [(name, goal) for name, model in report["models"].items() for goal in model["goals"]]
        for name, goal in batch_size:
            verdict = "met" if goal["met"] else "**missed**"
            text.append(f"| {name} | {goal['figure']} | {goal['value']:.2f} | {goal['goal']:.2f} | {verdict} |")
        slopes = ", ".join(f"{name} {part['slope']:.2f}" for name, part in report.get("growth", {}).items())
        text += ["", f"Slopes of the time on a log-log plot: {slopes}.", ""]
        text += [f"![Time against size, by what grows, on {about['device']}]({file.stem}.png)"]
        for key, heading in {"half": "Half precision", "ways": "Other ways"}.items():
            lines = [
                f"- {name}, {way}: " + ", ".join(f"{what} {_short(value)}" for what, value in found.items())
                for name, model in report["models"].items()
                for way, found in model.get(key, {}).items()
            ]
            text += ["", f"### {heading}", "", *lines] if lines else []
    return "\n".join(text) + "\n"


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two small models, a few pictures: does it run?")
    parser.add_argument("--examples", type=int, default=24)
    parser.add_argument("--dense", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    if options.quick:
        options.dense, options.repeats = 200, 2
    options.out.mkdir(parents=True, exist_ok=True)
    about = machine()
    file = options.out / f"{about['device'].lower().replace(' ', '-')}.json"
    report = {"machine": about, "examples": options.examples, "dense": options.dense, "repeats": options.repeats}

    def keep() -> None:
        file.write_text(json.dumps(report, indent=1) + "\n")

    report["import"] = judged("import igteach / import torch", 1.1, import_ratio(options.repeats))
    print(goal_line("all", report["import"]), flush=True)
    grown = growth(options.quick)
    report["growth"] = {name: {"seconds": times, "slope": slope(times)} for name, times in grown.items()}
    print("slopes of the time: " + ", ".join(f"{name} {slope(times):.2f}" for name, times in grown.items()))
    keep()
    factors = [value / min(grown["steps"]) for value in grown["steps"]]
    lines = {name: [value / min(times.values()) for value in times.values()] for name, times in grown.items()}
    drawn = curves(factors, lines, xlabel="times as many", ylabel="times as long", logarithmic=True)
    drawn.save(file.with_suffix(".png"))
    report["models"], measured = {}, []
    for name, cases in all_cases(options.quick, options.examples):
        measured.append((name, cases))
        report["models"][name] = measure(name, cases, options)
        keep()
        print("\n".join(goal_line(name, goal) for goal in report["models"][name]["goals"]), flush=True)
    for name, cases in [] if options.quick else measured:
        report["models"][name] |= {"half": half_precision(cases[:4]), "ways": other_ways(cases)}
        keep()
    (options.out / "README.md").write_text(tables(options.out))


if __name__ == "__main__":
    main()
