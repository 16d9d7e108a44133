"""The checks of lesson 00: the three numbers that every attribution is read by."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake


def _to_share(draw: torch.Generator) -> list[Case]:
    weights = torch.randn(3, 4, generator=draw)
    points = torch.randn(3, 2, 1, 4, generator=draw)

    def function(weight: Tensor) -> Function:
        return lambda batch: torch.tanh(batch @ weight) + 1.0

    return [
        Case(f"function {number + 1}", (function(weights[number]), points[number, 0], points[number, 1]))
        for number in range(3)
    ]


def _shares(draw: torch.Generator) -> list[Case]:
    cases = []
    for shape in ((4,), (3, 3), (2, 5)):
        values = torch.randn(shape, generator=draw)
        f_input, f_baseline = torch.randn(2, generator=draw).tolist()
        cases.append(Case(f"values of shape {shape}", (values, f_input, f_baseline)))
    return cases


def _maps(draw: torch.Generator) -> list[Case]:
    cases = []
    for shape in ((3, 4), (8, 8), (5, 2)):
        values = torch.randn(shape, generator=draw)
        values.view(-1)[int(torch.randint(values.numel(), (), generator=draw))] = -9.0
        cases.append(Case(f"a map of shape {shape}", (values,)))
    return cases


def difference(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (f(x) - f(baseline))[0]


def residual(values: Tensor, f_input: float, f_baseline: float) -> Tensor:
    return values.sum() - (f_input - f_baseline)


def strongest(values: Tensor) -> Tensor:
    index = int(values.abs().argmax())
    return torch.tensor([index // values.shape[1], index % values.shape[1]])


EXERCISES = [
    Exercise(
        "00.1",
        difference,
        _to_share,
        [
            Mistake("That is F at the input alone. What did the baseline score?", lambda f, x, b: f(x)[0]),
            Mistake(
                "The sign is turned round: the question is what x has gained over the baseline.",
                lambda f, x, b: (f(b) - f(x))[0],
            ),
            Mistake(
                "You scored the difference of the two inputs; score each input, then take the difference.",
                lambda f, x, b: f(x - b)[0],
            ),
            Mistake("You took a size. The sign belongs to the answer.", lambda f, x, b: difference(f, x, b).abs()),
        ],
    ),
    Exercise(
        "00.2",
        residual,
        _shares,
        [
            Mistake(
                "You added up sizes. Shares have signs, and a negative one lowers the sum.",
                lambda v, a, b: v.abs().sum() - (a - b),
            ),
            Mistake("Compare the sum with the difference F(x) - F(x'), not with F(x).", lambda v, a, b: v.sum() - a),
            Mistake(
                "The sign is turned round: the residual is what was given out too much.",
                lambda v, a, b: a - b - v.sum(),
            ),
            Mistake("You averaged the values; they are shares, and shares add up.", lambda v, a, b: v.mean() - (a - b)),
            Mistake("You took a size. The sign belongs to the answer.", lambda v, a, b: residual(v, a, b).abs()),
        ],
    ),
    Exercise(
        "00.3",
        strongest,
        _maps,
        [
            Mistake(
                "A share can be strong and negative. You looked for the most positive one.",
                lambda v: torch.tensor(divmod(int(v.argmax()), v.shape[1])),
            ),
            Mistake("That is the flat index. Turn it into a row and a column.", lambda v: v.abs().argmax()),
            Mistake(
                "Row and column have changed places.",
                lambda v: torch.tensor(divmod(int(v.abs().argmax()), v.shape[1])[::-1]),
            ),
            Mistake("You counted from one; rows and columns count from zero.", lambda v: strongest(v) + 1),
        ],
    ),
]
