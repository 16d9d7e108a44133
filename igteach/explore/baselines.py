"""The baseline explorer: one picture against two baselines, side by side."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from ipywidgets import Dropdown
from torch import Tensor

from igteach.core.functions import Function
from igteach.core.validation import check_arguments
from igteach.explore.explorer import Explorer, View
from igteach.explore.pictures import by_squares, check_picture, in_squares, largest, on_screen
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show import rounded
from igteach.show.images import SHARES
from igteach.show.panes import Heatmap, Pane, Picture, Row


def baseline_explorer(f: Function, x: Tensor, baselines: Mapping[str, Tensor | float], target: int | None) -> Explorer:
    """Choose two baselines: each one's picture, and the shares against it, on one colour scale for all.

    f, target  as for integrated_gradients
    x          one picture (1, 3, H, W), (1, 1, H, W) or (1, H, W) in [0, 1]
    baselines  name -> what broadcasts to x; on the screen it is clipped to [0, 1]

    All is computed here; a choice only draws. Raises what integrated_gradients raises, and ValueError for another x
    and where there is no baseline.
    """
    check_picture(x)
    if not baselines:
        raise ValueError("baselines is empty; pass a dictionary from names to baselines")
    answers = {name: integrated_gradients(f, x, start, target) for name, start in baselines.items()}
    shares = {name: in_squares(answer.values)[0] for name, answer in answers.items()}
    pixels = {name: on_screen(check_arguments(f, x, start, target)[1][0]) for name, start in baselines.items()}
    top, unit = largest(np.stack([*shares.values()])), by_squares(SHARES, x)

    def panes(*sides: str) -> list[Pane]:
        found: list[Pane] = [Picture("the picture", on_screen(x[0]))]
        for name in sides:
            found.append(Picture(f"{name} baseline", pixels[name]))
            found.append(Heatmap(f"shares against {name}", shares[name], top, unit))
        return found

    def caption(name: str) -> str:
        neutral = rounded(cast(Tensor, answers[name].f_baseline))[0]
        return f"Against {name}, where F is {neutral:g}: {answers[name]!r}"

    names = list(baselines)
    row = Row(*panes(names[0], names[-1]))

    def draw(left: str, right: str) -> View:
        return row.show(*panes(left, right)), "\n".join(caption(name) for name in dict.fromkeys((left, right)))

    left = Dropdown(options=names, value=names[0], description="left")
    return Explorer(draw, {"left": left, "right": Dropdown(options=names, value=names[-1], description="right")})
