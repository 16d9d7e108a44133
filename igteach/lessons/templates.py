"""Notebooks to start from with a model of one's own: a recipe of lesson 14 and the gaps of its checklist."""

from pathlib import Path

from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import root

KINDS = ("image", "text", "language", "table", "series")
FOLDER = Path("notebooks", "templates")


def write_template(kind: str, folder: Path) -> Path:
    """Write the notebook for a kind of input, under a name that is free.

    Args:
        kind: One of KINDS.
        folder: Where it goes.

    Returns:
        Its path: my_KIND_model.ipynb, or my_KIND_model-2.ipynb and so on where that is there.

    Raises:
        FileNotFoundError: The templates are not there.
        OSError: The notebook cannot be written.
        ValueError: There is no such kind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_template("table", Path(folder)).name
        'my_table_model.ipynb'
    """
    import jupytext
    import nbformat

    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}")
    notebook = jupytext.read(root() / FOLDER / f"{kind}.py")
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat_minor = 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{kind}-{number}"
    text = nbformat.writes(notebook) + "\n"
    number = 1
    while True:
        place = folder / f"my_{kind}_model{'' if number == 1 else f'-{number}'}.ipynb"
        try:
            write_atomically(place, text, replace=False)
        except FileExistsError:
            number += 1
        else:
            return place
