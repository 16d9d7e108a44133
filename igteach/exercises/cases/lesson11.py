"""Lesson 11's cases: Shapley values from a table, how many samples it takes, conductance, the jumps of stumps."""

import torch

from igteach.exercises.checker import Case, Task


def _shapley_from_table_cases(rng: torch.Generator) -> list[Case]:
    """Tables of F: an index of 1 stands for a feature at its value, 0 for one at its baseline."""
    return [Case(f"table {n} of F", (torch.randn(2, 2, 2, generator=rng),)) for n in (1, 2, 3)]


def _samples_needed_cases(rng: torch.Generator) -> list[Case]:
    """A first run of random samples, a row each, and the error that is allowed: met in the last random case already.

    In the one after it, exactly 16 samples are right, and no rounding error is made on the way.
    """
    cases = []
    for samples, features, tolerance in ((8, 3, 0.05), (20, 4, 0.1), (30, 2, 0.02), (40, 3, 0.9)):
        center = 1 + torch.rand(features, generator=rng).double()
        center[0] *= -1
        pulls = center + torch.randn(samples, features, generator=rng) * (0.5 + torch.rand(features, generator=rng))
        cases.append(Case(f"{samples} samples of {features} features, {tolerance:.0%} allowed", (pulls, tolerance)))
    spread_of_one = torch.tensor([-1.5, 0.5, 0.5, 0.5]).double()[torch.randperm(4, generator=rng)]
    pulls = torch.tensor([-1.0, 3.0]).double() + spread_of_one[:, None]
    return [*cases, Case("4 samples of 2 features, 12.5% allowed", (pulls, 0.125))]


def _conductance_of_cases(rng: torch.Generator) -> list[Case]:
    """Activations of units along a path, and the slopes of F with respect to them."""
    cases = []
    for steps, units in ((4, 3), (7, 2), (5, 5)):
        heights = torch.randn(steps + 1, units, generator=rng)
        slopes = torch.randn(steps, units, generator=rng)
        cases.append(Case(f"{units} units, {steps} steps", (heights, slopes)))
    return cases


def _jumps_cases(rng: torch.Generator) -> list[Case]:
    """Random stumps (a threshold on one feature, a value on either side), and the two ends of a path."""
    cases = []
    for features, stumps in ((3, 6), (2, 8), (4, 10)):
        thresholds, left, right = torch.randn(3, stumps, generator=rng)
        feature = torch.randint(features, (stumps,), generator=rng)
        start, end = 1.5 * torch.randn(2, features, generator=rng)
        thresholds[0], thresholds[1] = start[feature[0]], end[feature[1]]  # at most the threshold, and just so
        cases.append(Case(f"{stumps} stumps, {features} features", (thresholds, feature, left, right, start, end)))
    return cases


TASKS = [
    Task("11.1", _shapley_from_table_cases),
    Task("11.5", _samples_needed_cases),
    Task("11.3", _conductance_of_cases),
    Task("11.4", _jumps_cases),
]
