"""The steps that a course adds to nbgrader's: restore graded cells, run in a sandbox, judge proofs.

The kernel of a hand-in has neither the course seed nor the right answers: the hidden cases are drawn here and passed
into the sandbox as data, and what the answers returned is judged here. nbgrader_config.py uses the lists at the end,
so that nbgrader's own commands and its JupyterLab extensions do, too.
"""

import copy
import io
import re
import subprocess
import tempfile
import time
import tokenize
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader import preprocessors as nbgrader
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer, Unicode

from igteach.course import memory_bound, sandbox
from igteach.course.lateness import NoteLateness
from igteach.course.sanitising import SanitiseSubmission
from igteach.course.seed import derive_secret, read_seed
from igteach.course.stated_limits import DEFAULT, stated_for
from igteach.exercises.case_files import write_cases
from igteach.exercises.checker import Verdict
from igteach.exercises.graded import PROOF, decode
from igteach.exercises.judging import compare, distinguishing_cases
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import grade_id

Resources = dict[str, Any]
CHECK = re.compile(r'check\("(\d\d\.\d)", (\w+)\)\s*$')  # exercise, function
# What runs in the place of a graded cell: a student may have a variable `check`, but an import is always the import.
RUN = 'from igteach.exercises import check as igteach_check\nigteach_check("{exercise}", {function})'
OUTPUT_MESSAGES = ("stream", "display_data", "execute_result", "update_display_data", "error")
LARGEST_OUTPUT = 100_000  # characters a cell
DEAD_KERNEL = "DeadKernel"
LONGEST_MESSAGE = 400  # characters
SUSPICIOUS = {
    "igteach.exercises.": "reaches into the checkers",
    "IGTEACH_CASES": "looks for the hidden cases",
    "igteach.proof": "sends a proof of its own",
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
        nb.cells = [restored_type(cell, released_cells) for cell in nb.cells]
        for cell in released_cells.values():
            if cell.metadata.nbgrader.get("points"):
                put_after_answer(cell, nb, flags)
        nb.metadata["igteach"] = {**release.metadata.get("igteach", {}), "flags": flags}
        return nb, resources


def earlier_duplicates(nb: NotebookNode) -> list[NotebookNode]:
    """Find cells whose grade_id another cell further down has, too.

    Args:
        nb: A submission.

    Returns:
        All of them but the last of each grade_id.
    """
    last = {grade_id(cell): cell for cell in nb.cells if grade_id(cell)}
    return [cell for cell in nb.cells if grade_id(cell) and last[grade_id(cell)] is not cell]


def restore_metadata(nb: NotebookNode, released_cells: dict[str, NotebookNode]) -> None:
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


def restored_type(cell: NotebookNode, released_cells: dict[str, NotebookNode]) -> NotebookNode:
    """Make code of a cell that is code in the release: one key in JupyterLab turns it into Markdown.

    Args:
        cell: A cell of a submission.
        released_cells: The cells of the release by grade_id.

    Returns:
        The cell, or a code cell with its source and metadata.
    """
    released = released_cells.get(grade_id(cell))
    if released is None or released.cell_type == cell.cell_type or released.cell_type != "code":
        return cell
    return nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata, id=cell.get("id", grade_id(cell)))


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
            code = without_comments(cell.source)
            flags += [f"{name or 'a cell'} {reason}" for word, reason in SUSPICIOUS.items() if word in code]
    return without_repeats(flags)


