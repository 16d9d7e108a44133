"""How fast the explorers answer a drag: from the new value of a control to the new picture and words.

    OMP_NUM_THREADS=2 python tests/benchmarks/explorers.py [--drags 30]

The goal is under 200 ms on two cores. What the browser adds comes on top; what is computed before the first picture
is the last column.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import igteach
from igteach import explore
from igteach.datasets import load_digits
from igteach.datasets.scenes import make_scenes
from igteach.explore.rules import STEPS
from igteach.methods import baselines
from igteach.models import digits, scenes

GOAL = 200  # milliseconds


def pictures() -> dict[str, tuple[nn.Module, Tensor]]:
    """Networks, and one picture of each."""
    return {
        "digits": (digits.load("cpu"), load_digits().x_test[:1]),
        "scenes": (scenes.load("cpu"), make_scenes(1, seed=0).x),
    }


def explorers(model: nn.Module, x: Tensor) -> dict[str, tuple[Callable[[], explore.Explorer], str, Sequence[Any]]]:
    """Explorer -> how it is made, the control that is dragged, and the values that it takes in turn."""
    score, target = igteach.probability(model), int(model(x).argmax())
    starts = {"black": 0.0, "white": 1.0, "blur": baselines.blur(x, sigma=2.0)}
    truth = igteach.integrated_gradients(score, x, 0.0, target, steps=512)
    alphas = [0.02 * stop for stop in range(51)]
    return {
        "path": (lambda: explore.path_explorer(score, x, 0.0, target), "alpha", alphas),
        "steps": (lambda: explore.steps_explorer(score, x, 0.0, target, truth), "steps", STEPS),
        "baseline": (lambda: explore.baseline_explorer(score, x, starts, target), "left", list(starts)),
    }


def drags(explorer: explore.Explorer, name: str, values: Sequence[Any], count: int) -> list[float]:
    """Milliseconds of each of `count` changes."""
    control, took, number = explorer.controls[name], [], 0
    while len(took) < count:
        number += 1
        value, before = values[number % len(values)], explorer.picture.value
        if value == control.value:
            continue
        start = time.perf_counter()
        control.value = value
        took.append(1000 * (time.perf_counter() - start))
        assert explorer.picture.value != before
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drags", type=int, default=30)
    count = parser.parse_args().drags
    print(f"{torch.get_num_threads()} threads, {count} drags; goal: under {GOAL} ms")
    print(f"{'pictures':10s} {'explorer':10s} {'median ms':>10s} {'90% under ms':>14s} {'goal':>8s} {'made in s':>10s}")
    for kind, (model, x) in pictures().items():
        for name, (make, control, values) in explorers(model, x).items():
            start = time.perf_counter()
            explorer = make()
            made = time.perf_counter() - start
            took = drags(explorer, control, values, count)
            median, slow = statistics.median(took), statistics.quantiles(took, n=10)[-1]
            verdict = "met" if slow < GOAL else "MISSED"
            print(f"{kind:10s} {name:10s} {median:10.0f} {slow:14.0f} {verdict:>8s} {made:10.2f}")


if __name__ == "__main__":
    main()
