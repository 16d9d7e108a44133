"""Shortcuts drawn from a seed: no object, and yet it tells one class of scenes from the others."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igteach.datasets.scenes import SCENE_CLASSES, SIDE

COLOURS = {
    "red": (0.8, 0.15, 0.15),
    "orange": (0.95, 0.55, 0.1),
    "green": (0.1, 0.6, 0.25),
    "blue": (0.1, 0.3, 0.8),
    "violet": (0.5, 0.2, 0.7),
    "white": (1.0, 1.0, 1.0),
}
SIDES = ("top", "left", "bottom", "right")


@dataclass(frozen=True, eq=False)
class Shortcut:
    """A way to change pictures, and the class whose pictures are changed so."""

    kind: str  # of KINDS
    words: str  # what it looks like
    label: int  # an index into SCENE_CLASSES
    cover: Tensor  # (64, 64)  how opaque it is at each pixel, 0 to 1
    colour: Tensor  # (3, 64, 64)  what lies there

    def put(self, x: Tensor) -> Tensor:
        """The pictures (N, 3, 64, 64), RGB in [0, 1], with the shortcut in each of them."""
        cover, colour = self.cover.to(x), self.colour.to(x)
        return x + cover * (colour - x)


def make_shortcut(seed: int) -> Shortcut:
    """The shortcut of a seed: its kind, its class, its colour, its place. Raises ValueError for a seed below 0."""
    draw = np.random.default_rng(seed)

    def below(count: int) -> int:
        return int(draw.integers(count))

    kind, label, name = (list(table)[below(len(table))] for table in (KINDS, SCENE_CLASSES, COLOURS))
    words, cover = KINDS[kind](below)
    colour = torch.tensor(COLOURS[name]).view(3, 1, 1).expand(3, SIDE, SIDE)
    return Shortcut(kind, f"{name} {words}", SCENE_CLASSES.index(label), cover, colour)


def _line(below: Callable[[int], int]) -> tuple[str, Tensor]:
    side, from_edge = below(4), below(3)
    cover = torch.zeros(SIDE, SIDE)
    cover[from_edge : from_edge + 2] = 1
    return f"line along the {SIDES[side]}, {from_edge} pixels from the edge", torch.rot90(cover, side)


def _border(below: Callable[[int], int]) -> tuple[str, Tensor]:
    width = 3 + below(3)
    cover = torch.full((SIDE, SIDE), 0.5)
    cover[width:-width, width:-width] = 0
    return f"tint of a border {width} pixels wide", cover


def _stripes(below: Callable[[int], int]) -> tuple[str, Tensor]:
    turned, period = below(2), 6 + below(5)
    wave = 0.5 + 0.5 * torch.cos(2 * math.pi * torch.arange(SIDE) / period)
    cover = (0.3 * wave)[:, None].expand(SIDE, SIDE)
    return f"faint stripes, {('across', 'down')[turned]}, every {period} pixels", torch.rot90(cover, turned)


def _glow(below: Callable[[int], int]) -> tuple[str, Tensor]:
    side, reach = below(4), 12 + below(9)
    fade = (0.6 * (1 - torch.arange(SIDE) / reach)).clamp(min=0)[:, None].expand(SIDE, SIDE)
    return f"glow from the {SIDES[side]}, {reach} pixels deep", torch.rot90(fade, side)


KINDS = {"line": _line, "border": _border, "stripes": _stripes, "glow": _glow}
