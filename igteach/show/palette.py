"""The colours of the course, safe for colour-blind readers; no meaning rests on hue alone.

Signed values: cividis (Nunez, Anderton and Renslow 2018): negative is dark blue, zero grey, positive light yellow,
so that a sign is told by lightness too. Lines: Okabe and Ito (2008), each with a dash pattern of its own.
"""

from matplotlib.colors import LinearSegmentedColormap

SIGNED = "cividis"
MAGNITUDE = "Greys"
PICTURE = "gray"
NEGATIVE, POSITIVE = "#00224E", "#FEE838"  # the ends of SIGNED
FAINT = 0.25, 0.75  # black and white of a picture with colour over it: both ends of SIGNED stand out from its greys
OVER_PICTURE = LinearSegmentedColormap.from_list("over a picture", [NEGATIVE, "0.5", POSITIVE])
LINES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#000000", (0, (5, 1, 1, 1, 1, 1))),
    ("#56B4E9", (0, (1, 1))),
)
MARKERS = ("o", "s", "^", "D", "v", "P")
