"""The rules that every lesson keeps, as far as a machine can see them."""

import re
from collections.abc import Iterator

import nbformat
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from nbformat import NotebookNode

from igteach.lessons.build import learners_notebook
from igteach.lessons.lesson import Lesson

LARGEST_NOTEBOOK = 2_000_000  # bytes
WIDEST_CODE = 88  # characters: a page, a laptop and a printed book
HEAD = ("**The question.**", "**You will be able to**", "**You need**", "**Time.**", "**GPU.**")
TAIL = ("**Take away.**", "**Where it comes from.**", "**What is next.**")
DIFFICULTY = re.compile(r"^[●○]{3} · \d+ minutes$", re.MULTILINE)
BANNED = re.compile(r"\b(simply|obviously)\b|(?<![!=])!(?![=\[])", re.IGNORECASE)
CODE = re.compile(r"```.*?```|`[^`]*`|<code>.*?</code>", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
ENVIRONMENT = re.compile(r"\\begin\{\w+")
NO_PROSE = re.compile(f"{CODE.pattern}|{FORMULA.pattern}", re.DOTALL)
OWN_DRAWING = re.compile(r"\b(matplotlib|plt|pyplot|cmap|imshow)\b")
HOME = re.compile(r"/root/|/home/\w+/|/tmp/|/var/folders/|\bUsers[/\\]\w+")
NO_ALT = re.compile(r'!\[.{0,9}\]\(|<img(?![^>]*\balt="[^"]{10,}")[^>]*>')


def faults(lesson: Lesson) -> list[str]:
    """What is wrong with a lesson and its two notebooks.

    Args:
        lesson: The lesson.

    Returns:
        One line for each fault, with its cell; nothing if the lesson keeps its contract. The other functions of this
        module are its rules: each takes a notebook, and yields such lines.
    """
    source = lesson.read()
    rebuild = f"run: python -m igteach build {lesson.number}"
    if not (lesson.solved.exists() and lesson.learner.exists()):
        return [f"not built; {rebuild}"]
    try:
        solved, learner = (nbformat.read(path, as_version=4) for path in (lesson.solved, lesson.learner))
    except ValueError as error:
        return [f"a notebook cannot be read ({str(error)[:80]}); {rebuild}"]
    found = [
        *differences("the solved notebook", solved, source),
        *differences("the learner's notebook", learner, learners_notebook(source)),
        *unsolved(solved),
        *given_away(learner),
    ]
    if lesson.solved.stat().st_size > LARGEST_NOTEBOOK:
        found.append(f"the solved notebook is over {LARGEST_NOTEBOOK} bytes; draw fewer or smaller figures")
    found.extend(broken_links(lesson, source))
    for rule in (head, progress_cell, tail, exercises, recap_and_quiz, prediction, prose, formulas, drawing, width):
        found.extend(rule(source))
    return found


def differences(what: str, built: NotebookNode, source: NotebookNode) -> Iterator[str]:
    """Text, code, metadata and ids must be those of the source."""
    if built.metadata != source.metadata:
        yield f"{what}'s metadata (its version among it) is not that of the source; rebuild it"
    if len(built.cells) != len(source.cells):
        yield f"{what} has {len(built.cells)} cells, its source {len(source.cells)}; rebuild it"
    for number, (ours, theirs) in enumerate(zip(built.cells, source.cells, strict=False), start=1):
        for part in ("cell_type", "source", "id", "metadata"):
            if ours.get(part) != theirs[part]:
                yield f"{what} differs from its source in cell {number} ({part}): {_start(theirs)}; rebuild it"


def unsolved(solved: NotebookNode) -> Iterator[str]:
    """Every code cell executed, in order, without an error, checks solved, pictures with alt text, no paths."""
    for expected, (number, cell) in enumerate(_code(solved), start=1):
        if cell.execution_count != expected:
            yield f"cell {number} of the solved notebook was not executed in order; rebuild it"
        if _is_check(cell) and not any(
            ": solved." in output.get("data", {}).get("text/plain", "") for output in cell.outputs
        ):
            yield f"cell {number}: the solution does not solve its exercise"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell {number} of the solved notebook holds an error: {output.ename}"
            data = output.get("data", {})
            if any(kind.startswith("image/") for kind in data) and "text/html" not in data:
                yield f"cell {number} shows a bare image; show it through igteach.show, which adds alt text"
            if NO_ALT.search(data.get("text/html", "")):
                yield f"cell {number} shows an image without alt text"
            if home := HOME.search(output.get("text", "") + "".join(map(str, data.values()))):
                yield f"cell {number} names a folder of its machine ({home.group()}); print no path, and rebuild"


def given_away(learner: NotebookNode) -> Iterator[str]:
    """No outputs, no solutions and no hidden tests in what a learner opens."""
    for number, cell in _code(learner):
        if cell.outputs or cell.execution_count is not None:
            yield f"cell {number} of the learner's notebook has outputs; rebuild it"
        if _is_answer(cell) and "raise NotImplementedError()" not in cell.source:
            yield f"cell {number} of the learner's notebook has no open exercise in it"
    for number, cell in enumerate(learner.cells, start=1):
        if re.search("(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", cell.source):
            yield f"cell {number} of the learner's notebook holds a solution or a hidden test; rebuild it"


def broken_links(lesson: Lesson, source: NotebookNode) -> Iterator[str]:
    """A link to another lesson must lead to one that is there."""
    for target in re.findall(r"\]\((\w+\.ipynb)\)", _prose(source)):
        if not (lesson.learner.parent / target).exists():
            yield f"a link leads to {target}, which is not there"


def head(source: NotebookNode) -> Iterator[str]:
    first = source.cells[0].source
    if not re.match(r"# \d\d · ", first):
        yield "cell 1 does not start with a title like '# 01 · Naive gradients'"
    for section in HEAD:
        if section not in first:
            yield f"cell 1, the head, has no {section}"
    if not re.search(r"\*\*Time\.\*\* \d+ minutes", first):
        yield "cell 1, the head, does not say its time as '**Time.** 35 minutes'"


def tail(source: NotebookNode) -> Iterator[str]:
    last = source.cells[-1].source
    for section in TAIL:
        if section not in last:
            yield f"the last cell, the tail, has no {section}"
    if len(re.findall(r"^\d\. ", last, re.MULTILINE)) != 3:
        yield "the last cell does not say what to take away in three numbered lines"
    if not re.search(r"\(\d{4}\)", last):
        yield "the last cell cites no source with its year in brackets"


def progress_cell(source: NotebookNode) -> Iterator[str]:
    """Before the tail, a cell shows the learner's progress; it differs from learner to learner, so nbval skips it."""
    cell, call = source.cells[-2], f'progress("{source.metadata.igteach.lesson}")'
    if cell.cell_type != "code" or not cell.source.endswith(f"\n{call}"):
        yield f"the last cell but one is no code cell that ends with {call}"
    elif "nbval-ignore-output" not in cell.metadata.get("tags", []):
        yield "the last cell but one, the progress, must be tagged nbval-ignore-output"


def exercises(source: NotebookNode) -> Iterator[str]:
    """Three to five, each with difficulty, minutes, hints, a documented stub and a check."""
    titles = [cell.source for cell in source.cells if cell.source.startswith("### Exercise ")]
    answers = [cell for _, cell in _code(source) if _is_answer(cell)]
    checks = [cell for _, cell in _code(source) if _is_check(cell)]
    if not 3 <= len(titles) <= 5:
        yield f"there are {len(titles)} exercises; a lesson has three to five"
    if not len(titles) == len(answers) == len(checks):
        yield f"{len(titles)} exercise titles, {len(answers)} answer cells, {len(checks)} checks; one each is wanted"
    for text in titles:
        name = text.splitlines()[0]
        if not DIFFICULTY.search(text):
            yield f"'{name}' does not say difficulty and minutes as '●○○ · 5 minutes'"
        if not 1 <= text.count("<summary>Hint") <= 3:
            yield f"'{name}' has {text.count('<summary>Hint')} hints; one to three"
    for cell in answers:
        if not re.search(r'^def .*\n    """', cell.source, re.MULTILINE):
            yield f"the answer cell {_start(cell)} has no function with a docstring"
        if not re.search(r"^    +### BEGIN SOLUTION", cell.source, re.MULTILINE):
            yield f"the answer cell {_start(cell)} has no solution inside its function"


def recap_and_quiz(source: NotebookNode) -> Iterator[str]:
    text = _prose(source)
    if "## Recap" not in text:
        yield "there is no '## Recap' with a question from an earlier lesson"
    questions = re.split(r"\*\*Question \d\.\*\*", text.partition("## Quiz")[2])[1:]
    if len(questions) != 3:
        yield f"the quiz has {len(questions)} questions ('**Question 1.**' and so on); it must have three"
    for number, question in enumerate(questions, start=1):
        if question.count("<details><summary>") < 2:
            yield f"question {number} of the quiz has fewer than two choices that explain themselves"
        if question.count("\nRight.") != 1:
            yield f"question {number} of the quiz must have one choice whose explanation starts with 'Right.'"


def prediction(source: NotebookNode) -> Iterator[str]:
    if "**Predict.**" not in _prose(source):
        yield "no cell asks for a guess with '**Predict.**' before the answer is shown"


def prose(source: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(source.cells, start=1):
        if cell.cell_type != "markdown":
            continue
        text = NO_PROSE.sub(" ", cell.source)
        if found := BANNED.search(text):
            yield f"cell {number} says {found.group()!r}; no exclamation marks, no 'simply', no 'obviously'"
        if NO_ALT.search(text):
            yield f"cell {number} shows an image without alt text of ten characters or more"


def formulas(source: NotebookNode) -> Iterator[str]:
    """MathML of each, for the book and for feedback, which load nothing to show them."""
    for number, cell in enumerate(source.cells, start=1):
        text = CODE.sub(" ", cell.source) if cell.cell_type == "markdown" else ""
        for block, inline in FORMULA.findall(text):
            try:
                tex2mathml((block or inline).strip())
            except MathError as error:
                yield f"cell {number} has a formula that cannot be shown without a network: {error}"
        if found := ENVIRONMENT.search(FORMULA.sub(" ", text)):
            yield f"cell {number} has a formula ({found.group()}) without dollars; put it between two pairs of them"


def drawing(source: NotebookNode) -> Iterator[str]:
    """Figures come from igteach.show, so that palette and alt text are the course's."""
    for number, cell in _code(source):
        if found := OWN_DRAWING.search(cell.source):
            yield f"cell {number} draws by itself ({found.group()}); use igteach.show, which keeps the palette"


def width(source: NotebookNode) -> Iterator[str]:
    """No line of code, of a docstring or of a comment may be wider than a page."""
    for number, cell in _code(source):
        for line in cell.source.splitlines():
            if len(line) > WIDEST_CODE:
                yield f"cell {number} has a line of {len(line)} characters, at most {WIDEST_CODE}: {line.strip()[:40]}"


def _code(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    return [(number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code"]


def _is_answer(cell: NotebookNode) -> bool:
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def _is_check(cell: NotebookNode) -> bool:
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def _prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def _start(cell: NotebookNode) -> str:
    return repr(cell.source.strip().splitlines()[0][:50]) if cell.source.strip() else "(empty)"
