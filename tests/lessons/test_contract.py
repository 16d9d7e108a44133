"""Every lesson keeps its contract, and each way of breaking it is named with its cell."""

import json
import re
import shutil

import nbformat
import pytest

from igteach.lessons.contract import LARGEST_NOTEBOOK, faults
from igteach.lessons.lesson import Lesson, all_lessons

ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


@pytest.fixture
def lesson(tmp_path):
    """A copy of lesson 00 that a test may spoil."""
    original = all_lessons(["00"])[0]
    copy = Lesson(tmp_path / "source" / original.source.name)
    for theirs, ours in (
        (original.source, copy.source),
        (original.learner, copy.learner),
        (original.solved, copy.solved),
    ):
        ours.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(theirs, ours)
    for other in all_lessons():  # to which the lesson has links
        (copy.learner.parent / other.learner.name).touch()
    return copy


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_keeps_the_contract(lesson):
    assert faults(lesson) == []


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
def test_most_of_a_lessons_text_outputs_are_compared(lesson):
    cells = [cell for cell in nbformat.read(lesson.solved, as_version=4).cells if cell.get("outputs")]
    compared = [
        cell
        for cell in cells
        if "nbval-ignore-output" not in cell.metadata.get("tags", [])
        and any(output.output_type == "stream" or "text/plain" in output.get("data", {}) for output in cell.outputs)
    ]
    assert len(compared) >= 5
    assert 2 * len(compared) >= len(cells)


def in_cell(starts: str, spoil):
    """A change of the first cell that starts so."""

    def change(notebook):
        spoil(next(cell for cell in notebook.cells if cell.source.startswith(starts)))

    return change


def appended(cell):
    cell.source += "\nOne more line."


def unexecuted(cell):
    cell.execution_count, cell.outputs = None, []


def points(cell):
    cell.metadata.nbgrader.points = 100


def outputs(*new):
    def change(cell):
        cell.outputs = list(new)

    return change


def shown(**data):
    return nbformat.v4.new_output("display_data", {kind.replace("_", "/"): value for kind, value in data.items()})