def without_comments(source: str) -> str:
    """Remove comments, which do nothing.

    Args:
        source: The source of a cell.

    Returns:
        The source without them; as it is where it is not Python.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    lines = source.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column] + lines[row - 1][token.end[1] :]
    return "".join(lines)


def without_repeats(flags: list[str]) -> list[str]:
    """Keep the first of equal flags.

    Args:
        flags: Flags, some of which several cells may have caused.

    Returns:
        Each flag once, in the same order.
    """
    return list(dict.fromkeys(flags))


class SandboxedExecute(nbgrader.Execute):
    """nbgrader's execution in a sandbox, with limits; a dead kernel ends the run, not the grading.

    The kernel finds the hidden cases of the notebook's exercises, and a copy of the notebook under the name that it
    was released by; nothing else of the hand-in, the course, or the solutions.

    A limit that is set to another number than its default holds; for the others, what the lesson states in source/.
    """

    timeout = Integer(DEFAULT.cell, help="seconds that a cell may take").tag(config=True)
    seconds = Integer(DEFAULT.submission, help="seconds that a submission may take in all").tag(config=True)
    memory = Integer(DEFAULT.memory, help="GB of memory that a submission may take in all").tag(config=True)
    seed_file = Unicode(help="the file of the course seed, which no hand-in can see").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kernel_manager_class=sandbox.SandboxedKernelManager, timeout_func=self._seconds_left, **kwargs)

    def preprocess(self, nb: NotebookNode, resources: Resources, km: Any = None) -> tuple[NotebookNode, Resources]:
        flags = nb.metadata.setdefault("igteach", {}).setdefault("flags", [])
        seed = read_seed(Path(self.seed_file))
        stated = stated_for(Path(), resources["nbgrader"]["assignment"])
        self._limits = stated.unless_set(cell=self.timeout, submission=self.seconds, memory=self.memory)
        resources["igteach_seed"], resources["igteach_secrets"] = seed, secrets_of(nb, seed)
        self._proofs: dict[int, object] = {}  # by cell; the last one counts
        resources["igteach_proofs"] = self._proofs
        self._flags, self._folder = flags, Path(tempfile.mkdtemp(prefix="igteach-"))
        try:
            self._fill(nb, resources)
            self._deadline = time.monotonic() + self._limits.submission
            super().preprocess(nb, resources, km)
        except CellTimeoutError:  # not even to an interrupt
            flags.append(f"the kernel stopped responding in cell {self._cell_number}; later cells did not run")
        except DeadKernelError:
            flags.append(f"the kernel died, out of memory or killed by its code, in cell {self._cell_number}")
            error = nbformat.v4.new_output("error", ename=DEAD_KERNEL, evalue="", traceback=["The kernel died."])
            nb.cells[self._cell_number - 1].outputs.append(error)
        finally:  # by rm, because code in the sandbox may have made folders deeper than Python can remove
            subprocess.run(["rm", "-rf", str(self._folder)], capture_output=True, check=False)
        if self._is_over():
            flags.append(f"stopped after {self._limits.submission} seconds")
        if not sandbox.available():
            flags.append("ran without a sandbox")
        return nb, resources

    def _fill(self, nb: NotebookNode, resources: Resources) -> None:
        """Make the three folders that the sandbox binds: sockets, the notebook, and the hidden cases."""
        for part in ("sockets", "notebook", "cases"):
            (self._folder / part).mkdir()
        nbformat.write(nb, self._folder / "notebook" / f"{resources['nbgrader']['notebook']}.ipynb")
        for exercise, secret in resources["igteach_secrets"].items():
            cases = distinguishing_cases(EXERCISES[exercise], secret).cases
            write_cases(self._folder / "cases" / f"{exercise}.safetensors", cases)

    def create_kernel_manager(self) -> sandbox.SandboxedKernelManager:
        self.km = sandbox.SandboxedKernelManager(
            kernel_name=self.kernel_name,
            config=self.config,
            connection_file=str(self._folder / "sockets" / "kernel.json"),
        )
        self.km.show(self._folder / "notebook", self._folder / "cases")
        self.km.memory = self._limits.memory * memory_bound.GIGABYTE
        return self.km

    def preprocess_cell(self, cell: NotebookNode, resources: Resources, index: int) -> tuple[NotebookNode, Resources]:
        self._cell_number = index + 1
        self._characters = 0
        if self._is_over():
            return cell, resources
        released = cell.source
        if check := find_check(cell):
            exercise, function = check.groups()
            cell.source = RUN.format(exercise=exercise, function=function)
        try:
            return super().preprocess_cell(cell, resources, index)
        finally:
            cell.source = released

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Keeps proofs apart from what a cell shows, and drops what a cell writes beyond LARGEST_OUTPUT."""
        try:
            data = msg["content"].get("data", {}) if msg["msg_type"] == "display_data" else {}
            size = len(str(msg["content"]))
            if PROOF in data:
                if size <= LARGEST_OUTPUT:
                    self._proofs[cell_index] = data[PROOF]
                return None
            if msg["msg_type"] in OUTPUT_MESSAGES:
                self._characters += size
                if self._characters > LARGEST_OUTPUT:
                    return None
            return super().process_message(msg, cell, cell_index)
        except (AttributeError, KeyError, TypeError, ValueError):
            self._flags.append(f"cell {cell_index + 1} sent a message that no kernel sends")
            return None

    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def _seconds_left(self, _: NotebookNode) -> int:
        left = int(self._deadline - time.monotonic())
        return max(1, min(self._limits.cell, left))


def secrets_of(nb: NotebookNode, seed: bytes) -> dict[str, int]:
    """What the hidden cases of a notebook are drawn with.

    Args:
        nb: A submission, with its graded cells as in the release.
        seed: The course seed.

    Returns:
        A secret for each of its exercises.
    """
    exercises = [check.group(1) for cell in nb.cells if (check := find_check(cell))]
    return {exercise: derive_secret(seed, exercise) for exercise in exercises if exercise in EXERCISES}


