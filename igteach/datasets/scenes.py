"""Scenes: pictures drawn by code from a seed, with the truth about them: which pixels are the object that decides.

They look like paper cut-outs on patterned paper. Only the shape of the object tells its class: its colours, patterns,
place, size and rotation, and the distractors around it, are independent of the class.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray

SCENE_CLASSES = ("star", "heart", "moon", "ring", "cross", "triangle", "fish", "house")
SIDE = 64
MARK = (slice(56, 62), slice(56, 62))  # the rows and columns of the mark, a painter's seal
RADIUS = (9, 17)  # of the circle around an object, in pixels
MARGIN = 2  # pixels at least from that circle to the edges of the picture and to the mark
DISTRACTORS = {  # the radius of the circle around each, in pixels
    "dot": (1.5, 3.5),
    "stick": (3.5, 7),
    "square": (2.5, 4.5),
    "leaf": (3.5, 6),
    "egg": (2.5, 4.5),
    "zigzag": (4, 6.5),
}
TRIES = 14  # distractors for which a free place is sought
CHUNK_SIZE = 64  # scenes that are drawn at once: few enough to stay in the processor's cache
TABLE_REACH = 2.5  # tables of distances cover [-2.5, 2.5] across and down, where a shape has radius 1
TABLE_CELLS = 160  # along a side of such a table

PALETTES = (  # two neighbouring colours of the ground, then six that stand out from them
    "f4e9d0 e9d8b4 1f3c88 d1362f 1e7b5a c96f12 2b2b33 8e3b8c",  # cream
    "c3e2ee a3d0e6 d94f30 fffaf0 22577a e9a01b 5b3a73 2e7d4f",  # sky
    "a9c98b 8fb870 c8372d fbf6e5 2c4a7c f9d54a 5a2a55 7a3515",  # meadow
    "1e2a4a 2d3d66 f6d55c f4ede0 f28c6b 8fd3c8 e58fb1 b9c6f2",  # night
    "2a7f92 1f6a80 f7e6c4 f5a65b ffd166 f9c6c9 d6f0e8 10202f",  # sea
    "f5d3ca ebbcaf a1273c 2f5d62 3d2c4e fffaf0 4f6b2c 1d4e89",  # rose
    "eec05f e0a83f 1b3b6f 9b2226 fff4dc 2f5233 5c2a5e 1c1917",  # ochre
    "d3c9e8 bdafdc 4a2c6b fbe98a c93a50 1d5c63 fffdf7 c2570c",  # lavender
    "9c4a34 84402c f5e6cc f6c453 b5dcc4 23193a f4b8a8 9ad1d4",  # clay
    "dbe0d2 c7cfbb 7b2d26 264653 d9642f 3a5a40 6a4c93 c9184a",  # sage
)
SEAL = "b3202a fdf3e1"


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures of one object each.

    Attributes:
        x: (N, 3, 64, 64) float32, RGB in [0, 1], in steps of 1/255.
        y: (N,) int64, the class of the object, an index into SCENE_CLASSES.
        mask: (N, 64, 64) bool, the pixels of the object.
        background: (N, 3, 64, 64) float32, the same scenes without the object and its shadow.
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    background: Tensor


def make_scenes(count: int, seed: int, *, mark: int | str | None = None) -> Scenes:
    """Draw the first scenes of a seed. Each depends on the seed and its own number only.

    Each run of eight scenes, from the first on, shows each class once. The pictures are the same to the last bit on
    every processor and with every NumPy: they use the raw output of PCG64, arithmetic that IEEE 754 fixes, and sines
    and cosines rounded to six decimals.

    Args:
        count: how many scenes, 1 or more.
        seed: 0 or more.
        mark: the class whose pictures carry the mark, an index into SCENE_CLASSES, or "all", or None. The mark changes
            the pixels at MARK and no others, and no object is near it.

    Returns:
        The scenes.

    Raises:
        TypeError: a count, a seed or a mark is not a whole number.
        ValueError: one is out of range.

    Example:
        >>> scenes = make_scenes(8, seed=0)
        >>> scenes.x.shape
        torch.Size([8, 3, 64, 64])
        >>> sorted(SCENE_CLASSES[label] for label in scenes.y)
        ['cross', 'fish', 'heart', 'house', 'moon', 'ring', 'star', 'triangle']
    """
    _check_whole_number("count", count, least=1)
    _check_whole_number("seed", seed, least=0)
    if mark not in (None, "all"):
        _check_whole_number("mark", mark, least=0, most=len(SCENE_CLASSES) - 1, what=" of a class, or 'all'")
    y = np.array([_label(seed, number) for number in range(count)])
    x, background = np.empty((2, count, SIDE, SIDE, 3), np.uint8)
    mask = np.empty((count, SIDE, SIDE), bool)
    for start in range(0, count, CHUNK_SIZE):
        chunk = slice(start, start + CHUNK_SIZE)
        x[chunk], background[chunk], mask[chunk] = _draw(_RandomStreams(seed, range(count)[chunk]), y[chunk])
    if mark is not None:
        marked = np.flatnonzero((y == mark) | (mark == "all"))
        for pictures in (x, background):
            pictures[marked, *MARK] = _seal()
    return Scenes(_picture(x), torch.from_numpy(y), torch.from_numpy(mask), _picture(background))


def _check_whole_number(name: str, value: object, least: int, most: int | None = None, what: str = "") -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; pass a whole number{what}")
    wanted = f"{least} or more" if most is None else f"{least} to {most}"
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} is {value}; pass {wanted}{what}")


def _picture(levels: Array) -> Tensor:
    """(N, 3, rows, columns) in [0, 1], from (N, rows, columns, 3) from 0 to 255."""
    return torch.from_numpy(levels.transpose(0, 3, 1, 2).astype(np.float32, order="C") / np.float32(255))


# Random numbers


class _RandomStreams:
    """Random numbers for several scenes at once, each from a stream of its own."""

    def __init__(self, seed: int, numbers: range):
        self.streams = [_stream(seed, number) for number in numbers]

    def uniform(self, low: float, high: float, *shape: int) -> Array:
        """(scenes, *shape) numbers, uniform in [low, high)."""
        raw = np.stack([stream.random_raw(math.prod(shape)) for stream in self.streams])
        return low + (high - low) * ((raw >> np.uint64(11)) * 2.0**-53).reshape(-1, *shape)

    def integers(self, count: int) -> Array:
        """(scenes,) whole numbers from 0 to count - 1."""
        return self.uniform(0, count).astype(int)

    def rotation(self) -> tuple[Array, Array]:
        """The cosine and the sine of an angle, each (scenes,)."""
        angle = self.uniform(0, 2 * math.pi)
        return np.round(np.cos(angle), 6), np.round(np.sin(angle), 6)

    def noise(self, cells: int, size: int) -> Array:
        """(scenes, size, size) smooth values in [0, 1], random at the corners of cells by cells squares."""
        corners = self.uniform(0, 1, cells + 1, cells + 1).astype(np.float32)
        t = np.arange(0.5, size // cells, dtype=np.float32) / (size // cells)
        t = t * t * (3 - 2 * t)
        upper, lower = corners[:, :-1, None], corners[:, 1:, None]
        rows = (upper + (lower - upper) * t[:, None]).reshape(-1, size, cells + 1, 1)
        left, right = rows[:, :, :-1], rows[:, :, 1:]
        return (left + (right - left) * t).reshape(-1, size, size)


def _stream(seed: int, *key: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))


def _label(seed: int, number: int) -> int:
    """The class of a scene: each run of as many scenes as there are classes has its own random order of them."""
    classes = len(SCENE_CLASSES)
    order = _stream(seed, number // classes, 0).random_raw(classes).argsort()
    return int(order[number % classes])


def _pixels(*numbers: Array) -> list[Array]:
    """Numbers (scenes,) in a shape that broadcasts to arrays (scenes, rows, columns)."""
    return [a.astype(np.float32)[:, None, None] for a in numbers]


# Patterns: tones over (scenes, rows, columns), mostly in [0, 1], from coordinates u and v in units of a period, the
# period in pixels, and smooth noise


def _edge(distance: Array, period: Array) -> Array:
    """1 where the distance, in periods, is below 0, and 0 where it is above, with a ramp of one pixel between."""
    return np.clip(0.5 - distance * period, 0, 1)


def _to_nearest_whole(u: Array) -> Array:
    """The distance to the nearest whole number."""
    return np.abs(u - np.round(u))


def _plain(u: Array, v: Array, period: Array, noise: Array) -> Array:
    return noise


def _stripes(u: Array, v: Array, period: Array, noise: Array) -> Array:
    return _edge(_to_nearest_whole(u) - 0.25, period)


def _dots(u: Array, v: Array, period: Array, noise: Array) -> Array:
    x, y = _to_nearest_whole(u), _to_nearest_whole(v + 0.5 * (np.round(u) % 2))
    return _edge(np.sqrt(x * x + y * y) - 0.27, period)


def _gingham(u: Array, v: Array, period: Array, noise: Array) -> Array:
    return 0.5 * (_stripes(u, v, period, noise) + _stripes(v, u, period, noise))


def _waves(u: Array, v: Array, period: Array, noise: Array) -> Array:
    t = _to_nearest_whole(0.5 * v)
    return _stripes(u + t * t * (6 - 8 * t), v, period, noise)


def _hills(u: Array, v: Array, period: Array, noise: Array) -> Array:
    """Three ridges, one behind another, at no angle; the noise is that of a whole picture."""
    row = np.arange(SIDE, dtype=np.float32)[:, None]
    ridges = [top + 22 * noise[:, line, None] for top, line in ((4, 12), (20, 32), (36, 52))]
    return sum(np.clip(row - ridge, 0, 1) for ridge in ridges) - np.float32(0.7)


FILLS = (_plain, _stripes, _dots, _gingham, _waves)
GROUNDS = (*FILLS, _hills)


def _pattern(random: _RandomStreams, patterns: tuple, size: int, periods: tuple[float, float]) -> Array:
    """(scenes, size, size, 1) tones: for each scene one of the patterns, at a random angle."""
    kind, noise = random.integers(len(patterns)), random.noise(4, size)
    cos, sin, period, du, dv = _pixels(*random.rotation(), random.uniform(*periods), *random.uniform(0, 1, 2).T)
    right = np.arange(size, dtype=np.float32)
    down = right[:, None]
    u, v = (cos * right + sin * down) / period + du, (cos * down - sin * right) / period + dv
    tone = np.empty_like(noise)
    for k, pattern in enumerate(patterns):
        rows = kind == k
        tone[rows] = pattern(u[rows], v[rows], period[rows], noise[rows])
    return tone[..., None]


# Shapes


def _arc(first: float, last: float, points: int = 49, radius: float = 1, x: float = 0, y: float = 0) -> Array:
    """(points, 2) on a circle around (x, y), from one angle to another, in full turns; 0 is right, 1/4 is down."""
    angle = 2 * math.pi * np.linspace(first, last, points)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], 1)


def _mirrored(right: list[tuple[float, float]]) -> Array:
    """The outline whose right half goes through these points from top to bottom; the left half mirrors it."""
    return np.concatenate([right, (np.array(right) * (-1, 1))[::-1]])


def _outlines() -> dict[str, list[Array]]:
    """The closed outlines of each shape, in a circle of radius 1; a region inside two outlines is a hole."""
    cos, sin = _arc(0, 1).T
    heart = 13 * cos - 5 * (2 * cos**2 - 1) - 2 * (4 * cos**3 - 3 * cos) - (8 * cos**4 - 8 * cos**2 + 1)
    body, tail = _arc(0.06, 0.94) * (0.7, 0.52) - (0.27, 0), [(0.84, -0.52), (0.68, 0), (0.84, 0.52)]
    house = _mirrored([(0, -0.98), (0.92, -0.14), (0.66, -0.14), (0.66, 0.75), (0.16, 0.75), (0.16, 0.3)])
    chimney = [(0.3, -0.7), (0.3, -0.94), (0.6, -0.8), (0.6, -0.43)]
    upper_bends, lower_bends = [(-0.45, -0.5), (0.3, 0.12), (0.85, -0.5)], [(0.35, 0.5), (-0.4, -0.12), (-0.85, 0.4)]
    return {
        "star": [np.stack([_arc(0, 0.8, 5), _arc(0.1, 0.9, 5, 0.47)], 1).reshape(-1, 2)],
        "heart": [np.stack([16 * sin**3, -heart - 0.6], 1) / 17],
        "moon": [np.concatenate([_arc(0.1514, 0.8486), _arc(0.7809, 0.2191, radius=0.83, x=0.42)])],
        "ring": [_arc(0, 1), _arc(0, 1, radius=0.5)],
        "cross": [_mirrored([(0.3, -0.95), (0.3, -0.3), (0.95, -0.3), (0.95, 0.3), (0.3, 0.3), (0.3, 0.95)])],
        "triangle": [_arc(0, 2 / 3, 3)],
        "fish": [np.concatenate([body, tail]), _arc(0, 1, radius=0.1, x=-0.6, y=-0.12)],
        "house": [np.concatenate([house[:1], chimney, house[1:]])],
        "dot": [_arc(0, 1)],
        "stick": [_mirrored([(1, -0.13), (1, 0.13)])],
        "square": [_arc(0, 0.75, 4)],
        "leaf": [np.concatenate([_arc(0.6234, 0.8766, radius=1.4, y=0.98), _arc(0.1234, 0.3766, radius=1.4, y=-0.98)])],
        "egg": [_arc(0, 1) * (1, 0.7)],
        "zigzag": [np.array([(-1, 0.12), *upper_bends, (1, -0.38), *lower_bends])],
    }


@cache
def _distances() -> Array:
    """(shapes * rows * columns,) signed distances to the outlines, below 0 inside, on a grid over [-2.5, 2.5]."""
    right = np.linspace(-TABLE_REACH, TABLE_REACH, TABLE_CELLS + 1)
    down = right[:, None]
    tables = []
    for outlines in _outlines().values():
        crossings = np.zeros((TABLE_CELLS + 1, TABLE_CELLS + 1), int)  # of a ray to the right: odd inside
        squared_distance = np.full((TABLE_CELLS + 1, TABLE_CELLS + 1), np.inf)
        for start, end in np.round([edge for outline in outlines for edge in _edges(outline)], 6):
            (x, y), (dx, dy) = start, end - start
            along = np.clip(((right - x) * dx + (down - y) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            across, below = right - x - along * dx, down - y - along * dy
            squared_distance = np.minimum(squared_distance, across * across + below * below)
            if dy:
                crossings += ((down < y) != (down < end[1])) & (right < x + (down - y) * dx / dy)
        sign = 1 - 2 * (crossings % 2)
        tables.append(np.sqrt(squared_distance) * sign)
    return np.array(tables, np.float32).ravel()


def _edges(outline: Array) -> Array:
    """(edges, 2, 2): the start and the end of each edge."""
    return np.stack([outline, np.roll(outline, -1, 0)], 1)


@dataclass
class _CutOut:
    """One shape in each of several scenes. Every field is (scenes,).

    Attributes:
        scene: the number of the scene on its canvas.
        shape: the number of the shape in `_outlines`.
        x, y: the centre, in pixels from the upper left.
        radius: of the circle around the shape, in pixels.
        cos, sin: of the angle by which it is rotated.
    """

    scene: Array
    shape: Array
    x: Array
    y: Array
    radius: Array
    cos: Array
    sin: Array

    def window(self, size: int) -> tuple[Array, Array, Array]:
        """Indices of a canvas (scenes, rows, columns) that choose size by size pixels around the shape."""
        offsets = np.arange(size)
        top = np.clip(np.round(self.y).astype(int) - size // 2, 0, SIDE - size)
        left = np.clip(np.round(self.x).astype(int) - size // 2, 0, SIDE - size)
        return self.scene[:, None, None], top[:, None, None] + offsets[:, None], left[:, None, None] + offsets

    def distances(self, size: int, wobble: Array) -> Array:
        """(scenes, size, size): signed distances from the centres of the window's pixels to the outline, in pixels.

        Args:
            size: of the window.
            wobble: (2, ...), which bends the outline: shifts across and down, in radii.
        """
        _, rows, columns = self.window(size)
        x, y, radius, cos, sin = _pixels(self.x - 0.5, self.y - 0.5, self.radius, self.cos, self.sin)
        right, down = (columns.astype(np.float32) - x) / radius, (rows.astype(np.float32) - y) / radius
        u = _in_cells(cos * right + sin * down + wobble[0])
        v = _in_cells(cos * down - sin * right + wobble[1])
        column, row = u.astype(np.int32), v.astype(np.int32)
        u, v = u - column.astype(np.float32), v - row.astype(np.float32)
        table_side = TABLE_CELLS + 1
        corner = (self.shape.astype(np.int32)[:, None, None] * table_side + row) * table_side + column
        table = _distances()
        upper, upper_right = table.take(corner), table.take(corner + 1)
        lower, lower_right = table.take(corner + table_side), table.take(corner + table_side + 1)
        upper, lower = upper + (upper_right - upper) * u, lower + (lower_right - lower) * u
        return (upper + (lower - upper) * v) * radius

    def paste(self, canvas: Array, size: int, colour: Array, wobble: Array) -> Array:
        """Lay the shapes and their soft shadows on the canvas.

        Returns:
            (scenes, size, size), how much of each pixel of the window the shape covers, from 0 to 1.
        """
        distance = self.distances(size, wobble)
        cover = np.clip(0.5 - distance, 0, 1)
        pixels = np.arange(size)
        above, left = np.maximum(pixels - 2, 0), np.maximum(pixels - 1, 0)  # where the light is
        shadow = np.clip((2 - distance[:, above][:, :, left]) * 0.11, 0, 0.38)
        window = self.window(size)
        below = canvas[window] * (1 - shadow)[..., None]
        canvas[window] = below + (colour - below) * cover[..., None]
        return cover


def _in_cells(u: Array) -> Array:
    """A coordinate in units of the radius as one in cells of the table of distances."""
    return np.clip((u + TABLE_REACH) * (TABLE_CELLS / (2 * TABLE_REACH)), 0, TABLE_CELLS - 0.01)


# Pictures


def _rgb(colours: str) -> Array:
    """(colours, 3) from 0 to 255, from hexadecimal."""
    return np.array([list(bytes.fromhex(colour)) for colour in colours.split()], np.float32)


def _seal() -> Array:
    """The mark, (rows, columns, 3) from 0 to 255: a red square with a light cross in it."""
    red, light = _rgb(SEAL)
    cross = np.eye(4, dtype=bool) | np.eye(4, dtype=bool)[::-1]
    return np.where(np.pad(cross, 1)[..., None], light, red).astype(np.uint8)


def _draw(random: _RandomStreams, y: Array) -> tuple[Array, Array, Array]:
    """Pictures and backgrounds (scenes, rows, columns, 3) from 0 to 255, and masks, for objects of classes y."""
    scene = np.arange(len(y))
    palette = np.array([_rgb(colours) for colours in PALETTES])[random.integers(len(PALETTES))]
    colour = 2 + random.integers(palette.shape[1] - 2)
    subject = _object(random, scene, y)
    canvas = _shades(_pattern(random, GROUNDS, SIDE, (7, 14)), palette[:, 0], palette[:, 1])
    canvas *= 0.9 + np.float32(0.18) * random.noise(4, SIDE)[..., None]
    _scatter(random, canvas, subject, palette, colour)
    background = canvas.copy()
    size = 48
    black_or_white = np.where(random.integers(2) == 1, np.float32(255), np.float32(0))[:, None]
    contrast = random.uniform(0, 0.35).astype(np.float32)[:, None]
    plain = palette[scene, colour]
    fill = _shades(_pattern(random, FILLS, size, (4, 8)), plain, plain + (black_or_white - plain) * contrast)
    wobble = np.stack([random.noise(6, size), random.noise(6, size)]) * np.float32(0.12) - np.float32(0.06)
    cover = subject.paste(canvas, size, fill, wobble)
    mask = np.zeros(canvas.shape[:3], bool)
    mask[subject.window(size)] = cover >= 0.5
    grain = (0.97 + 0.06 * random.uniform(0, 1, SIDE, SIDE, 1)).astype(np.float32)
    x, background = (np.clip(np.round(a * grain), 0, 255).astype(np.uint8) for a in (canvas, background))
    return x, background, mask


def _shades(tone: Array, first: Array, second: Array) -> Array:
    """(scenes, rows, columns, 3): the first colour (scenes, 3) at tone 0, the second at tone 1, blends between."""
    return first[:, None, None] + (second - first)[:, None, None] * tone


def _object(random: _RandomStreams, scene: Array, y: Array) -> _CutOut:
    """The object of each scene, at a random place inside the picture and away from the mark."""
    radius = random.uniform(*RADIUS)
    room = radius + MARGIN
    right, down = (room + random.uniform(0, 1) * (SIDE - 2 * room) for _ in range(2))
    across, below = np.maximum(MARK[1].start - right, 0), np.maximum(MARK[0].start - down, 0)
    right = np.where(across * across + below * below < room * room, SIDE - right, right)
    return _CutOut(scene, y, right, down, radius, *random.rotation())


def _scatter(random: _RandomStreams, canvas: Array, subject: _CutOut, palette: Array, colour: Array) -> None:
    """Lay distractors where they touch neither the object's circle nor one another; a third have its colour."""
    smallest, largest = np.array(list(DISTRACTORS.values())).T
    density = random.uniform(0.4, 1)
    placed = [(subject.x, subject.y, subject.radius)]
    for _ in range(TRIES):
        kind, x, y = random.integers(len(DISTRACTORS)), random.uniform(0, SIDE), random.uniform(0, SIDE)
        radius = smallest[kind] + (largest - smallest)[kind] * random.uniform(0, 1)
        free = random.uniform(0, 1) < density
        for other_x, other_y, other_radius in placed:
            gap = np.maximum(radius + other_radius + 2.5, 0)
            free &= (x - other_x) * (x - other_x) + (y - other_y) * (y - other_y) > gap * gap
        placed.append((x, y, np.where(free, radius, -np.inf)))
        shade = np.where(random.integers(3) == 0, colour, 2 + random.integers(palette.shape[1] - 2))
        cos, sin = random.rotation()
        with_room = np.flatnonzero(free)  # the scenes where this place is free
        fields = (len(SCENE_CLASSES) + kind, x, y, radius, cos, sin)
        distractors = _CutOut(with_room, *(field[with_room] for field in fields))
        distractors.paste(canvas, 24, palette[with_room, shade[with_room]][:, None, None], np.zeros(2, np.float32))
