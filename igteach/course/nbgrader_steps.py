"""The steps that a course adds to nbgrader's: restore graded cells, run in a sandbox, judge proofs.

nbgrader_config.py names the lists at the end, so that nbgrader's own commands and its JupyterLab extensions use them,
too.
"""

import copy
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import DeadKernelError
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader import preprocessors as nbgrader
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

from igteach.course import sandbox
from igteach.course.sanitising import SanitiseSubmission
from igteach.exercises import EXERCISES
from igteach.exercises.checker import Verdict, compare
from igteach.exercises.graded import PROOF, decode

Resources = dict[str, Any]
HIDDEN_TEST = re.compile(r'graded_check\("(\d\d\.\d)", (\w+), (\d+)\)')  # exercise, function, secret
OUTPUT_MESSAGES = ("stream", "display_data", "execute_result", "update_display_data", "error")
LARGEST_OUTPUT = 100_000  # characters a cell
DEAD_KERNEL = "DeadKernel"
LONGEST_MESSAGE = 400  # characters
SUSPICIOUS = {
    "graded": "names the hidden check",
    "igteach.exercises.": "reaches into the checkers",
    "EXERCISES": "reaches into the checkers",
    "get_ipython": "reaches into the notebook's own machinery",
    "_getframe": "looks at its callers",
    "currentframe": "looks at its callers",
    "inspect.stack": "looks at its callers",
    "setprofile": "switches the lock off",
    "settrace": "switches the lock off",
    "f_back": "looks at its callers",
    "gc.get_": "looks through memory",
    "sys.modules": "changes or searches modules",
    ".ipynb": "opens a notebook",
    "subprocess": "starts programs",
    "os.system": "starts programs",
    "__code__": "rewrites functions",
}


class RestoreGradedCells(NbGraderPreprocessor):
    """Puts a submission's graded cells back as they are in the release: each once, and none before its answer.

    What it changed is noted in the notebook's metadata, as flags for the instructor.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        names = resources["nbgrader"]
        release_file = Path("release") / names["assignment"] / f"{names['notebook']}.ipynb"
        release = nbformat.read(release_file, as_version=4)
        flags = flags_of(nb, release)
        for cell in earlier_duplicates(nb):
            flags.append(f"{grade_id(cell)} appears more than once; the last one counts")
            del cell.metadata["nbgrader"]
        released_cells = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
        restore_metadata(nb, released_cells)
        for cell in released_cells.values():
            if cell.metadata.nbgrader.get("points"):
                put_after_answer(cell, nb, flags)
        nb.metadata["igteach"] = {**release.metadata.get("igteach", {}), "flags": flags}
        return nb, resources


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows a cell by.

    Args:
        cell: A cell.

    Returns:
        Such as "check-04-2"; None for a cell that nbgrader does not know.
    """
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def earlier_duplicates(nb: NotebookNode) -> list[NotebookNode]:
    """Find cells whose grade_id another cell further down has, too.

    Args:
        nb: A submission.

    Returns:
        All of them but the last of each grade_id.
    """
    last = {grade_id(cell): cell for cell in nb.cells if grade_id(cell)}
    return [cell for cell in nb.cells if grade_id(cell) and last[grade_id(cell)] is not cell]


def restore_metadata(nb: NotebookNode, released_cells: dict[str | None, NotebookNode]) -> None:
    """Replace nbgrader's metadata by the release's, which says what counts and for how much.

    Args:
        nb: A submission, which is changed.
        released_cells: The cells of the release by grade_id. A cell that is not among them loses its metadata.
    """
    for cell in nb.cells:
        name = grade_id(cell)
        if not name:
            continue
        del cell.metadata["nbgrader"]
        if name in released_cells:
            cell.metadata["nbgrader"] = copy.deepcopy(released_cells[name].metadata.nbgrader)


def put_after_answer(cell: NotebookNode, nb: NotebookNode, flags: list[str]) -> None:
    """Put a graded cell at the end of a submission if it is missing there, or stands before its answer.

    Args:
        cell: The cell, as in the release.
        nb: The submission, which is changed.
        flags: Where to note what was done.
    """
    positions = {grade_id(other): position for position, other in enumerate(nb.cells)}
    name = cell.metadata.nbgrader.grade_id
    if name not in positions:
        flags.append(f"{name} was missing; it was added at the end")
        nb.cells.append(cell)
        return
    answer_position = positions.get(name.replace("check", "answer"), -1)
    if positions[name] < answer_position:
        flags.append(f"{name} stood before its answer; it was moved to the end")
        nb.cells.append(nb.cells.pop(positions[name]))