class JudgeProofs(NbGraderPreprocessor):
    """Judges each graded cell by the proof that it handed over, in the grader's own process, and clears its outputs.

    Points are given for values that are right here, whatever the submission's kernel said of them.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        flags = nb.metadata["igteach"]["flags"]
        secrets = resources["igteach_secrets"]
        for number, cell in enumerate(nb.cells):
            check = find_check(cell)
            if check:
                exercise, proof = check.group(1), resources["igteach_proofs"].get(number)
                cell.outputs = [as_output(verdict_of(cell, exercise, proof, secrets, flags))]
        nb.metadata["igteach"]["flags"] = without_repeats(flags)
        return nb, resources


def find_check(cell: NotebookNode) -> re.Match[str] | None:
    """Find the call of the check in a graded cell.

    Args:
        cell: A cell of a submission.

    Returns:
        A match with the exercise and the function; None for a cell that is not graded.
    """
    if not cell.metadata.get("nbgrader", {}).get("grade"):
        return None
    return CHECK.match(cell.source)


def verdict_of(cell: NotebookNode, exercise: str, proof: object, secrets: dict[str, int], flags: list[str]) -> Verdict:
    """Judge a graded cell that has run.

    Args:
        cell: The cell, with its outputs.
        exercise: The exercise's id.
        proof: What the cell sent back; None if nothing.
        secrets: What the hidden cases of each exercise were drawn with.
        flags: Where to note what an instructor should look at.

    Returns:
        The verdict on the proof, or what happened if there is none for this exercise.
    """
    if not isinstance(proof, dict) or proof.get("exercise") != exercise:
        return _verdict_without_proof(cell, exercise, flags)
    if proof.get("threads"):
        flags.append(f"{grade_id(cell)} ran beside a thread of the notebook's own, which the lock may not watch")
    if proof.get("state") != "handed in":
        return Verdict(exercise, "not yet", str(proof.get("message")))
    try:
        return compare(EXERCISES[exercise], decode(proof.get("returned")), secrets[exercise])
    except ValueError:  # the package sends nothing of that form
        flags.append(f"{grade_id(cell)} sent back something that no answer can return")
        return Verdict(exercise, "not yet", "What your notebook sent back is not an answer.")


def _verdict_without_proof(cell: NotebookNode, exercise: str, flags: list[str]) -> Verdict:
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is None and cell.execution_count is None:
        message = "The check did not run: the notebook was stopped before it."
    elif error is None:
        flags.append(f"{grade_id(cell)} ended without a proof")
        message = "The check ended without sending back what your function returned."
    elif error.ename == DEAD_KERNEL:
        message = "Your function ended the kernel: out of memory, or killed."
    elif error.ename in ("CellTimeoutError", "KeyboardInterrupt"):
        message = "Your function did not come to an end in time."
    else:
        message = f"The check could not run: {error.ename}: {error.evalue}"
    return Verdict(exercise, "not yet", message)


def as_output(verdict: Verdict) -> NotebookNode:
    """Write a verdict as the one output that a graded cell keeps.

    Args:
        verdict: The verdict.

    Returns:
        An error, for which nbgrader gives no points, or any other output, for which it gives all of them.
    """
    if verdict.state == "solved":
        return nbformat.v4.new_output("display_data", {"text/plain": str(verdict)})
    message = verdict.message[:LONGEST_MESSAGE]
    shown = f"Exercise {verdict.exercise}: {message}"
    return nbformat.v4.new_output("error", ename="NotSolved", evalue=message, traceback=[shown])


class RemoveSecrets(NbGraderPreprocessor):
    """Cuts the course seed and what was derived from it out of a submission, should they ever appear in it.

    No kernel sees them, so they could only come from somewhere else, such as a seed that was mailed around.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        secrets = {resources["igteach_seed"].hex(), *map(str, resources["igteach_secrets"].values())}
        for cell in nb.cells:
            text = str(cell).lower()
            if any(secret in text for secret in secrets):
                nb.metadata["igteach"]["flags"].append(f"{grade_id(cell) or 'a cell'} contained the course's secrets")
                cell.source = "(removed: it contained the course's secrets)"
                if cell.cell_type == "code":
                    cell.outputs = []
        return nb, resources


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
    RemoveSecrets,
    SanitiseSubmission,
    nbgrader.LimitOutput,
    nbgrader.SaveAutoGrades,
    nbgrader.AssignLatePenalties,
    nbgrader.CheckCellMetadata,
]
FEEDBACK = [
    nbgrader.GetGrades,
    NoteLateness,
    nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme,
    CSSHTMLHeaderPreprocessor,
]
