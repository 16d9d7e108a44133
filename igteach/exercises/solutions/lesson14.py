"""Lesson 14's solutions and mistakes.

The place where F is read, two inputs, unexplained stretches of a path, a diagnosis.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line

ENOUGH = 0.05  # a fraction of |F(x) - F(x')| below which a difference does not count

# Solutions


def read_out(logits: Tensor, lengths: Tensor, target: int) -> Tensor:
    """Exercise 14.1: the logit of a class after the last step that was not padded."""
    return logits[torch.arange(len(logits)), lengths - 1, target]


def two_inputs(
    f: Function, first: Tensor, second: Tensor, first_start: Tensor, second_start: Tensor, steps: int
) -> Tensor:
    """Exercise 14.2: what each of two inputs contributes while both move together."""
    return _shares(f, (first, second), (first_start, second_start), _midpoints(steps))


def unexplained(f: Function, x: Tensor, baseline: Tensor, stretches: int) -> Tensor:
    """Exercise 14.3: for each stretch of the path, how F changes beyond what its gradient accounts for."""
    return _heights(f, x, baseline, stretches).diff() - _promised(f, x, baseline, _midpoints(stretches)) / stretches


def diagnose(again: float, residuals: Tensor, gaps: Tensor) -> str:
    """Exercise 14.4: the tree, from chance to the slopes."""
    return _walk(again, residuals, gaps)


# Helpers of the solutions and of the mistakes


def _midpoints(steps: int) -> Tensor:
    return ((torch.arange(steps) + 0.5) / steps).double()


def _slopes(f: Function, points: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """The gradient with respect to each of two inputs, row by row."""
    inputs = [each.clone().requires_grad_() for each in points]
    return torch.autograd.grad(f(*inputs).sum(), inputs)


def _on_path(inputs: tuple[Tensor, Tensor], starts: tuple[Tensor, Tensor], alphas: Tensor) -> tuple[Tensor, Tensor]:
    """Points of both inputs at some alphas."""
    first, second = (start + alphas[:, None] * (x - start) for x, start in zip(inputs, starts, strict=True))
    return first, second


def _times(
    f: Function,
    inputs: tuple[Tensor, Tensor],
    starts: tuple[Tensor, Tensor],
    factors: tuple[Tensor, Tensor],
    alphas: Tensor,
) -> Tensor:
    """(2,), the mean gradient at some points of the straight path, times factors."""
    slopes = _slopes(f, _on_path(inputs, starts, alphas))
    return torch.stack([(g.mean(0) * factor).sum() for g, factor in zip(slopes, factors, strict=True)])


def _shares(f: Function, inputs: tuple[Tensor, Tensor], starts: tuple[Tensor, Tensor], alphas: Tensor) -> Tensor:
    """(2,), by the mean gradient at some points of the straight path."""
    (first, second), (first_start, second_start) = inputs, starts
    return _times(f, inputs, starts, (first - first_start, second - second_start), alphas)


def _others_held(
    f: Function,
    inputs: tuple[Tensor, Tensor],
    held: tuple[Tensor, Tensor],
    starts: tuple[Tensor, Tensor],
    alphas: Tensor,
) -> Tensor:
    """(2,), each input moves by itself while the other is held."""
    first, second = _on_path(inputs, starts, alphas)
    on_first = _slopes(f, (first, held[1].expand_as(second)))[0]
    on_second = _slopes(f, (held[0].expand_as(first), second))[1]
    return torch.stack(
        [(on_first.mean(0) * (inputs[0] - starts[0])).sum(), (on_second.mean(0) * (inputs[1] - starts[1])).sum()]
    )


def _of_each(numbers: Tensor, first: Tensor) -> Tensor:
    """(2, the most features), the numbers of the first input and those of the second, filled up with zeros."""
    return torch.nn.utils.rnn.pad_sequence([numbers[: first.shape[1]], numbers[first.shape[1] :]], batch_first=True)


def _one_comes_back(f: Function, a: Tensor, b: Tensor, a0: Tensor, b0: Tensor, steps: int) -> Tensor:
    """The shares where the first input moves from its baseline while the second moves back to its own."""
    ahead, behind = _on_path((a, b0), (a0, b), _midpoints(steps))
    on_first, on_second = _slopes(f, (ahead, behind))
    return torch.stack([(on_first.mean(0) * (a - a0)).sum(), (on_second.mean(0) * (b - b0)).sum()])


def _per_feature(f: Function, inputs: tuple[Tensor, Tensor], starts: tuple[Tensor, Tensor], alphas: Tensor) -> Tensor:
    """The shares of all features, one input after the other."""
    slopes = _slopes(f, _on_path(inputs, starts, alphas))
    return torch.cat([(g.mean(0) * (x - b))[0] for g, x, b in zip(slopes, inputs, starts, strict=True)])


def _heights(f: Function, x: Tensor, baseline: Tensor, stretches: int) -> Tensor:
    """(stretches + 1,), F at the ends of the stretches."""
    alphas = torch.linspace(0, 1, stretches + 1, dtype=torch.float64)
    return f(baseline + alphas[:, None] * (x - baseline)).detach()


def _promised(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """(alphas,), the change of F over the whole path if its slope were everywhere that at alpha."""
    return (gradients_on_line(f, x, baseline, alphas) * (x - baseline)).sum(1)


def _walk(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again >= ENOUGH:
        return "chance"
    return _walk_on(residuals, gaps)


def _walk_on(residuals: Tensor, gaps: Tensor) -> str:
    residuals, gaps = residuals.abs(), gaps.abs()
    if residuals[-1] < ENOUGH:
        return "nothing"
    if residuals[-1] < residuals[0] / 2:
        return "steps"
    return _of_path(gaps)


def _of_path(gaps: Tensor) -> str:
    if gaps.sum() < ENOUGH:
        return "count"
    return "jump" if gaps.max() > gaps.sum() / 2 else "slopes"


def _signed_residuals(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again < ENOUGH and residuals[-1] < ENOUGH:
        return "nothing"
    if again < ENOUGH and residuals[-1] < residuals[0] / 2:
        return "steps"
    return "chance" if again >= ENOUGH else _of_path(gaps.abs())


def _by_the_sum(largest: Callable[[Tensor], Tensor]) -> Callable[[float, Tensor, Tensor], str]:
    """The walk where gaps of both signs cancel in the sum, and the largest is found so."""

    def walk(again: float, residuals: Tensor, gaps: Tensor) -> str:
        walked = _walk(again, residuals, gaps)
        if walked in ("chance", "nothing", "steps"):
            return walked
        if gaps.sum().abs() < ENOUGH:
            return "count"
        return "jump" if largest(gaps) > gaps.sum().abs() / 2 else "slopes"

    return walk


def _path_before_steps(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again >= ENOUGH or residuals[-1].abs() < ENOUGH:
        return _walk(again, residuals, gaps)
    return _of_path(gaps.abs()) if gaps.abs().sum() >= ENOUGH else _walk(again, residuals, gaps)


def _nothing_by(chosen: Callable[[Tensor], Tensor]) -> Callable[[float, Tensor, Tensor], str]:
    """The walk where another residual says that there is nothing."""

    def walk(again: float, residuals: Tensor, gaps: Tensor) -> str:
        if again >= ENOUGH:
            return "chance"
        if chosen(residuals.abs()) < ENOUGH:
            return "nothing"
        return "steps" if residuals[-1].abs() < residuals[0].abs() / 2 else _of_path(gaps.abs())

    return walk


def _reversed_ratio(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again >= ENOUGH or residuals[-1].abs() < ENOUGH:
        return _walk(again, residuals, gaps)
    return "steps" if residuals[0].abs() < residuals[-1].abs() / 2 else _of_path(gaps.abs())


def _jump_before_count(again: float, residuals: Tensor, gaps: Tensor) -> str:
    is_jump = gaps.abs().max() > gaps.abs().sum() / 2
    walked = _walk(again, residuals, gaps)
    return "jump" if walked == "count" and is_jump else walked


def _largest_with_its_sign(again: float, residuals: Tensor, gaps: Tensor) -> str:
    walked = _walk(again, residuals, gaps)
    return "slopes" if walked == "jump" and gaps.max() <= gaps.abs().sum() / 2 else walked


def _no_jumps(again: float, residuals: Tensor, gaps: Tensor) -> str:
    walked = _walk(again, residuals, gaps)
    return "slopes" if walked == "jump" else walked


def _steps_before_nothing(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again < ENOUGH and residuals[-1].abs() < residuals[0].abs() / 2:
        return "steps"
    return _walk(again, residuals, gaps)


def _steps_if_it_does_not_shrink(again: float, residuals: Tensor, gaps: Tensor) -> str:
    if again >= ENOUGH or residuals[-1].abs() < ENOUGH:
        return _walk(again, residuals, gaps)
    return "steps" if residuals[0].abs() < 2 * residuals[-1].abs() else _of_path(gaps.abs())


def _count_by_the_largest(again: float, residuals: Tensor, gaps: Tensor) -> str:
    walked = _walk(again, residuals, gaps)
    return "count" if walked in ("jump", "slopes") and gaps.abs().max() < ENOUGH else walked


def _gaps_with_signs(again: float, residuals: Tensor, gaps: Tensor) -> str:
    walked = _walk(again, residuals, gaps)
    return walked if walked in ("chance", "nothing", "steps") else _of_path(gaps)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["14.1"],
        solution=read_out,
        mistakes=[
            Mistake(
                "You read the last step of all. In a shorter series that is padding.",
                lambda z, n, t: z[:, -1, t],
            ),
            Mistake(
                "You read one step too late: in a series of 3 steps the last has index 2.",
                lambda z, n, t: z[torch.arange(len(z)), n, t],
            ),
            Mistake(
                "You read one step too early: in a series of 3 steps the last has index 2.",
                lambda z, n, t: z[torch.arange(len(z)), n - 2, t],
            ),
            Mistake("You read the first step, where the model has seen only that one.", lambda z, n, t: z[:, 0, t]),
            Mistake(
                "You averaged over all steps, padding included. Read the last step of each series.",
                lambda z, n, t: z[..., t].mean(1),
            ),
            Mistake(
                "You averaged over the steps of each series. Read only what the model says after its last step.",
                lambda z, n, t: torch.stack([row[:length, t].mean() for row, length in zip(z, n, strict=True)]),
            ),
            Mistake(
                "You kept every class. F is one number for each series, that of the target.",
                lambda z, n, t: z[torch.arange(len(z)), n - 1],
            ),
            Mistake(
                "That is the probability. The logit is asked for.",
                lambda z, n, t: z.softmax(2)[torch.arange(len(z)), n - 1, t],
            ),
            Mistake(
                "You read every series at the length of the longest. Each has a length of its own.",
                lambda z, n, t: z[:, int(n.max()) - 1, t],
            ),
            Mistake(
                "You read every series at the length of the shortest. Each has a length of its own.",
                lambda z, n, t: z[:, int(n.min()) - 1, t],
            ),
            Mistake(
                "You read every series at the length of the first. Each has a length of its own.",
                lambda z, n, t: z[:, int(n[0]) - 1, t],
            ),
            Mistake(
                "You counted from the end, and the padding is there. Count from the beginning: length - 1.",
                lambda z, n, t: z[torch.arange(len(z)), -n, t],
            ),
            Mistake(
                "You added up the steps of each series. Read only what the model says after its last step.",
                lambda z, n, t: torch.stack([row[:length, t].sum() for row, length in zip(z, n, strict=True)]),
            ),
            Mistake(
                "You took the largest logit, whichever class it is of. F is that of the target.",
                lambda z, n, t: z[torch.arange(len(z)), n - 1].amax(1),
            ),
            Mistake(
                "You have every series at the length of every other. Take one step of each: a number for each series.",
                lambda z, n, t: z[:, n - 1, t],
            ),
        ],
    ),
    Exercise(
        task=TASKS["14.2"],
        solution=two_inputs,
        mistakes=[
            Mistake(
                "You moved the first input, then the second. That is another path: move both at once.",
                lambda f, a, b, a0, b0, n: _others_held(f, (a, b), (a, b0), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "You moved each input while the other stayed at its baseline. The two shares then belong to two paths, "
                "and do not add up: move both at once.",
                lambda f, a, b, a0, b0, n: _others_held(f, (a, b), (a0, b0), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "You moved each input while the other was already at its end. The two shares then belong to two "
                "paths, and do not add up: move both at once.",
                lambda f, a, b, a0, b0, n: _others_held(f, (a, b), (a, b), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "You took the gradients at the end of the path alone. Take their mean along it.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), torch.ones(1).double()),
            ),
            Mistake(
                "Your points begin at zero. The path begins at the baselines.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (0 * a0, 0 * b0), _midpoints(n)),
            ),
            Mistake(
                "You multiplied by the inputs. The path begins at the baselines: multiply by each displacement.",
                lambda f, a, b, a0, b0, n: _times(f, (a, b), (a0, b0), (a, b), _midpoints(n)),
            ),
            Mistake(
                "You added up the slopes alone. A share is a mean slope times the displacement.",
                lambda f, a, b, a0, b0, n: _times(
                    f, (a, b), (a0, b0), (torch.ones_like(a), torch.ones_like(b)), _midpoints(n)
                ),
            ),
            Mistake(
                "You took the gradients where each step begins. The midpoint rule takes them at its midpoint.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), torch.arange(n).double() / n),
            ),
            Mistake(
                "You took the gradients where each step ends. The midpoint rule takes them at its midpoint.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), (torch.arange(n) + 1).double() / n),
            ),
            Mistake(
                "You ignore `steps`: on one case it is 2.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), _midpoints(50)),
            ),
            Mistake(
                "You have a share for each feature. Add up those of each input: two numbers are wanted.",
                lambda f, a, b, a0, b0, n: _per_feature(f, (a, b), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "You summed over the steps. Take their mean: your shares are too large by a factor of the number of "
                "steps.",
                lambda f, a, b, a0, b0, n: n * _shares(f, (a, b), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "The inputs are swapped: the share of the first comes first.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), _midpoints(n)).flip(0),
            ),
            Mistake(
                "The sign is flipped: the path leads from the baselines to the inputs.",
                lambda f, a, b, a0, b0, n: -_shares(f, (a, b), (a0, b0), _midpoints(n)),
            ),
            Mistake(
                "You took an absolute value. A share may be negative, and keeps its sign.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), _midpoints(n)).abs(),
            ),
            Mistake(
                "You added up absolute values over the features. They speak for and against: keep the signs.",
                lambda f, a, b, a0, b0, n: _of_each(_per_feature(f, (a, b), (a0, b0), _midpoints(n)).abs(), a).sum(1),
            ),
            Mistake(
                "You took the mean over the features. The share of an input is the sum over its features.",
                lambda f, a, b, a0, b0, n: (
                    _shares(f, (a, b), (a0, b0), _midpoints(n)) / torch.tensor([a.shape[1], b.shape[1]])
                ),
            ),
            Mistake(
                "Your alphas run from 0 to 1, both ends included. The midpoint rule takes the middle of each step.",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), torch.linspace(0, 1, n).double()),
            ),
            Mistake(
                "Your points are alpha times the inputs, so they begin at zero; you multiply by the displacements "
                "from the baselines. Let the points begin there, too.",
                lambda f, a, b, a0, b0, n: _times(f, (a, b), (0 * a0, 0 * b0), (a - a0, b - b0), _midpoints(n)),
            ),
            Mistake(
                "One of your inputs goes from its baseline, the other comes back to it. Give both the same alphas.",
                _one_comes_back,
            ),
            Mistake(
                "That is one number for both. How much of it is due to each?",
                lambda f, a, b, a0, b0, n: _shares(f, (a, b), (a0, b0), _midpoints(n)).sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["14.3"],
        solution=unexplained,
        mistakes=[
            Mistake(
                "A stretch is a small piece of the path: divide slope times displacement by the number of stretches.",
                lambda f, x, b, n: _heights(f, x, b, n).diff() - _promised(f, x, b, _midpoints(n)),
            ),
            Mistake(
                "That is the change of F. Subtract what the gradient accounts for.",
                lambda f, x, b, n: _heights(f, x, b, n).diff(),
            ),
            Mistake(
                "That is what the gradient accounts for. Subtract it from the change of F.",
                lambda f, x, b, n: _promised(f, x, b, _midpoints(n)) / n,
            ),
            Mistake(
                "The sign is flipped: the change of F, minus what the gradient accounts for.",
                lambda f, x, b, n: -unexplained(f, x, b, n),
            ),
            Mistake(
                "You took absolute values. Keep the signs: they say whether F rises or falls unexplained.",
                lambda f, x, b, n: unexplained(f, x, b, n).abs(),
            ),
            Mistake(
                "You took the gradient where a stretch begins. It is wanted at its midpoint.",
                lambda f, x, b, n: _heights(f, x, b, n).diff() - _promised(f, x, b, torch.arange(n).double() / n) / n,
            ),
            Mistake(
                "You took the gradient where a stretch ends. It is wanted at its midpoint.",
                lambda f, x, b, n: (
                    _heights(f, x, b, n).diff() - _promised(f, x, b, (torch.arange(n) + 1).double() / n) / n
                ),
            ),
            Mistake(
                "You multiplied the gradient by x. The path begins at the baseline: multiply by x - x'.",
                lambda f, x, b, n: (
                    _heights(f, x, b, n).diff() - (gradients_on_line(f, x, b, _midpoints(n)) * x).sum(1) / n
                ),
            ),
            Mistake(
                "You added up along the path. One number for each stretch is wanted.",
                lambda f, x, b, n: unexplained(f, x, b, n).cumsum(0),
            ),
            Mistake(
                "That is their sum, the residual with its sign flipped. Where on the path is it?",
                lambda f, x, b, n: unexplained(f, x, b, n).sum(),
            ),
            Mistake(
                "Yours runs from x to the baseline. The first stretch is the one at the baseline.",
                lambda f, x, b, n: unexplained(f, x, b, n).flip(0),
            ),
            Mistake(
                "You walked from x to the baseline. Begin at the baseline, and let F change from there to x.",
                lambda f, x, b, n: unexplained(f, b, x, n),
            ),
            Mistake(
                "You divided by the change of F. The difference itself is asked for.",
                lambda f, x, b, n: unexplained(f, x, b, n) / (f(x) - f(b)).abs(),
            ),
            Mistake(
                "You added what the gradient accounts for. Subtract it: what is left?",
                lambda f, x, b, n: _heights(f, x, b, n).diff() + _promised(f, x, b, _midpoints(n)) / n,
            ),
            Mistake(
                "Your path begins at zero. It begins at the baseline.",
                lambda f, x, b, n: unexplained(f, x, 0 * b, n),
            ),
            Mistake(
                "You took one slope for the whole path, the mean. Each stretch has a slope of its own.",
                lambda f, x, b, n: _heights(f, x, b, n).diff() - _promised(f, x, b, _midpoints(n)).mean() / n,
            ),
            Mistake(
                "You did not multiply the slopes by the displacement.",
                lambda f, x, b, n: _heights(f, x, b, n).diff() - gradients_on_line(f, x, b, _midpoints(n)).sum(1) / n,
            ),
            Mistake(
                "That many ends enclose one stretch fewer. Take linspace(0, 1, stretches + 1).",
                lambda f, x, b, n: unexplained(f, x, b, n - 1),
            ),
        ],
    ),
    Exercise(
        task=TASKS["14.4"],
        solution=diagnose,
        mistakes=[
            Mistake(
                "You did not ask first whether F gives the same answer twice. If it does not, residuals mean nothing, "
                "not even small ones.",
                lambda again, residuals, gaps: _walk_on(residuals, gaps),
            ),
            Mistake(
                "A negative residual is a residual, too: compare absolute values.",
                _signed_residuals,
            ),
            Mistake(
                "You judged by the fewest steps. Their residual may be small by luck, or large for lack of steps.",
                lambda again, residuals, gaps: _walk(again, residuals[[0, 0, 0]], gaps),
            ),
            Mistake(
                "Gaps of both signs cancel in your sum: add up absolute values.",
                _by_the_sum(torch.max),
            ),
            Mistake(
                "You looked at the path before you looked at the residuals of more steps. If they shrink, "
                "more steps are all that is needed.",
                _path_before_steps,
            ),
            Mistake(
                "You mistook one large gap for many. If one holds more than half of the unexplained, F jumps there.",
                _no_jumps,
            ),
            Mistake(
                "You looked at the residuals before you asked whether F gives the same answer twice. If it does not, "
                "they mean nothing.",
                lambda again, residuals, gaps: (
                    "nothing" if residuals[-1].abs() < ENOUGH else _walk(again, residuals, gaps)
                ),
            ),
            Mistake(
                'For "nothing" you took the largest residual. Use the residual with the most steps.',
                _nothing_by(torch.amax),
            ),
            Mistake(
                'For "nothing" you took the residual with the fewest steps. Use the one with the most.',
                _nothing_by(lambda residuals: residuals[0]),
            ),
            Mistake(
                "Your ratio is upside down: take more steps if the last residual is less than half of the first.",
                _reversed_ratio,
            ),
            Mistake(
                "You looked for a jump before you asked whether the gaps count at all.",
                _jump_before_count,
            ),
            Mistake(
                "You compared the largest gap with its sign. F may jump down, too: take absolute values.",
                _largest_with_its_sign,
            ),
            Mistake(
                "You asked whether the residual shrinks before you asked whether it counts at all.",
                _steps_before_nothing,
            ),
            Mistake(
                "Less is not enough: the last residual is to be less than half of the first.",
                lambda again, residuals, gaps: _walk(again, residuals * torch.tensor([2.0, 1.0, 1.0]), gaps),
            ),
            Mistake(
                "You compared the last residual with the one before. Compare it with that of the fewest steps.",
                lambda again, residuals, gaps: _walk(again, residuals[[1, 1, 2]], gaps),
            ),
            Mistake(
                "You asked whether the residual grows. Take more steps if the last one is less than half of the first.",
                _steps_if_it_does_not_shrink,
            ),
            Mistake(
                "You compared the largest gap with 0.05. Many small ones add up: compare their sum.",
                _count_by_the_largest,
            ),
            Mistake(
                "Two answers that differ by less than 0.05 count as the same.",
                lambda again, residuals, gaps: "chance" if again > 0 else _walk(again, residuals, gaps),
            ),
            Mistake(
                "You left out the fourth question. If there are no gaps, the gradient is right, and the count is not.",
                lambda again, residuals, gaps: (
                    _of_path(gaps.abs() / gaps.abs().sum())
                    if _walk(again, residuals, gaps) == "count"
                    else _walk(again, residuals, gaps)
                ),
            ),
            Mistake(
                "You swapped the last two: where one gap holds more than half, F jumps.",
                lambda again, residuals, gaps: {"jump": "slopes", "slopes": "jump"}.get(
                    _walk(again, residuals, gaps), _walk(again, residuals, gaps)
                ),
            ),
            Mistake(
                "You call it a jump if the largest gap is twice the mean. It has to be more than half of the sum.",
                lambda again, residuals, gaps: (
                    "jump"
                    if _walk(again, residuals, gaps) == "slopes" and gaps.abs().max() > 2 * gaps.abs().mean()
                    else _walk(again, residuals, gaps)
                ),
            ),
            Mistake(
                "Gaps of both signs cancel if you add them up first. Take absolute values, then the sum.",
                _by_the_sum(lambda gaps: gaps.abs().max()),
            ),
            Mistake(
                "A negative gap is a gap, too: take absolute values before you add up and compare.",
                _gaps_with_signs,
            ),
            Mistake(
                "Write the words as the docstring does, in small letters.",
                lambda again, residuals, gaps: _walk(again, residuals, gaps).capitalize(),
            ),
        ],
    ),
]
