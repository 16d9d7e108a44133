"""Maps of signed values, drawn in one way: white is zero, orange above it, blue below it, over a ghost of the picture.

Every pixel is drawn. The strongest colour is the 99.5th percentile of |value| (in small maps the largest), and a
caption says so. Negative places are hatched as well where there is room: in maps of few squares, and in smoothed ones.
Beneath maps of a few large squares no ghost lies, which would tint them, but an outline of the picture's ink.

Source:
    White as zero and a faint picture beneath: Sturmfels, Lundberg and Lee (2020),
    https://doi.org/10.23915/distill.00022.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from igteach.show.palette import BELOW_ZERO, WHITE_IS_ZERO

SHARES, SLOPES = "share of F", "F per unit of x"
PANEL = 3.8  # inches, 304 pixels of CSS: a panel's width
MANY = 1000  # values in a map: from here on the strongest colour is a percentile
PERCENTILE = 99.5
FEW_SQUARES, COARSE = 16, 64  # values along a side: up to here an outline is the ghost; squares have room for hatches
FAINTEST_OF_FEW, FAINTEST = 0.05, 0.5  # that is hatched, of the strongest colour: in few squares, and in small ones
PALE = 0.5  # of the strongest colour: on what is paler, hatches are dark
INK = 0.02  # of the darkest of a ghost: from here on it is ink
PALE_BLUE = "#A9CBE4"  # of hatches on dark squares
GREY = "#808080"  # of the line around the ink
TITLE, TEXT, SMALL = 12, 10.5, 10  # points: above a panel, elsewhere, and the least: 12 pixels tall in the book
GHOST = 0.7  # the black of a picture beneath the colours
BLACK = 0.05  # the luminance of what is no photograph's ground
LUMINANCE = (0.299, 0.587, 0.114)


def ghost_of(pixels: np.ndarray) -> np.ndarray:
    """Turn a picture into light greys, to lie beneath a map; ink on black becomes grey on white.

    Args:
        pixels: (height, width, 3), from 0 to 1.

    Returns:
        (height, width), from GHOST to 1.

    Example:
        >>> ghost_of(np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]])).round(2).tolist()
        [[0.7, 1.0]]
    """
    luminance = ground = pixels @ np.array(LUMINANCE)
    if max(luminance.shape) <= FEW_SQUARES:  # where ink may fill the half
        ground = np.concatenate([luminance[0], luminance[-1], luminance[:, 0], luminance[:, -1]])
    if np.median(ground) < BLACK:
        luminance = 1 - luminance
    return GHOST + (1 - GHOST) * luminance


def smoothed(values: np.ndarray, smooth: float) -> np.ndarray:
    """Smooth a map for display, reflected at the edges, so that its sum stays.

    Args:
        values: (height, width).
        smooth: the standard deviation of the Gaussian in pixels; 0 leaves the map as it is.

    Returns:
        (height, width).

    Raises:
        ValueError: smooth is negative, infinite or NaN.

    Example:
        >>> smoothed(np.array([[0.0, 8.0, 0.0, 0.0]]), 1).sum().round(6).item()
        8.0
    """
    if not 0 <= smooth < np.inf:
        raise ValueError(f"smooth is {smooth}; pass a standard deviation in pixels, 0 or more")
    if smooth == 0:
        return values
    from scipy.ndimage import gaussian_filter

    shown: np.ndarray = gaussian_filter(values, smooth, mode="reflect")
    return shown


def scale_of(maps: Sequence[np.ndarray]) -> tuple[float, str]:
    """Choose the value of the strongest colour in all maps.

    Args:
        maps: of any shapes.

    Returns:
        The value, and how it was chosen, as a sentence.

    Example:
        >>> scale_of([np.array([1.0, -3.0])])
        (3.0, 'Strongest colour: the largest |value|.')
    """
    magnitudes = np.concatenate([np.abs(values).ravel() for values in maps])
    largest = float(magnitudes.max())
    top = float(np.percentile(magnitudes, PERCENTILE)) if len(magnitudes) > MANY else largest
    if top == 0 or top == largest:
        return largest or 1.0, "Strongest colour: the largest |value|."
    return top, f"Strongest colour: percentile {PERCENTILE:g} of |value|; larger ones are clipped."


def coloured(values: np.ndarray, top: float, ghost: np.ndarray | None = None) -> np.ndarray:
    """Colour a map, over the ghost of a picture if there is one.

    Args:
        values: (height, width).
        top: the value of the strongest colour; larger ones are clipped.
        ghost: (height, width), seen where values are small.

    Returns:
        (height, width, 3), from 0 to 1.

    Example:
        >>> coloured(np.zeros((1, 1)), 1.0).tolist()
        [[[1.0, 1.0, 1.0]]]
    """
    strength = (values / top).clip(-1, 1)
    colours: np.ndarray = WHITE_IS_ZERO((strength + 1) / 2)[..., :3]
    if ghost is None:
        return colours
    opacity = (1.5 * np.abs(strength)).clip(max=1)[..., None]
    return opacity * colours + (1 - opacity) * ghost[..., None]


def draw_map(
    pane: Axes, values: np.ndarray, top: float, ghost: np.ndarray | None = None, *, is_smooth: bool = False
) -> None:
    """Draw a map on a pane without ticks.

    Args:
        pane: that shows nothing.
        values: (height, width).
        top: the value of the strongest colour.
        ghost: (height, width), the picture beneath, or None.
        is_smooth: whether places of one sign are large enough for hatches, although pixels are small.

    Example:
        >>> pane = Figure().add_subplot()
        >>> draw_map(pane, np.array([[1.0, -1.0]]), 1.0)
        >>> len(pane.collections)  # the hatch
        1
    """
    longer = max(values.shape)
    colours = coloured(values, top, ghost if longer > FEW_SQUARES else None)
    pane.imshow(colours, interpolation="nearest" if longer <= 2 * COARSE else "antialiased")
    pane.set_xticks([])
    pane.set_yticks([])
    if ghost is not None and longer <= FEW_SQUARES:
        pane.plot(*outline_of(ink_of(ghost)), color=GREY, linewidth=1.5)
    faintest = -faintest_hatched(values.shape, is_smooth) * top
    _hatch(pane, (values < faintest) & (values >= -PALE * top), BELOW_ZERO)
    _hatch(pane, values < min(faintest, -PALE * top), PALE_BLUE)


def ink_of(ghost: np.ndarray) -> np.ndarray:
    """Where the picture beneath a map is dark.

    Args:
        ghost: (height, width).

    Returns:
        (height, width), bool.

    Example:
        >>> ink_of(np.array([[0.7, 1.0]])).tolist()
        [[True, False]]
    """
    dark: np.ndarray = ghost < ghost.max() - INK * np.ptp(ghost)
    return dark


def faintest_hatched(shape: tuple[int, ...], is_smooth: bool) -> float:
    """The least negative value that is hatched, as a part of the strongest colour; infinity where nothing is.

    Example:
        >>> faintest_hatched((8, 8), is_smooth=False), faintest_hatched((224, 224), is_smooth=False)
        (0.05, inf)
    """
    if max(shape) <= FEW_SQUARES:
        return FAINTEST_OF_FEW
    return FAINTEST if max(shape) <= COARSE or is_smooth else np.inf


def key_in_words(
    shape: tuple[int, ...], lowest: float, ghost: np.ndarray | None = None, *, is_smooth: bool = False
) -> str:
    """Say how to read maps, also in a grey print.

    Args:
        shape: (height, width) of the maps.
        lowest: their most negative value, as a part of the strongest colour, without its sign.
        ghost: as for `draw_map`.
        is_smooth: as for `draw_map`.

    Example:
        >>> key_in_words((8, 8), lowest=0.5)
        'Orange: positive. Blue, hatched unless faint: negative.'
    """
    faintest = faintest_hatched(shape, is_smooth)
    key = "Orange: positive."
    if lowest >= faintest:
        key += f" Blue, hatched {'where strong' if faintest >= FAINTEST else 'unless faint'}: negative."
    elif lowest >= FAINTEST_OF_FEW:
        key += " Blue: negative, and darker where strong."
    if ghost is not None and max(shape) <= FEW_SQUARES and np.ptp(ghost):
        key += " Grey line: around the ink."
    return key


def outline_of(inside: np.ndarray) -> np.ndarray:
    """The edges between squares inside and outside, to be plotted over a map.

    Args:
        inside: (height, width) bool.

    Returns:
        (2, 3 * edges): x and y, with a gap after each edge.

    Example:
        >>> outline_of(np.array([[True]])).shape
        (2, 12)
    """
    padded = np.pad(inside, 1).astype(int)
    rows, columns = np.nonzero(np.diff(padded, axis=0))
    left, upper = np.nonzero(np.diff(padded.T, axis=0))
    gaps = np.full(len(rows) + len(left), np.nan)
    across = np.stack([np.concatenate([columns - 1, left]), np.concatenate([columns, left]), gaps], axis=1)
    down = np.stack([np.concatenate([rows, upper - 1]), np.concatenate([rows, upper]), gaps], axis=1)
    return np.stack([across.ravel(), down.ravel()]) - 0.5


def in_lines(text: str, inches: float, points: float) -> str:
    """Break text into lines that fit: a letter is about 0.57 of its height wide.

    Example:
        >>> in_lines("IG from black", inches=0.5, points=12).splitlines()
        ['IG', 'from', 'black']
    """
    letters = int(inches * 72 / (0.57 * points))
    return "\n".join(textwrap.fill(line, letters) for line in text.splitlines())


def _hatch(pane: Axes, squares: np.ndarray, colour: str) -> None:
    """Lines over some squares."""
    if not squares.any():
        return
    fine = -(-256 // max(squares.shape))  # so that contours follow the squares
    rows, columns = squares.shape
    extent = (-0.5, columns - 0.5, -0.5, rows - 0.5)
    squares = squares.repeat(fine, axis=0).repeat(fine, axis=1)
    lines = "////" if max(rows, columns) <= FEW_SQUARES else "//////"
    hatched = pane.contourf(squares, levels=[0.5, 1.5], colors="none", hatches=[lines], extent=extent)
    hatched.set_edgecolor(colour)
    hatched.set_linewidth(0)


def draw_scale(canvas: Figure, panes: Sequence[Axes], top: float, unit: str) -> None:
    """Draw the colours with their numbers below panes, which give them room.

    Args:
        canvas: the figure, laid out by constraints.
        panes: those with maps on this scale.
        top: the value of the strongest colour.
        unit: of the values.

    Example:
        >>> canvas = Figure(layout="constrained")
        >>> draw_scale(canvas, [canvas.add_subplot()], 0.5, SHARES)
    """
    ramp = ScalarMappable(Normalize(-top, top), WHITE_IS_ZERO)
    bar = canvas.colorbar(
        ramp, ax=panes, location="bottom", ticks=[-top, 0, top], format="%.2g", aspect=35, shrink=0.84
    )
    bar.set_label(unit, fontsize=TEXT)
    bar.ax.tick_params(labelsize=TEXT)


def columns_for(panels: int) -> int:
    """Say how many panels stand side by side, so that each is large and rows are full.

    Example:
        >>> [columns_for(count) for count in (1, 2, 3, 4, 5)]
        [1, 2, 3, 2, 3]
    """
    return panels if panels < 4 else 2 if panels == 4 else 3