BUILT = {
    "code of the solved notebook edited": (
        "solved",
        in_cell("import torch", appended),
        r"solved notebook differs from its source in cell \d+ \(source\): 'import torch",
    ),
    "text of the learner's notebook edited": (
        "learner",
        in_cell("## ", appended),
        r"learner's notebook differs from its source in cell \d+ \(source\): '## ",
    ),
    "a cell missing": (
        "learner",
        lambda notebook: notebook.cells.pop(),
        r"learner's notebook has \d+ cells, its source \d+",
    ),
    "a cell id changed": (
        "solved",
        in_cell("import torch", lambda cell: cell.update(id="another")),
        r"solved notebook differs from its source in cell \d+ \(id\)",
    ),
    "points of a check changed": (
        "learner",
        in_cell("check(", points),
        r"learner's notebook differs from its source in cell \d+ \(metadata\): 'check\(\"00.1\"",
    ),
    "an older version": (
        "learner",
        lambda notebook: notebook.metadata.igteach.update(version="0" * 12),
        r"learner's notebook's metadata \(its version among it\)",
    ),
    "a solution left with the learner": (
        "learner",
        in_cell(
            "def to_share",
            lambda cell: cell.update(
                source="def to_share(f, x, baseline):\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
            ),
        ),
        r"cell \d+ of the learner's notebook holds a solution",
    ),
    "an exercise of the learner's filled in": (
        "learner",
        in_cell("def to_share", lambda cell: cell.update(source="def to_share(f, x, baseline):\n    return 1")),
        r"cell \d+ of the learner's notebook has no open exercise",
    ),
    "an output in the learner's notebook": (
        "learner",
        in_cell("import torch", outputs(nbformat.v4.new_output("stream", text="7"))),
        r"cell \d+ of the learner's notebook has outputs",
    ),
    "a cell not executed": (
        "solved",
        in_cell("import torch", unexecuted),
        r"cell \d+ of the solved notebook was not executed in order",
    ),
    "an error stored": (
        "solved",
        in_cell("import torch", outputs(nbformat.v4.new_output("error", ename="KeyError", evalue="", traceback=[]))),
        r"cell \d+ of the solved notebook holds an error: KeyError",
    ),
    "a check that says not yet": (
        "solved",
        in_cell("check(", outputs(shown(text_plain="Exercise 00.1: not yet. Almost solved."))),
        r"cell \d+: the solution does not solve its exercise",
    ),
    "a check that says nothing": (
        "solved",
        in_cell("check(", outputs()),
        r"cell \d+: the solution does not solve its exercise",
    ),
    "a folder of the machine that built it": (
        "solved",
        in_cell("import torch", outputs(shown(text_plain="/home/ada/.cache/weights.pth is missing"))),
        r"cell \d+ names a folder of its machine \(/home/ada/\)",
    ),
    "a temporary folder": (
        "solved",
        in_cell("import torch", outputs(shown(text_plain="('/tmp/tmpmb3d0tal/tokenizer.json',)"))),
        r"cell \d+ names a folder of its machine \(/tmp/\)",
    ),
    "a bare image": (
        "solved",
        in_cell("import torch", outputs(shown(image_png=ONE_PIXEL))),
        r"cell \d+ shows a bare image",
    ),
    "an image without alt text": (
        "solved",
        in_cell("import torch", outputs(shown(text_html="<img src='x.png'>"))),
        r"cell \d+ shows an image without alt text",
    ),
    "an image with empty alt text": (
        "solved",
        in_cell("import torch", outputs(shown(text_html='<img alt="" src="x.png">'))),
        r"cell \d+ shows an image without alt text",
    ),
    "too large": (
        "solved",
        in_cell("import torch", outputs(nbformat.v4.new_output("stream", text="7" * LARGEST_NOTEBOOK))),
        r"the solved notebook is over 2000000 bytes",
    ),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_spoilt_notebook_is_named(lesson, name):
    which, spoil, message = BUILT[name]
    path = getattr(lesson, which)
    notebook = nbformat.read(path, as_version=4)
    spoil(notebook)
    nbformat.write(notebook, path)
    assert re.search(message, "\n".join(faults(lesson)))


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD\n{}"])
def test_a_file_that_is_no_notebook_is_named(lesson, text):
    lesson.learner.write_text(text)
    assert len(faults(lesson)) == 1
    assert "python -m igteach build 00" in "\n".join(faults(lesson))


def test_a_lesson_that_was_not_built_is_named(lesson):
    lesson.solved.unlink()
    assert faults(lesson) == ["not built; run: python -m igteach build 00"]


def swap(old, new):
    def change(script):
        assert old in script
        return script.replace(old, new)

    return change


def in_recap(text):
    return swap("# ## Recap\n", f"# ## Recap\n#\n# {text}\n")


def without(pattern):
    return lambda script: re.sub(pattern, "", script)


SOURCE = {
    "no title": (swap("# # 00 · ", "# # "), r"cell 1 does not start with a title"),
    "no question in the head": (swap("**The question.**", "Question:"), r"cell 1, the head, has no \*\*The question"),
    "no GPU in the head": (swap("**GPU.**", "GPU:"), r"cell 1, the head, has no \*\*GPU"),
    "no minutes": (without(r"(?<=\*\*Time\.\*\*) \d+"), r"cell 1, the head, does not say its time"),
    "an exercise without difficulty": (
        without("[●○]{3} · "),
        r"'### Exercise 1: .*' does not say difficulty and minutes",
    ),
    "an exercise without minutes": (
        without(r" · \d+ minutes"),
        r"'### Exercise 1: .*' does not say difficulty and minutes",
    ),
    "an exercise without hints": (
        swap("<summary>Hint", "<summary>Tip"),
        r"'### Exercise 1: .*' has 0",
    ),
    "two exercises only": (swap("### Exercise 2", "### Task 2"), r"there are 2 exercises; a lesson has three to five"),
    "an exercise without check": (
        swap('"grade": true, "grade_id": "check-00-2"', '"grade": false, "grade_id": "c"'),
        r"3 exercise titles, 3 answer cells, 2 checks",
    ),
    "a stub without docstring": (
        swap('    """', '    r"""'),
        r"answer cell 'def .*' has no function with a doc",
    ),
    "a solution without markers": (
        without("    ### (BEGIN|END) SOLUTION\n"),
        r"answer cell 'def .*' has no solution inside",
    ),
    "a quiz question missing": (swap("**Question 3.**", "Question:"), r"the quiz has 2 questions"),
    "a quiz answer that is never right": (
        without("Right. "),
        r"question 1 of the quiz must have one choice",
    ),
    "a quiz question with one choice": (
        swap("<details><summary>", "<details open><summary>"),
        r"question 1 of the quiz has fewer than two choices",
    ),
    "no recap": (swap("# ## Recap", "# ## Again"), r"there is no '## Recap'"),
    "no guess asked for": (swap("**Predict.**", "Now:"), r"no cell asks for a guess"),
    "no progress": (
        swap('progress("00")', "print(7)"),
        r'the last cell but one is no code cell that ends with progress\("00"\)',
    ),
    "another lesson's progress": (swap('progress("00")', 'progress("01")'), r'cell that ends with progress\("00"\)'),
    "the progress in words": (
        swap('from igteach.exercises import hint, progress\n\nprogress("00")', '# %% [markdown]\n# \n# progress("00")'),
        r'is no code cell that ends with progress\("00"\)',
    ),
    "the progress too early": (
        swap(
            '# %% [markdown] tags=["slide"]\n# ## In three lines',
            '# %% [markdown]\n# A word more.\n\n# %% [markdown] tags=["slide"]\n# ## In three lines',
        ),
        r'is no code cell that ends with progress\("00"\)',
    ),
    "the progress compared": (
        swap(
            '# %% tags=["nbval-ignore-output"]\nfrom igteach.exercises import hint',
            "# %%\nfrom igteach.exercises import hint",
        ),
        r"the progress, must be tagged nbval-ignore-output",
    ),
    "no takeaway": (swap("**Take away.**", "Remember:"), r"the last cell, the tail, has no \*\*Take away"),
    "two lines to take away": (
        without(r"# 3\. "),
        r"the last cell does not say .* in three numbered lines",
    ),
    "sources without a year": (without(r" \(\d{4}\)"), r"the last cell cites no source with its year"),
    "an exclamation mark": (in_recap("bright!"), r"cell \d+ says '!'"),
    "two exclamation marks": (in_recap("bright!!"), r"cell \d+ says '!'"),
    "simply": (in_recap("simply bright."), r"cell \d+ says 'simply'"),
    "a formula that no browser shows by itself": (in_recap(r"$F\big(x)$"), r"cell \d+ has a formula .*: Unknown LaTeX"),
    "a formula without dollars": (in_recap(r"\begin{align}x\end{align}"), r"cell \d+ has a formula \(.begin\{align\)"),
    "Obviously": (in_recap("Obviously, ink is bright."), r"cell \d+ says 'Obviously'"),
    "a picture without alt text": (
        in_recap("![](ink.png)"),
        r"cell \d+ shows an image without alt text",
    ),
    "an img without alt text": (
        in_recap("<img src='a.png'>"),
        r"cell \d+ shows an image without alt text",
    ),
    "a link that leads nowhere": (in_recap("[lesson 77](77_none.ipynb)"), r"a link leads to 77_none.ipynb"),
    "pyplot": (
        swap("import torch\n", "import torch\nimport matplotlib.pyplot as plt\n"),
        r"cell 2 draws by itself \(matplotlib\)",
    ),
    "a docstring wider than a page": (
        swap('    """', '    """' + "wide " * 20),
        r"cell \d+ has a line of \d+ characters, at most 88",
    ),
    "a colour map of its own": (
        swap("import torch\n", "import torch\n\ncmap = 1\n"),
        r"cell 2 draws by itself \(cmap\)",
    ),
}


@pytest.mark.parametrize("name", SOURCE)
def test_a_lesson_that_breaks_the_contract_is_named(lesson, name):
    spoil, message = SOURCE[name]
    lesson.source.write_text(spoil(lesson.source.read_text(encoding="utf-8")), encoding="utf-8")
    assert re.search(message, "\n".join(faults(lesson)))


@pytest.mark.parametrize(
    "text",
    ["where `a != b` and `![x](y)` stand", "a ![heatmap of a digit](a.png)", "$n!$ orders", "<code>!pip list</code>"],
)
def test_code_formulas_and_described_pictures_are_no_exclamations(lesson, text):
    lesson.source.write_text(in_recap(text)(lesson.source.read_text(encoding="utf-8")), encoding="utf-8")
    assert [fault for fault in faults(lesson) if "rebuild it" not in fault] == []


def test_a_notebook_without_cell_ids_is_named(lesson):
    notebook = json.loads(lesson.solved.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        del cell["id"]
    lesson.solved.write_text(json.dumps(notebook | {"nbformat_minor": 4}), encoding="utf-8")
    assert "the solved notebook differs from its source in cell 1 (id)" in "\n".join(faults(lesson))
