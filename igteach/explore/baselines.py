"""The baseline explorer: one picture against two baselines, side by side."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from igteach.core.functions import Function
from igteach.core.validation import check_arguments
from igteach.explore.live import LiveFigure
from igteach.explore.packing import at_pixels, beneath, in_blocks, packed, picture_uri, squares_in_words
from igteach.explore.pictures import check_picture, colours_of, ghost, on_screen, over_colours
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.panes import Heatmap, Pane, Picture, board
from igteach.show.plates import SHARES, scale_of
from igteach.show.verdicts import verdict_in_words


def baseline_explorer(
    f: Function, x: Tensor, baselines: Mapping[str, Tensor | float], target: int | None
) -> LiveFigure:
    """Choose two baselines and compare the shares against each, on one colour scale for all.

    Everything is computed here; a choice only draws. Large pictures' maps are summed over blocks.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baselines: by name, what broadcasts to x; on the screen they are clipped to [0, 1]. The first two are chosen
            at first.
        target: the class that F is of, or None if it gives one number.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], there is no baseline, or integrated_gradients refuses an argument.

    Example:
        >>> import torch
        >>> def f(x):
        ...     return x.flatten(1).sum(1)
        >>> baseline_explorer(f, torch.ones(1, 4, 4), {"black": 0.0, "grey": 0.5}, None)
        LiveFigure: 6 panes. the picture. black baseline. IG from black: strongest in row 1, column 1 of 4 by 4, ...
    """
    check_picture(x)
    if not baselines:
        raise ValueError("baselines is empty; pass a dictionary from names to baselines")
    names, second = list(baselines), min(1, len(baselines) - 1)
    answers = [integrated_gradients(f, x, baseline, target) for baseline in baselines.values()]
    starts = [on_screen(check_arguments(f, x, baseline, target)[1][0]) for baseline in baselines.values()]
    shares, side = in_blocks(np.concatenate([over_colours(answer.values) for answer in answers]))
    top, how = scale_of([shares])
    picture, grey, (height, width) = on_screen(x[0]), ghost(x[0]), x.shape[-2:]
    data = {
        "names": names,
        "start": {"left": names[0], "right": names[second]},
        "size": {"height": height, "width": width},
        "input": picture_uri(picture),
        "baselines": [picture_uri(start) for start in starts],
        "shares": packed(shares, top),
        "top": top,
        "unit": SHARES,
        "verdicts": [verdict_in_words(answer) for answer in answers],
        **beneath(grey, side),
        "note": f"{how} {squares_in_words(side, colours_of(x))}".strip(),
    }

    def row(at: int) -> list[Pane]:
        squares = at_pixels(shares[at], side, height, width)
        return [
            Picture("the picture", picture),
            Picture(f"{names[at]} baseline", starts[at]),
            Heatmap(f"IG from {names[at]}", squares, top, SHARES, grey),
        ]

    return LiveFigure("baselines", data, board(*row(0), *row(second), columns=3))
