"""The page of the benchmark: goals, tables and plots, from what was measured."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas

from igteach.core.partition import FIRST_CELLS
from igteach.show.figures import Figure
from igteach.show.palette import LINES

CONVOLUTIONAL = ("digits CNN", "scenes CNN", "EfficientNet-Lite0")
SMALL = ("digits CNN", "scenes CNN")
RULES = {"ours": "ours", "Gauss-Legendre": "Gauss-Legendre (Captum's default rule)", "equal steps": "equal steps"}
FEW = "by {rule} {fixed:.0f} gradients are enough; we begin with {first}, so that neither can be far below"
LITTLE_LEFT = "the better fixed rule needs only {fixed:.0f} gradients; we begin with {first}, so that few cuts are left"
EVEN = "the integrand changes all along the path: even with {most} gradients our error is {ratio:.2f} of that of {rule}"
TIME = "we ask for {told} gradients where Captum asks for {captum} ({fewer:.2f}); one of ours takes {each:.2f} of its"
AROUND = "the passes take {passes:.1f} ms, what is around them {around:.1f}: guards, the estimate, a row asked twice"
ROUNDS = "bare passes in the batches of its rounds take {rounds:.2f}; the rest chooses the cells and judges the error"
MEMORY = """- Peak memory that does not grow with the gradients: by any method it grows until they fill a batch. What is
  kept of them beyond that has a bound, which the tests hold."""
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
    """A ratio that should be at most `most`.

    Attributes:
        family: The network.
        figure: What is compared.
        most: The largest ratio that meets the goal.
        value: The ratio.
        reason: Why it is larger than that, if it is.
        low: Its lower quartile over the rounds, where it is a time.
        high: Its upper one.
    """

    family: str
    figure: str
    most: float
    value: float
    reason: str
    low: float | None = None
    high: float | None = None

    @property
    def is_met(self) -> bool:
        return self.value <= self.most

    def line(self) -> str:
        return f"{self.family:20s} {self.figure:34s} {self.value:6.2f}  goal {self.most:.2f}  {self.verdict}"

    @property
    def verdict(self) -> str:
        return "met" if self.is_met else "MISSED"


def goals_of(family: str, part: dict[str, Any]) -> list[Goal]:
    """The goals that a family has, by what was measured of it."""
    speed, goals = part["speed"], list[Goal]()
    if not few_are_enough(family, part):
        ratio = needed(part, "ours") / best_fixed(part)[0]
        goals.append(Goal(family, "gradients to 5%", most_gradients(family), ratio, why_gradients(part)))
        for figure, most, key in (
            ("time to 5% / Captum's default", 0.35, "told / captum default"),
            ("time to 5% / Captum tuned", 0.6, "told / captum tuned"),
        ):
            goals.append(Goal(family, figure, most, reason=why_time(speed, key), **speed[key]))
    goals.append(Goal(family, "equal steps / bare passes", 1.05, reason=why_equal(speed), **speed["equal / bare"]))
    if family not in SMALL:
        reason = ROUNDS.format(rounds=speed["rounds / bare"]["value"])
        goals.append(Goal(family, "refined / bare passes", 1.05, reason=reason, **speed["refined / bare"]))
    if "hundred / bare" in part:  # on a GPU
        one, many = speed["equal / captum"], part["hundred / bare"]
        goals.append(Goal(family, "one example, equal steps / Captum", 1.0, reason=why_equal(speed), **one))
        goals.append(Goal(family, "a hundred examples / bare passes", 1 / 0.95, reason=why_equal(speed), **many))
    return goals


def most_gradients(family: str) -> float:
    """What fraction of the better fixed rule's gradients we should need at most."""
    return 0.6 if family in CONVOLUTIONAL else 0.5


def few_are_enough(family: str, part: dict[str, Any]) -> bool:
    """Whether a fixed rule needs so few gradients that the fraction of them is less than we begin with."""
    return most_gradients(family) * best_fixed(part)[0] < FIRST_CELLS


def why_gradients(part: dict[str, Any]) -> str:
    """Why we need about as many gradients as the better fixed rule."""
    fixed, rule = best_fixed(part)
    ratio = part["errors"]["ours"][-1] / part["errors"][rule][-1]
    if ratio > 0.5:
        return EVEN.format(most=part["gradients"][-1], ratio=ratio, rule=rule)
    return LITTLE_LEFT.format(fixed=fixed, first=FIRST_CELLS)


def why_time(speed: dict[str, Any], key: str) -> str:
    """What a ratio of times is made of: the gradients, and what one of them takes."""
    told, captum = speed["gradients"]["told"], speed["gradients"]["captum"]
    fewer = told / captum
    return TIME.format(told=told, captum=captum, fewer=fewer, each=speed[key]["value"] / fewer)


def why_equal(speed: dict[str, Any]) -> str:
    """How much an answer takes beside its passes."""
    passes = 1000 * speed["seconds"]["bare"]
    return AROUND.format(passes=passes, around=passes * (speed["equal / bare"]["value"] - 1))


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
    yield "\nDropped, as they cannot hold by their nature:\n"
    for family, part in report["families"].items():
        if few_are_enough(family, part):
            fixed, rule = best_fixed(part)
            yield f"- {family}, gradients and time to 5%: {FEW.format(rule=rule, fixed=fixed, first=FIRST_CELLS)}."
    yield MEMORY
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
