"""The colours of the course, safe for colour-blind readers; no meaning rests on hue alone.

Signed values are drawn with white as zero: orange is positive, and blue, darker at its end and hatched, negative. Each
colour of a line has a dash pattern and a mark of its own.

Source:
    Cividis: J. Nuñez, C. Anderton and R. Renslow (2018), https://doi.org/10.1371/journal.pone.0199239
    The colours of lines: M. Okabe and K. Ito (2008), Color Universal Design, https://jfly.uni-koeln.de/color/
"""

from matplotlib.colors import LinearSegmentedColormap

SURFACE = "cividis"  # of F over two features, which has no middle
MAGNITUDE = "Greys"
PICTURE = "gray"
BELOW, ABOVE = "#0072B2", "#D55E00"  # of bars, which also tell the sign by their direction
# An odd number of colours has a middle, which is white. Squares that are large enough are hatched where negative.
BELOW_ZERO = "#00305A"
WHITE_IS_ZERO = LinearSegmentedColormap.from_list(
    "white is zero", [BELOW_ZERO, "#2F86BD", "#FFFFFF", "#FFB76B", ABOVE], N=257
)
LINES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#000000", (0, (5, 1, 1, 1, 1, 1))),
    ("#56B4E9", (0, (1, 1))),
)
MARKERS = ("o", "s", "^", "D", "v", "P")


def ink_on(red: float, green: float, blue: float) -> str:
    """Black or white, whichever has the higher contrast on a colour, by the Web Content Accessibility Guidelines 2.1.

    Args:
        red: from 0 to 1.
        green: from 0 to 1.
        blue: from 0 to 1.

    Returns:
        The colour, as a page and matplotlib take it.

    Example:
        >>> ink_on(1.0, 1.0, 1.0), ink_on(0.0, 0.0, 0.5)
        ('#000000', '#ffffff')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
