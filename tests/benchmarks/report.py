"""The page of the benchmark: goals, tables and plots, from what was measured."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas

from igteach.show.figures import Figure
from igteach.show.palette import LINES

CONVOLUTIONAL = ("digits CNN", "scenes CNN", "EfficientNet-Lite0")
SMALL = ("digits CNN", "scenes CNN")
RULES = {"ours": "ours", "Gauss-Legendre": "Gauss-Legendre (Captum's default rule)", "equal steps": "equal steps"}
SMALL_PASSES = "a pass is so short that choosing, checking and estimating weigh as much, or more"
NO_ROOM = "a few gradients are enough for every rule, so that none can be far ahead"
SMALL_ROUNDS = "refining asks in rounds, whose batches are smaller than those of one long list of nodes"
LITTLE = "above it are the guards, the estimate and one row that is asked twice; they were not measured apart"
REASONS = {
    ("gradients to 5%", "digits CNN"): NO_ROOM,
    ("time to 5% / Captum's default", "digits CNN"): SMALL_PASSES,
    ("time to 5% / Captum tuned", "digits CNN"): SMALL_PASSES,
    ("time to 5% / Captum's default", "scenes CNN"): SMALL_ROUNDS,
    ("time to 5% / Captum tuned", "scenes CNN"): SMALL_ROUNDS,
    ("time to 5% / Captum's default", "MiniLM"): SMALL_ROUNDS,
    ("equal steps / bare passes", "digits CNN"): SMALL_PASSES,
    ("equal steps / bare passes", "scenes CNN"): SMALL_PASSES,
    ("equal steps / bare passes", "MiniLM"): LITTLE,
    ("refined / bare passes", "MiniLM"): SMALL_ROUNDS,
}
COLUMNS = ("gradients", "time / Captum's default", "time / Captum tuned", "equal, refined / bare passes", "peak memory")
TOP = """# Benchmarks

