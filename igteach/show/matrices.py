"""A matrix of shares, each row and each column with its name: an answer's tokens by those of its prompt."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from igteach.methods.token_answer import TokenAttribution
from igteach.show.figures import Figure, Values, numbers, rounded
from igteach.show.palette import WHITE_IS_ZERO, ink_on
from igteach.show.plates import TEXT, draw_map, draw_scale

CELL_WIDTH, CELL_HEIGHT = 0.56, 0.42  # inches
SQUARE = 0.26  # inches of a cell without its number
MOST_NUMBERED = 24  # columns: up to so many, each cell has its number
LETTER = 0.1  # inches that a letter of a name takes
FAINT = 0.05  # of the strongest: a smaller number is not printed


def matrix(
    values: TokenAttribution | Sequence[TokenAttribution] | Values,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    unit: str = "share of F",
) -> Figure:
    """Draw a matrix of signed numbers with the names of its rows and columns, each number in its cell.

    White is zero, orange above, blue below; the sign is read off the number. One next to nothing is not printed. In a
    matrix of many columns no number is, and strong blue is hatched.

    Args:
        values: (rows, columns); or the answers of `token_attribution(..., continuation=...)`, a row for each.
        rows: a name for each row; of answers the tokens of the continuation, if None.
        columns: a name for each column; of answers the tokens of the prompt, if None.
        unit: of the numbers.

    Returns:
        The figure. Its alt text says of each row which column is strongest.

    Raises:
        TypeError: values are numbers, and names are missing; or they are neither numbers nor answers.
        ValueError: there is not one name for each row and column; answers are of several prompts; or values are empty,
            or hold NaN or infinity.

    Example:
        >>> matrix([[0.5, -1.0]], ["answer"], ["my", "prompt"])
        Figure: Matrix of share of F, 1 by 2. answer: strongest prompt -1.
    """
    answers = _answers(values)
    if answers:
        rows = rows or [each.target for each in answers]
        columns = columns or _tokens_of(answers)
        cells = np.stack([each.scores.detach().cpu().double().numpy() for each in answers])
    elif rows is None or columns is None:
        raise TypeError("rows or columns is None, and values are numbers; pass a list of str for each")
    else:
        cells = numbers(values)  # type: ignore[arg-type]
    if cells.shape != (len(rows), len(columns)):
        raise ValueError(f"values has shape {cells.shape}; there are {len(rows)} rows and {len(columns)} columns named")
    return Figure(
        _drawn(cells, [*map(_visible, rows)], [*map(_visible, columns)], unit), _story(cells, rows, columns, unit)
    )


def _answers(values: Any) -> list[TokenAttribution]:
    """The answers, or none if values are numbers; TypeError if they are neither."""
    if not isinstance(values, TokenAttribution | Sequence | np.ndarray | Tensor) or isinstance(values, str):
        raise TypeError(
            f"values is {type(values).__name__}; pass answers of token_attribution, or numbers (rows, columns)"
        )
    given = [values] if isinstance(values, TokenAttribution) else [*values]
    answers = [each for each in given if isinstance(each, TokenAttribution)]
    if answers and len(answers) < len(given):
        raise TypeError("values hold answers beside something else; pass answers alone, or numbers")
    return answers


def _tokens_of(answers: Sequence[TokenAttribution]) -> tuple[str, ...]:
    """The tokens of the prompt; ValueError unless all answers have the same."""
    tokens = answers[0].tokens
    other = next((each.tokens for each in answers if each.tokens != tokens), tokens)
    if other != tokens:
        raise ValueError(
            f"values are answers to prompts of other tokens, {[*tokens]} and {[*other]}; pass those of one prompt"
        )
    return tokens


def _drawn(cells: np.ndarray, rows: list[str], columns: list[str], unit: str) -> Canvas:
    top, numbered = float(np.abs(cells).max()) or 1.0, len(columns) <= MOST_NUMBERED
    width, height = (CELL_WIDTH, CELL_HEIGHT) if numbered else (SQUARE, SQUARE)
    names = LETTER * max(map(len, rows)), LETTER * max(map(len, columns))
    size = max(width * len(columns) + names[0] + 0.3, 4.5), height * len(rows) + names[1] + 1.1
    canvas = Canvas(figsize=size, layout="constrained")
    pane = canvas.add_subplot()
    if numbered:
        pane.imshow(cells, cmap=WHITE_IS_ZERO, vmin=-top, vmax=top, interpolation="nearest")
    else:
        draw_map(pane, cells, top)
    pane.set_aspect("auto")
    pane.set_yticks(range(len(rows)), rows, fontsize=TEXT)
    pane.set_xticks(range(len(columns)), columns, fontsize=TEXT, rotation=60, ha="left", rotation_mode="anchor")
    pane.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    pane.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    pane.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    pane.grid(which="minor", color="#DDDDDD", linewidth=0.8)
    pane.tick_params(which="minor", length=0)
    for (row, column), value in np.ndenumerate(cells):
        if numbered and abs(value) >= FAINT * top:
            ink = ink_on(*WHITE_IS_ZERO(0.5 + value / top / 2)[:3])
            pane.text(column, row, f"{rounded(value, 2):+g}", ha="center", va="center", color=ink)
    draw_scale(canvas, [pane], top, unit)
    return canvas


def _visible(name: str) -> str:
    """A name with its line breaks as signs, and without the space before it."""
    return name.strip(" ").replace("\n", "↵") or "␣"


def _story(cells: np.ndarray, rows: Sequence[str], columns: Sequence[str], unit: str) -> str:
    strongest = []
    for name, row in zip(rows, cells, strict=True):
        best = int(np.abs(row).argmax())
        strongest.append(f"{_visible(name)}: strongest {_visible(columns[best])} {rounded(float(row[best]), 2):g}")
    return f"Matrix of {unit}, {len(rows)} by {len(columns)}. {'; '.join(strongest)}."