def flags_of(nb: NotebookNode, release: NotebookNode) -> list[str]:
    """Find what an instructor should look at before a submission runs.

    Args:
        nb: The submission.
        release: The release of its assignment.

    Returns:
        A line for another version of the lesson, each locked cell that was changed, and each suspicious word.
    """
    flags = []
    assigned = release.metadata.get("igteach", {}).get("version")
    submitted = nb.metadata.get("igteach", {}).get("version")
    if submitted != assigned:
        flags.append(f"handed in from version {submitted} of the lesson; version {assigned} was assigned")
    locked_cells = [cell for cell in release.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    locked_sources = {grade_id(cell): cell.source for cell in locked_cells}
    released_sources = {cell.source for cell in release.cells}
    for cell in nb.cells:
        name = grade_id(cell)
        if name in locked_sources and cell.source != locked_sources[name]:
            flags.append(f"{name} was changed; the cell of the release counts")
        elif cell.cell_type == "code" and cell.source not in released_sources:
            flags += [f"{name or 'a cell'} {reason}" for word, reason in SUSPICIOUS.items() if word in cell.source]
    return without_repeats(flags)


def without_repeats(flags: list[str]) -> list[str]:
    """Keep the first of equal flags.

    Args:
        flags: Flags, some of which several cells may have caused.

    Returns:
        Each flag once, in the same order.
    """
    return list(dict.fromkeys(flags))


class SandboxedExecute(nbgrader.Execute):
    """nbgrader's execution in a sandbox, limited in time and output; a dead kernel ends the run, not the grading."""

    seconds = Integer(55, help="seconds that a submission may take in all").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kernel_manager_class=sandbox.SandboxedKernelManager, timeout_func=self._seconds_left, **kwargs)

    def preprocess(self, nb: NotebookNode, resources: Resources, km: Any = None) -> tuple[NotebookNode, Resources]:
        names = resources["nbgrader"]
        flags = nb.metadata.setdefault("igteach", {}).setdefault("flags", [])
        self._visible_folder = Path("submitted") / names["student"] / names["assignment"]
        self._deadline = time.monotonic() + self.seconds
        self._reset_output_count()
        with tempfile.TemporaryDirectory(prefix="igteach-") as self._socket_folder:
            try:
                super().preprocess(nb, resources, km)
            except DeadKernelError:
                flags.append(f"the kernel died, out of memory or killed by its code, in cell {self._cell_number}")
                error = nbformat.v4.new_output("error", ename=DEAD_KERNEL, evalue="", traceback=["The kernel died."])
                nb.cells[self._cell_number - 1].outputs.append(error)
        if self._is_over():
            flags.append(f"stopped after {self.seconds} seconds")
        if not sandbox.available():
            flags.append("ran without a sandbox")
        return nb, resources

    def create_kernel_manager(self) -> sandbox.SandboxedKernelManager:
        self.km = sandbox.SandboxedKernelManager(
            kernel_name=self.kernel_name,
            config=self.config,
            connection_file=f"{self._socket_folder}/kernel.json",
        )
        self.km.visible_folder = self._visible_folder
        return self.km

    def preprocess_cell(self, cell: NotebookNode, resources: Resources, index: int) -> tuple[NotebookNode, Resources]:
        self._cell_number = index + 1
        self._reset_output_count()
        if self._is_over():
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Drops what a cell writes beyond LARGEST_OUTPUT. Proofs are counted separately, so that noise hides none."""
        if msg["msg_type"] in OUTPUT_MESSAGES:
            kind = "proof" if PROOF in msg["content"].get("data", {}) else "other"
            self._characters[kind] += len(str(msg["content"]))
            if self._characters[kind] > LARGEST_OUTPUT:
                return None
        return super().process_message(msg, cell, cell_index)

    def _reset_output_count(self) -> None:
        self._characters = {"proof": 0, "other": 0}

    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def _seconds_left(self, _: NotebookNode) -> int:
        left = int(self._deadline - time.monotonic())
        return max(1, min(self.timeout, left))


class JudgeProofs(NbGraderPreprocessor):
    """Judges each graded cell by the proof that it handed over, in the grader's own process, and clears its outputs.

    Points are given for values that are right here, whatever the submission's kernel said of them. Outputs that
    contain a hidden test are removed.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        flags = nb.metadata["igteach"]["flags"]
        hidden_tests = [find_hidden_test(cell) for cell in nb.cells]
        secrets = {test.group(3) for test in hidden_tests if test}
        for cell, test in zip(nb.cells, hidden_tests, strict=True):
            if test:
                exercise, _, secret = test.groups()
                verdict = verdict_of(cell, exercise, int(secret), flags)
                cell.outputs = [as_output(verdict, secrets)]
            elif cell.cell_type == "code" and gives_away(str(cell.outputs), secrets):
                flags.append(f"an output of {grade_id(cell) or 'a cell'} contained a hidden test; it was removed")
                cell.outputs = []
        nb.metadata["igteach"]["flags"] = without_repeats(flags)
        return nb, resources


