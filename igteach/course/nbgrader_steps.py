"""What a course adds to nbgrader's own steps: mending a submission, running it within limits, judging its proofs.

nbgrader_config.py names these lists, so that nbgrader's own commands and its JupyterLab extensions use them, too.
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

from igteach.course.sandbox import BoxedKernelManager, available
from igteach.exercises import EXERCISES
from igteach.exercises.checker import Verdict, compare
from igteach.exercises.graded import PROOF, decode

Resources = dict[str, Any]
HIDDEN = re.compile(r'graded_check\("(\d\d\.\d)", (\w+), (\d+)\)')
LARGEST_OUTPUT = 100_000  # characters a cell
DEAD = "DeadKernel"
LONGEST_MESSAGE = 400
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
    """Brings a submission's graded cells back to what the release has: each once, and none before its answer.

    What it did is noted in the notebook's metadata, as flags for the instructor.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        place = resources["nbgrader"]
        release = Path("release") / place["assignment"] / f"{place['notebook']}.ipynb"
        master = nbformat.read(release, as_version=4)
        nb.metadata["igteach"] = {**master.metadata.get("igteach", {}), "flags": flags_of(nb, master)}
        flags = nb.metadata["igteach"]["flags"]
        for cell in duplicates(nb):
            flags.append(f"{grade_id(cell)} was there more than once; the last one counts")
            del cell.metadata["nbgrader"]
        ours = {grade_id(cell): cell for cell in master.cells if grade_id(cell)}
        for cell in filter(grade_id, nb.cells):  # what counts, and for how much, is for the release to say
            known = ours.get(grade_id(cell))
            del cell.metadata["nbgrader"]
            if known:
                cell.metadata["nbgrader"] = copy.deepcopy(known.metadata.nbgrader)
        for cell in ours.values():
            if cell.metadata.nbgrader.get("points"):
                put_back(cell, nb, flags)
        return nb, resources


def duplicates(nb: NotebookNode) -> list[NotebookNode]:
    """Cells whose grade_id comes again further down."""
    last = {grade_id(cell): cell for cell in nb.cells if grade_id(cell)}
    return [cell for cell in nb.cells if grade_id(cell) and last[grade_id(cell)] is not cell]


def put_back(cell: NotebookNode, nb: NotebookNode, flags: list[str]) -> None:
    """A graded cell that is missing, or that comes before its answer, goes to the end."""
    here = {grade_id(other): number for number, other in enumerate(nb.cells)}
    name = cell.metadata.nbgrader.grade_id
    if name not in here:
        flags.append(f"{name} was missing; it was put at the end")
        nb.cells.append(cell)
    elif here[name] < here.get(name.replace("check", "answer"), -1):
        flags.append(f"{name} came before its answer; it was put at the end")
        nb.cells.append(nb.cells.pop(here[name]))


def flags_of(nb: NotebookNode, master: NotebookNode) -> list[str]:
    """What an instructor should look at: a foreign version, locked cells that were changed, suspicious words."""
    flags = []
    wanted, received = (book.metadata.get("igteach", {}).get("version") for book in (master, nb))
    if wanted != received:
        flags.append(f"handed in from version {received} of the lesson, assigned was {wanted}")
    ours = {grade_id(cell): cell.source for cell in master.cells if cell.metadata.get("nbgrader", {}).get("locked")}
    known = {cell.source for cell in master.cells}
    for cell in nb.cells:
        if grade_id(cell) in ours and cell.source != ours[grade_id(cell)]:
            flags.append(f"{grade_id(cell)} was changed; the release's counts")
        elif cell.cell_type == "code" and cell.source not in known:
            flags += [f"{grade_id(cell) or 'a cell'} {why}" for word, why in SUSPICIOUS.items() if word in cell.source]
    return list(dict.fromkeys(flags))


def grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


class SandboxedExecute(nbgrader.Execute):
    """nbgrader's execution in a sandbox, limited in time and output; a dead kernel ends the run, not the grading."""

    seconds = Integer(55, help="seconds that a submission may take in all").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kernel_manager_class=BoxedKernelManager, timeout_func=self._seconds_left, **kwargs)

    def preprocess(self, nb: NotebookNode, resources: Resources, km: Any = None) -> tuple[NotebookNode, Resources]:
        place, flags = resources["nbgrader"], nb.metadata.setdefault("igteach", {}).setdefault("flags", [])
        self._visible = Path("submitted") / place["student"] / place["assignment"]
        self._until, self._written = time.monotonic() + self.seconds, [0, 0]
        with tempfile.TemporaryDirectory(prefix="igteach-") as self._sockets:
            try:
                super().preprocess(nb, resources, km)
            except DeadKernelError:
                flags.append(f"the kernel died, out of memory or killed by its code, in cell {self._number}")
                died = nbformat.v4.new_output("error", ename=DEAD, evalue="", traceback=["The kernel died."])
                nb.cells[self._number - 1].outputs.append(died)
        if time.monotonic() > self._until:
            flags.append(f"stopped after {self.seconds} seconds")
        if not available():
            flags.append("ran without a sandbox")
        return nb, resources

    def create_kernel_manager(self) -> BoxedKernelManager:
        file = f"{self._sockets}/kernel.json"
        self.km = BoxedKernelManager(kernel_name=self.kernel_name, config=self.config, connection_file=file)
        self.km.visible = self._visible
        return self.km

    def preprocess_cell(self, cell: NotebookNode, resources: Resources, index: int) -> tuple[NotebookNode, Resources]:
        self._number, self._written = index + 1, [0, 0]
        if time.monotonic() > self._until:
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Leaves out what a cell writes beyond the largest output; proofs have a share of their own."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data", "error"):
            proof = PROOF in msg["content"].get("data", {})
            self._written[proof] += len(str(msg["content"]))
            if self._written[proof] > LARGEST_OUTPUT:
                return None
        return super().process_message(msg, cell, cell_index)

    def _seconds_left(self, _: NotebookNode) -> int:
        return max(1, min(self.timeout, int(self._until - time.monotonic())))


