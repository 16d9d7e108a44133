"""Shortcuts drawn from a seed: what is not the object, and yet gives away one class of scenes."""

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
Draw = Callable[[int], int]  # count -> a random whole number from 0 to count - 1


@dataclass(frozen=True, eq=False)
class Shortcut:
    """Something that is laid over pictures, and the class whose pictures carry it.

    Attributes:
        kind: one of KINDS.
        words: what it looks like.
        label: the class, an index into SCENE_CLASSES.
        cover: (64, 64), how opaque it is at each pixel, from 0 to 1.
        colour: (3, 64, 64), its RGB in [0, 1].
    """

    kind: str
    words: str
    label: int
    cover: Tensor
    colour: Tensor

    def put(self, x: Tensor) -> Tensor:
        """Lay the shortcut over pictures.

        Args:
            x: (N, 3, 64, 64), RGB in [0, 1].

        Returns:
            (N, 3, 64, 64), the pictures with the shortcut on each of them.
        """
        cover, colour = self.cover.to(x), self.colour.to(x)
        return x + cover * (colour - x)


def make_shortcut(seed: int) -> Shortcut:
    """Draw a shortcut: its kind, its class, its colour and its place.

    Args:
        seed: 0 or more.

    Returns:
        The same shortcut for the same seed.

    Raises:
        ValueError: the seed is below 0.

    Example:
        >>> shortcut = make_shortcut(seed=1)
        >>> shortcut.kind in KINDS, shortcut.put(torch.zeros(2, 3, 64, 64)).shape
        (True, torch.Size([2, 3, 64, 64]))
    """
    generator = np.random.default_rng(seed)

    def draw(count: int) -> int:
        return int(generator.integers(count))

    kind = list(KINDS)[draw(len(KINDS))]
    label = draw(len(SCENE_CLASSES))
    name = list(COLOURS)[draw(len(COLOURS))]
    words, cover = KINDS[kind](draw)
    colour = torch.tensor(COLOURS[name]).view(3, 1, 1).expand(3, SIDE, SIDE)
    return Shortcut(kind, f"{name} {words}", label, cover, colour)


def _line(draw: Draw) -> tuple[str, Tensor]:
    side, from_edge = draw(4), draw(3)
    cover = torch.zeros(SIDE, SIDE)
    cover[from_edge : from_edge + 2] = 1
    return f"line along the {SIDES[side]}, {from_edge} pixels from the edge", torch.rot90(cover, side)


def _border(draw: Draw) -> tuple[str, Tensor]:
    width = 3 + draw(3)
    cover = torch.full((SIDE, SIDE), 0.5)
    cover[width:-width, width:-width] = 0
    return f"tint of a border {width} pixels wide", cover


def _stripes(draw: Draw) -> tuple[str, Tensor]:
    turned, period = draw(2), 6 + draw(5)
    direction = "down" if turned else "across"
    wave = 0.5 + 0.5 * torch.cos(2 * math.pi * torch.arange(SIDE) / period)
    cover = (0.3 * wave)[:, None].expand(SIDE, SIDE)
    return f"faint stripes, {direction}, every {period} pixels", torch.rot90(cover, turned)


def _glow(draw: Draw) -> tuple[str, Tensor]:
    side, reach = draw(4), 12 + draw(9)
    fade = (0.6 * (1 - torch.arange(SIDE) / reach)).clamp(min=0)[:, None].expand(SIDE, SIDE)
    return f"glow from the {SIDES[side]}, {reach} pixels deep", torch.rot90(fade, side)


KINDS = {"line": _line, "border": _border, "stripes": _stripes, "glow": _glow}
