"""Which tests run when: `make test` the quick ones, `make ci` the long ones and samples, `make release` all.

A test marked `long` takes minutes and runs in `make ci`. One marked `sampled(n)` is large: `make ci` takes n of its
cases, redrawn each week, and `make release` takes them all; of `sampled(0)` `make ci` takes none.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

Case = TypeVar("Case")


def this_week(today: date) -> str:
    """Such as `2026-W48`: the seed of the samples."""
    year, week, _ = today.isocalendar()
    return f"{year}-W{week:02d}"


def sample(cases: Sequence[Case], count: int, seed: str) -> list[Case]:
    """`count` of the cases, the same for the same seed, in their own order."""
    chosen = set(random.Random(seed).sample(range(len(cases)), min(count, len(cases))))
    return [case for number, case in enumerate(cases) if number in chosen]


def left_out(cases: Sequence[tuple[str, int | None]], seed: str) -> set[int]:
    """The indices of the cases that a sampled run leaves out.

    Args:
        cases: For each test case the name of its function, and how many cases of it to take; None is all.
        seed: What the draw depends on.
    """
    groups = defaultdict(list)
    for place, (name, count) in enumerate(cases):
        if count is not None:
            groups[name, count].append(place)
    taken = {place for (name, count), places in groups.items() for place in sample(places, count, f"{seed} {name}")}
    return {place for places in groups.values() for place in places} - taken


def group_of(nodeid: str) -> str:
    """Tests of a group run in one worker, one after another.

    A module is a group, with its fixtures. Tests with a browser share it, and the book: they are one group. Each test
    of the lessons is a group of its own and runs wherever there is room.
    """
    file = nodeid.partition("::")[0]
    if file == "tests/lessons/test_long.py":
        return nodeid
    return "browser" if file.startswith("tests/browser/") else file