class JudgeProofs(NbGraderPreprocessor):
    """Judges each graded cell by the proof that it handed over, in the grader's own process, and clears its outputs.

    A point is given for values that are right here, whatever the submission's kernel said of them. Hidden tests
    that turn up in any output are taken out.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        flags = nb.metadata["igteach"]["flags"]
        hidden = {id(cell): found for cell in nb.cells if (found := hidden_test(cell))}
        secrets = {found.group(3) for found in hidden.values()}
        for cell in nb.cells:
            if id(cell) in hidden:
                exercise, _, secret = hidden[id(cell)].groups()
                cell.outputs = [as_output(verdict_of(cell, exercise, int(secret), flags), secrets)]
            elif cell.cell_type == "code" and gives_away(str(cell.outputs), secrets):
                flags.append(f"an output of {grade_id(cell) or 'a cell'} held a hidden test; it was taken out")
                cell.outputs = []
        nb.metadata["igteach"]["flags"] = list(dict.fromkeys(flags))  # each once, however many cells it was
        return nb, resources


def hidden_test(cell: NotebookNode) -> re.Match[str] | None:
    """The call of the hidden check in a graded cell: exercise, function, secret."""
    return HIDDEN.search(cell.source) if cell.metadata.get("nbgrader", {}).get("grade") else None


def verdict_of(cell: NotebookNode, exercise: str, secret: int, flags: list[str]) -> Verdict:
    """What the proof in a cell's outputs is worth; where there is none, why."""
    for output in reversed(cell.outputs):
        proof = output.get("data", {}).get(PROOF)
        if isinstance(proof, dict) and proof.get("exercise") == exercise:
            if proof.get("state") != "solved":
                return Verdict(exercise, "not yet", str(proof.get("message")))
            try:
                verdict = compare(EXERCISES[exercise], decode(proof["returned"]), secret)
            except (ValueError, TypeError, KeyError, RuntimeError):
                verdict = Verdict(exercise, "not yet", "What your notebook handed over is no answer.")
            if verdict.state != "solved":
                flags.append(f"{grade_id(cell)} claimed to be solved and was not")
            return verdict
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is not None and error.ename == DEAD:
        return Verdict(exercise, "not yet", "Your function ended the kernel: out of memory, or killed.")
    if error is None and cell.execution_count is None:
        return Verdict(exercise, "not yet", "The check did not run: the notebook was stopped before it.")
    if error is None:
        flags.append(f"{grade_id(cell)} ended without a proof")
        return Verdict(exercise, "not yet", "The check ended without handing over what your function returned.")
    if error.ename == "CellTimeoutError" or error.ename == "KeyboardInterrupt":
        return Verdict(exercise, "not yet", "Your function did not come to an end in time.")
    return Verdict(exercise, "not yet", f"The check could not run: {error.ename}: {error.evalue}")


def as_output(verdict: Verdict, secrets: set[str]) -> NotebookNode:
    """The one output that a graded cell keeps: an error is no points for nbgrader, anything else is all of them."""
    if verdict.state == "solved":
        return nbformat.v4.new_output("display_data", {"text/plain": str(verdict)})
    message = verdict.message[:LONGEST_MESSAGE]
    if gives_away(message, secrets):
        message = "Your answer's message held a hidden test."
    shown = f"Exercise {verdict.exercise}: {message}"
    return nbformat.v4.new_output("error", ename="NotSolved", evalue=message, traceback=[shown])


def gives_away(text: str, secrets: set[str]) -> bool:
    return "graded_check" in text or "HIDDEN TESTS" in text or any(secret in text for secret in secrets)


SANITIZE = [
    nbgrader.ClearOutput,
    RestoreGradedCells,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
AUTOGRADE = [SandboxedExecute, JudgeProofs, nbgrader.LimitOutput, nbgrader.SaveAutoGrades, nbgrader.AssignLatePenalties]
AUTOGRADE += [nbgrader.CheckCellMetadata]
FEEDBACK = [nbgrader.GetGrades, nbgrader.ClearHiddenTests, nbgrader.ClearMarkScheme, CSSHTMLHeaderPreprocessor]
