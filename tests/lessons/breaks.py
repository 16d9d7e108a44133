"""Faults that a lesson must notice. Each replaces one function of igteach with a wrong one, at run time."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import torch

from igteach.axioms import checks
from igteach.core import error_estimate, evaluation, functions, groups, inputs, paths, quadrature
from igteach.datasets import scenes
from igteach.evaluate import curves, masks, randomisation
from igteach.exercises import checker, judging
from igteach.methods import (
    baselines,
    folder,
    gradients,
    guided,
    heads,
    integrated_gradients,
    prompts,
    shapley,
    token_attribution,
    trees,
)
from igteach.models import text


@dataclass(frozen=True)
class Break:
    """A fault in words, the lesson that must notice it, and two functions; `wrong` gets `right` as first argument."""

    name: str
    lesson: str
    right: Callable[..., Any]
    wrong: Callable[..., Any]


BREAKS: list[Break] = []


def breaks(right: Callable[..., Any], lesson: str, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Lists a fault: the decorated function replaces `right`."""

    def add(wrong: Callable[..., Any]) -> Callable[..., Any]:
        BREAKS.append(Break(name, lesson, right, wrong))
        return wrong

    return add


def install(name: str | None) -> None:
    """Break igteach in this process. With None, replace every function that a break replaces, but change no result."""
    if name is None:
        for right in {fault.right for fault in BREAKS}:
            put(lambda right, *args, **kwargs: right(*args, **kwargs), right)
    else:
        (fault,) = [fault for fault in BREAKS if fault.name == name]
        put(fault.wrong, fault.right)


def put(wrong: Callable[..., Any], right: Callable[..., Any]) -> None:
    """Replace `right` with `wrong` in every module of igteach that defines or imports it, and in every class."""

    @wraps(right)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return wrong(right, *args, **kwargs)

    modules = [module for name, module in sys.modules.items() if is_ours(name)]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    places = [*modules, *(each for each in classes if is_ours(each.__module__))]
    found = [(place, name) for place in places for name, value in vars(place).items() if value is right]
    if not found:
        raise LookupError(f"{right.__qualname__} is nowhere in igteach")
    for place, name in found:
        setattr(place, name, stand_in)


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == "igteach"


@breaks(paths.StraightPath.velocities, "00", "IG without x - x'")
@breaks(paths.StraightPath.velocities, "04", "IG without x - x', again")
def ones(right, self, examples):
    return torch.ones_like(right(self, examples))


@breaks(integrated_gradients.integrated_gradients, "02", "x and x' swapped")
def swapped(right, *args, **kwargs):
    answer = right(*args, **kwargs)
    return replace(answer, values=-answer.values)


@breaks(quadrature.nodes_and_weights, "00", "weights that do not sum to 1")
def too_light(right, rule, steps):
    nodes, weights = right(rule, steps)
    return nodes, 0.9 * weights


@breaks(integrated_gradients.integrated_gradients, "02", "one step only")
def one_step(right, *args, steps=None, **kwargs):
    return replace(right(*args, steps=1, **kwargs), evaluations=steps or 64)


@breaks(paths.StraightPath.rows, "02", "gradient in place of IG")
def at_the_input(right, self, examples, alphas):
    return right(self, examples, torch.ones_like(alphas))


@breaks(evaluation.chosen_output, "00", "the gradient of the wrong class")
def of_class_0(right, f, points, per_row):
    target = None if per_row.target is None else 0 * per_row.target
    return right(f, points, replace(per_row, target=target))


@breaks(evaluation.forward_with_gradient, "01", "a gradient without its sign")
def sizes(right, f, points, per_row):
    value, gradient = right(f, points, per_row)
    return value, gradient.abs()


@breaks(judging.compare, "00", "a check that always passes")
def solved(right, exercise, returned, seed):
    return checker.Verdict(exercise.task.id, "solved", "")


@breaks(judging.compare, "01", "a check that finds fault with all")
def not_yet(right, exercise, returned, seed):
    return checker.Verdict(exercise.task.id, "not yet", "")


@breaks(functions.Probability.forward, "02", "probabilities that are logits")
def logits(right, self, *inputs):
    return functions.Logit.forward(self, *inputs)


@breaks(gradients.gradient_times_input, "03", "gradient x input without the baseline")
def times_x(right, f, x, baseline=None, target=None):
    return replace(right(f, x, baseline, target), values=right(f, x, None, target).values)


@breaks(error_estimate.expected_l1_error, "05", "an estimate that promises too much")
def a_third(right, *args):
    return right(*args) / 3


@breaks(checks.AxiomResult.__init__, "06", "an axiom check that lets all pass")
def kept(right, self, holds, gap, tolerance, counterexample, not_applicable):
    right(self, None if holds is None else True, gap, tolerance, None, not_applicable)


@breaks(baselines.opinion, "07", "an opinion that is off")
def a_tenth_less(right, f, baseline):
    return right(f, baseline) - 0.1


@breaks(masks.relevance_mass, "08", "a relevance mass that counts all")
def share_anywhere(right, values, mask):
    return right(values, torch.ones_like(mask))


@breaks(scenes.make_scenes, "08", "a scene whose mask is elsewhere")
def upside_down(right, *args, **kwargs):
    made = right(*args, **kwargs)
    return replace(made, mask=made.mask.flip(1))


@breaks(token_attribution._attribute_row, "09", "special tokens that take part")
def none_special(right, model, batch, *args):
    batch["special_tokens_mask"].zero_()
    return right(model, batch, *args)


@breaks(text.EmbeddingInterpolation.__init__, "09", "a text's path from zero")
def from_zero(right, self, model, x, start, held):
    right(self, model, x, torch.zeros_like(start), held)


@breaks(folder._with_progress_bar, "10", "a folder of which the second half is nobody's")
def every_other(right, names, rank):
    return right(names[::2], rank)


@breaks(shapley.comb, "11", "sets of features that weigh alike")
def of_one(right, n, size):
    return right(n, min(n, 1))


@breaks(guided._advance, "11", "a guided path that seeks the steep")
def steepest_first(right, alphas, distance, slope, leg):
    return right(alphas, distance, -slope, leg)


@breaks(trees._distribute_with_ties, "11", "jumps whose losses are gains")
def all_gains(right, totals, leaves, value):
    right(totals, leaves, value)
    totals[0] = totals[1]  # the sizes of the jumps


@breaks(curves._exchange_curves, "12", "deletion that begins at the wrong end")
def least_first(right, exchange, values, steps):
    return right(exchange, -values, steps)


@breaks(randomisation.cascading_randomisation, "12", "a network that forgets nothing")
def as_trained(right, f, *args, **options):
    return ((name, f) for name, _ in right(f, *args, **options))


@breaks(prompts.NextTokens.forward, "13", "John is explained, not Mary")
def of_the_other_token(right, self, alphas):
    return -right(self, alphas)


@breaks(prompts.prompt_baseline, "13", "another prompt is taken for zero")
def whatever_was_asked(right, baseline, model, prompt, x, moved=None):
    return right("zero", model, prompt, x, moved)


@breaks(heads._along, "13", "slopes of heads without their change")
def slopes_alone(right, values, gradients):
    return gradients[1:-1].double().sum((0, 1))


@breaks(groups.patches, "14", "patches are twice as wide")
def larger_patches(right, height, width, size):
    return right(height, width, 2 * size)


@breaks(inputs.SeveralInputs.baseline, "14", "several inputs start from zero, whatever is passed")
def several_from_zero(right, self, baseline):
    return right(self, 0.0)