def find_hidden_test(cell: NotebookNode) -> re.Match[str] | None:
    """Find the call of the hidden check in a cell.

    Args:
        cell: A cell of a submission.

    Returns:
        A match with the exercise, the function and the secret; None for a cell that is not graded.
    """
    if not cell.metadata.get("nbgrader", {}).get("grade"):
        return None
    return HIDDEN_TEST.search(cell.source)


def verdict_of(cell: NotebookNode, exercise: str, secret: int, flags: list[str]) -> Verdict:
    """Judge a graded cell that has run.

    Args:
        cell: The cell, with its outputs.
        exercise: The exercise's id.
        secret: What the hidden cases were drawn with.
        flags: Where to note what an instructor should look at.

    Returns:
        The verdict on the last proof for this exercise, or what happened if there is none.
    """
    for output in reversed(cell.outputs):
        proof = output.get("data", {}).get(PROOF)
        if isinstance(proof, dict) and proof.get("exercise") == exercise:
            return _verdict_of_proof(proof, cell, secret, flags)
    return _verdict_without_proof(cell, exercise, flags)


def _verdict_of_proof(proof: dict[str, Any], cell: NotebookNode, secret: int, flags: list[str]) -> Verdict:
    exercise = proof["exercise"]
    if proof.get("state") != "solved":
        return Verdict(exercise, "not yet", str(proof.get("message")))
    try:
        verdict = compare(EXERCISES[exercise], decode(proof["returned"]), secret)
    except (ValueError, TypeError, KeyError, RuntimeError):
        verdict = Verdict(exercise, "not yet", "What your notebook handed over is not an answer.")
    if verdict.state != "solved":
        flags.append(f"{grade_id(cell)} claimed to be solved and was not")
    return verdict


def _verdict_without_proof(cell: NotebookNode, exercise: str, flags: list[str]) -> Verdict:
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is None and cell.execution_count is None:
        message = "The check did not run: the notebook was stopped before it."
    elif error is None:
        flags.append(f"{grade_id(cell)} ended without a proof")
        message = "The check ended without handing over what your function returned."
    elif error.ename == DEAD_KERNEL:
        message = "Your function ended the kernel: out of memory, or killed."
    elif error.ename in ("CellTimeoutError", "KeyboardInterrupt"):
        message = "Your function did not come to an end in time."
    else:
        message = f"The check could not run: {error.ename}: {error.evalue}"
    return Verdict(exercise, "not yet", message)


def as_output(verdict: Verdict, secrets: set[str]) -> NotebookNode:
    """Write a verdict as the one output that a graded cell keeps.

    Args:
        verdict: The verdict.
        secrets: The secrets of the notebook's hidden tests, which no message may contain.

    Returns:
        An error, for which nbgrader gives no points, or any other output, for which it gives all of them.
    """
    if verdict.state == "solved":
        return nbformat.v4.new_output("display_data", {"text/plain": str(verdict)})
    message = verdict.message[:LONGEST_MESSAGE]
    if gives_away(message, secrets):
        message = "Your answer's message held a hidden test."
    shown = f"Exercise {verdict.exercise}: {message}"
    return nbformat.v4.new_output("error", ename="NotSolved", evalue=message, traceback=[shown])


def gives_away(text: str, secrets: set[str]) -> bool:
    """Whether a text contains a hidden test.

    Args:
        text: A message, or outputs as text.
        secrets: The secrets of the notebook's hidden tests.

    Returns:
        True if it names the hidden check, or contains a secret.
    """
    marks = ("graded_check", "HIDDEN TESTS", *secrets)
    return any(mark in text for mark in marks)


SANITIZE = [
    nbgrader.ClearOutput,
    RestoreGradedCells,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
AUTOGRADE = [
    SandboxedExecute,
    JudgeProofs,
    SanitiseSubmission,
    nbgrader.LimitOutput,
    nbgrader.SaveAutoGrades,
    nbgrader.AssignLatePenalties,
    nbgrader.CheckCellMetadata,
]
FEEDBACK = [nbgrader.GetGrades, nbgrader.ClearHiddenTests, nbgrader.ClearMarkScheme, CSSHTMLHeaderPreprocessor]
