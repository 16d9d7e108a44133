"""The baseline explorer: one picture against two baselines, side by side."""

from collections.abc import Mapping

from ipywidgets import Dropdown
from torch import Tensor

from igteach.core.functions import Function
from igteach.core.validation import check_arguments
from igteach.explore.explorer import Explorer, View
from igteach.explore.pictures import check_picture, ghost, on_screen, over_colours
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.panes import Board, Heatmap, Pane, Picture
from igteach.show.plates import SHARES, scale_of
from igteach.show.verdicts import verdict_in_words


def baseline_explorer(f: Function, x: Tensor, baselines: Mapping[str, Tensor | float], target: int | None) -> Explorer:
    """Choose two baselines and compare the shares against each, on one colour scale for all.

    Everything is computed here; a choice only draws.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baselines: by name, what broadcasts to x; on the screen they are clipped to [0, 1].
        target: the class that F is of, or None if it gives one number.

    Returns:
        The explorer, which a notebook shows.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], there is no baseline, or integrated_gradients refuses an argument.

    Example:
        >>> import torch
        >>> def f(x):
        ...     return x.flatten(1).sum(1)
        >>> baseline_explorer(f, torch.ones(1, 4, 4), {"black": 0.0, "grey": 0.5}, None)
        Explorer: 6 panes. the picture. black baseline. IG from black: strongest in row 1, column 1 of 4 by 4, ...
    """
    check_picture(x)
    if not baselines:
        raise ValueError("baselines is empty; pass a dictionary from names to baselines")
    answers, shares, pixels = {}, {}, {}
    for name, baseline in baselines.items():
        answers[name] = integrated_gradients(f, x, baseline, target)
        shares[name] = over_colours(answers[name].values)[0]
        _, start, _ = check_arguments(f, x, baseline, target)
        pixels[name] = on_screen(start[0])
    top, how = scale_of([*shares.values()])
    beneath = ghost(x[0])

    def panes(*sides: str) -> list[Pane]:
        rows = (
            (
                Picture("the picture", on_screen(x[0])),
                Picture(f"{name} baseline", pixels[name]),
                Heatmap(f"IG from {name}", shares[name], top, SHARES, beneath),
            )
            for name in sides
        )
        return [pane for row in rows for pane in row]

    def caption(name: str) -> str:
        return f"Against {name}: {verdict_in_words(answers[name])}"

    names = list(baselines)
    board = Board(*panes(names[0], names[-1]), columns=3)

    def draw(left: str, right: str) -> View:
        chosen = [left] if left == right else [left, right]
        return board.show(*panes(left, right)), "\n".join([*map(caption, chosen), how])

    controls = {
        "left": Dropdown(options=names, value=names[0], description="left"),
        "right": Dropdown(options=names, value=names[-1], description="right"),
    }
    return Explorer(draw, controls)