Written by `make bench`. Errors are L1 distances from the true attributions, relative to their L1 norm. All times are
ratios, of two ways that were measured in turn in one run; below 1 we are ahead. [Why goals are missed, and what was
tried](why.md); [how honest the error estimate is](estimates/README.md)."""
TABLE = """
**Gradients** until the error is below 5% in nine of ten examples, by us and by the better of the two fixed rules.
**Time** until then, over Captum's with as many Gauss-Legendre steps as it needs: all in one batch, as it does by
default, and in its best `internal_batch_size`. In brackets: a call that is not told how many gradients it takes, but
stops by its error estimate. **Bare passes** are the forward and backward passes of as many rows in their best batch,
and nothing else; beside them fifty equal steps, and a refined answer. **Peak memory** is resident MiB beyond the
network (on a GPU what PyTorch allocates), of us and of Captum's default.
"""


@dataclass(frozen=True)
class Goal:
    """A ratio that should be at most `most`; `low` and `high` are its quartiles over the rounds, where it is a time."""

    family: str
    figure: str
    most: float
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_met(self) -> bool:
        return self.value <= self.most

    @property
    def reason(self) -> str:
        return REASONS.get((self.figure, self.family), "not explained yet")

    def line(self) -> str:
        return f"{self.family:20s} {self.figure:34s} {self.value:6.2f}  goal {self.most:.2f}  {self.verdict}"

    @property
    def verdict(self) -> str:
        return "met" if self.is_met else "MISSED"


def goals_of(family: str, part: dict[str, Any]) -> list[Goal]:
    """The goals that a family has, by what was measured of it."""
    speed, goals = part["speed"], list[Goal]()
    most = 0.6 if family in CONVOLUTIONAL else 0.5
    if family != "random ViT":
        goals.append(Goal(family, "gradients to 5%", most, needed(part, "ours") / best_fixed(part)[0]))
    timed = {
        "time to 5% / Captum's default": (0.35, "told / captum default"),
        "time to 5% / Captum tuned": (0.6, "told / captum tuned"),
        "equal steps / bare passes": (1.05, "equal / bare"),
    }
    if family not in SMALL:
        timed["refined / bare passes"] = (1.05, "refined / bare")
    goals += [Goal(family, figure, most, **speed[key]) for figure, (most, key) in timed.items()]
    if "hundred / bare" in part:  # on a GPU
        goals.append(Goal(family, "one example, equal steps / Captum", 1.0, **speed["equal / captum"]))
        goals.append(Goal(family, "a hundred examples / bare passes", 1 / 0.95, **part["hundred / bare"]))
    return goals


def needed(part: dict[str, Any], rule: str) -> float:
    """The gradients that a rule needs, or infinity if it did not get there."""
    found = part["needed"][rule]
    return math.inf if found is None else float(found)


def best_fixed(part: dict[str, Any]) -> tuple[float, str]:
    """The gradients of the better fixed rule, or as many as were tried; and the rule."""
    rule = min(("equal steps", "Gauss-Legendre"), key=lambda rule: needed(part, rule))
    return min(needed(part, rule), part["gradients"][-1]), rule


def error_plot(families: dict[str, Any]) -> Figure:
    """The error against the gradients spent, a pane for each family."""
    columns = min(3, len(families))
    rows = math.ceil(len(families) / columns)
    canvas, stories = Canvas(figsize=(3.3 * columns, 2.7 * rows), layout="constrained"), list[str]()
    for place, (family, part) in enumerate(families.items()):
        axes = canvas.add_subplot(rows, columns, place + 1)
        for (rule, label), (colour, dashes) in zip(RULES.items(), LINES, strict=False):
            axes.plot(part["gradients"], part["errors"][rule], color=colour, linestyle=dashes, linewidth=2, label=label)
            stories.append(f"{family}, {rule}: {part['errors'][rule][0]:.2g} to {part['errors'][rule][-1]:.2g}")
        axes.axhline(0.05, color="0.4", linewidth=0.8)
        axes.set(xscale="log", yscale="log", title=f"{family} ({part['examples']} examples)")
        axes.title.set_size(9)
        axes.grid(alpha=0.3)
        if place == 0:
            canvas.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9)
    canvas.supxlabel("gradients", fontsize=9)
    canvas.supylabel("error, 90th percentile; the line is 5%", fontsize=9)
    return Figure(canvas, "Line plots of the error against the gradients spent. " + "; ".join(stories) + ".")


def page(folder: Path) -> str:
    """README.md: a section for each JSON in the folder."""
    lines = [TOP]
    for file in sorted(folder.glob("*.json")):
        lines += section(file.stem, json.loads(file.read_text()))
    return "\n".join(lines) + "\n"


def section(stem: str, report: dict[str, Any]) -> Iterator[str]:
    """What was measured on one machine."""
    about = report["machine"]
    yield f"\n## {about['device']}\n"
    yield ", ".join(f"{key} {value}" for key, value in about.items() if key != "device") + ".\n"
    yield f"![The error against the gradients spent, for each network]({stem}.png)"
    yield TABLE
    yield f"| network (examples, rounds) | {' | '.join(COLUMNS)} |"
    yield "|---|" + "---|" * len(COLUMNS)
    yield from (row(family, part) for family, part in report["families"].items())
    yield "\n### Goals\n"
    yield "| network | figure | ratio (quartiles) | goal | |"
    yield "|---|---|---|---|---|"
    for family, part in report["families"].items():
        for goal in goals_of(family, part):
            spread = "" if goal.low is None else f" ({goal.low:.2f} to {goal.high:.2f})"
            verdict = "met" if goal.is_met else f"**missed**: {goal.reason}"
            yield f"| {family} | {goal.figure} | {goal.value:.2f}{spread} | {goal.most:.2f} | {verdict} |"
    if "growth" in report:
        slopes = ", ".join(f"{name} {value:.2f}" for name, value in report["growth"].items())
        yield f"\nSlopes of the time on a log-log plot: {slopes}. A slope of 2 in the side is linear in the pixels."
    if "folder" in report:
        one, two = report["folder"]["one process"], report["folder"]["two processes"]
        yield f"\nA folder of photographs by torchrun: {one:.0f} s by one process, {two:.0f} s by two, with loading."


def row(family: str, part: dict[str, Any]) -> str:
    """A family's row in the table."""
    speed, mib = part["speed"], part["MiB"]
    own, (fixed, rule) = needed(part, "ours"), best_fixed(part)
    beyond = "more than " if fixed < needed(part, rule) else ""
    cells = [
        f"{family} ({part['examples']}, {part['rounds']})",
        f"{own / fixed:.2f}: {own:.0f}, {beyond}{fixed:.0f} ({rule})",
        f"{speed['told / captum default']['value']:.2f} ({speed['refined / captum default']['value']:.2f})",
        f"{speed['told / captum tuned']['value']:.2f} ({speed['refined / captum tuned']['value']:.2f})",
        f"{speed['equal / bare']['value']:.2f}, {speed['refined / bare']['value']:.2f}",
        f"{mib['ours']:.0f}, {mib['captum default']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"
