"""What happens to a submission before it runs, and how a graded cell's proof is judged after it ran."""

import copy

import nbformat
import pytest

from igteach.course.nbgrader_steps import JudgeProofs, RemoveSecrets, RestoreGradedCells, secrets_of
from igteach.course.seed import derive_secret
from igteach.exercises.graded import encode
from igteach.exercises.judging import distinguishing_cases
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import all_lessons, grade_id, learners_view

SEED = bytes(32)
PLACE = {"nbgrader": {"assignment": "a", "notebook": "n"}}


@pytest.fixture
def release(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = learners_view(all_lessons(["03"])[0].read())
    (tmp_path / "release" / "a").mkdir(parents=True)
    nbformat.write(notebook, tmp_path / "release" / "a" / "n.ipynb")
    return notebook


def mended(notebook):
    return RestoreGradedCells().preprocess(notebook, PLACE)[0]


def named(notebook, name):
    return [cell for cell in notebook.cells if grade_id(cell) == name]


def test_an_honest_submission_stays_as_it_is_and_gets_no_flag(release):
    (answer,) = named(release, "answer-03-1")
    answer.source = "def relative_counts(text, corpus):\n    return text / text.sum() - corpus / corpus.sum()"
    result = mended(copy.deepcopy(release))
    assert result.cells == release.cells
    assert result.metadata.igteach.flags == []


@pytest.mark.parametrize(
    "change",
    [{"points": 100}, {"solution": True}, {"grade": False}, {"locked": False}, {"task": True}, {"schema_version": 1}],
)
def test_what_a_cell_is_worth_is_for_the_release_to_say(release, change):
    submitted = copy.deepcopy(release)
    named(submitted, "check-03-2")[0].metadata.nbgrader.update(change)
    assert named(mended(submitted), "check-03-2")[0].metadata == named(release, "check-03-2")[0].metadata


def test_a_graded_cell_of_the_student_s_own_does_not_count(release):
    submitted = copy.deepcopy(release)
    own = copy.deepcopy(named(submitted, "check-03-2")[0])
    own.metadata.nbgrader.grade_id, own["id"] = "check-03-9", "own"
    submitted.cells.append(own)
    assert "nbgrader" not in mended(submitted).cells[-1].metadata


def test_missing_and_early_checks_go_to_the_end_and_twins_lose_their_mark(release):
    submitted = copy.deepcopy(release)
    (one,), (two,), (three,) = (named(submitted, f"check-03-{n}") for n in (1, 2, 4))
    submitted.cells.remove(one)
    submitted.cells.remove(two)
    submitted.cells.insert(0, two)
    submitted.cells.insert(1, copy.deepcopy(three))
    result = mended(submitted)
    assert [cell.metadata.nbgrader.grade_id for cell in result.cells[-2:]] == ["check-03-1", "check-03-2"]
    assert len(named(result, "check-03-4")) == 1
    assert result.metadata.igteach.flags == [
        "check-03-4 appears more than once; the last one counts",
        "check-03-1 was missing; it was added at the end",
        "check-03-2 stood before its answer; it was moved to the end",
    ]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import igteach.exercises.graded", "answer-03-1 reaches into the checkers"),
        ("import os; os.environ['IGTEACH_CASES']", "looks for the hidden cases"),
        ("get_ipython()", "reaches into the notebook's own machinery"),
        ("import sys; sys._getframe(3)", "looks at its callers"),
        ("open('x.ipynb')", "opens a notebook"),
    ],
)
def test_suspicious_words_are_flagged(release, source, words):
    named(release, "answer-03-1")[0].source += f"\n{source}"
    assert any(words in flag for flag in mended(release).metadata.igteach.flags)


@pytest.mark.parametrize(
    "source", ["# upgraded; this is graded, see x.ipynb and subprocess", "grade = 1  # get_ipython", "upgraded = True"]
)
def test_innocent_words_are_not_flagged(release, source):
    named(release, "answer-03-1")[0].source += f"\n{source}"
    assert mended(release).metadata.igteach.flags == []


def test_another_version_of_the_lesson_is_flagged(release):
    release.metadata.igteach.version = "old"
    assert "handed in from version old of the lesson" in mended(release).metadata.igteach.flags[0]


def ran(*outputs, count=1, proof=None):
    cell = nbformat.v4.new_code_cell('check("03.1", f)', outputs=list(outputs), execution_count=count)
    cell.metadata["nbgrader"] = {"grade": True, "grade_id": "check-03-1"}
    return cell, proof


def handed(state="handed in", returned=None, exercise="03.1", message="", threads=()):
    return ran(
        proof={"exercise": exercise, "state": state, "message": message, "returned": returned or [], "threads": threads}
    )


def error(name, text=""):
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=["secret lines"])


def right(seed=SEED):
    return encode(distinguishing_cases(EXERCISES["03.1"], derive_secret(seed, "03.1")).expected)


def judged(cell_and_proof, *others):
    cell, proof = cell_and_proof
    notebook = nbformat.v4.new_notebook(cells=[cell, *others], metadata={"igteach": {"flags": []}})
    resources = {"igteach_seed": SEED, "igteach_secrets": secrets_of(notebook, SEED)}
    resources["igteach_proofs"] = {0: proof}
    for step in (JudgeProofs(), RemoveSecrets()):
        notebook, resources = step.preprocess(notebook, resources)
    return notebook


def test_right_values_are_solved_whatever_else_the_cell_printed():
    cell, proof = handed(returned=right())
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="a warning"))
    (output,) = judged((cell, proof)).cells[0].outputs
    assert output.output_type == "display_data"
    assert "03.1: solved" in output.data["text/plain"]


BROKEN = [[], [3] * 3, [{}] * 3, [{"shape": [1]}] * 3, [{"shape": [2], "values": [1.0]}] * 3, "text"]


@pytest.mark.parametrize("returned", [right()[:-1], *BROKEN], ids=range(7))
def test_what_no_answer_hands_over_gets_nothing_and_is_flagged(returned):
    result = judged(handed(returned=returned))
    assert result.cells[0].outputs[0].output_type == "error"
    assert result.metadata.igteach.flags == ["check-03-1 sent back something that no answer can return"]


def test_right_values_for_other_cases_get_nothing():
    result = judged(handed(returned=right(bytes(range(32)))))
    assert result.cells[0].outputs[0].output_type == "error"
    assert result.metadata.igteach.flags == []


def test_a_claim_to_be_solved_earns_nothing():
    assert judged(handed("solved", returned=right())).cells[0].outputs[0].output_type == "error"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (handed("not yet", message="You compared counts."), "You compared counts."),
        (ran(error("NameError", "name 'f' is not defined")), "could not run: NameError: name 'f' is not defined"),
        (ran(error("CellTimeoutError")), "did not come to an end in time"),
        (ran(count=None), "the notebook was stopped before it"),
        (ran(), "without sending back"),
        (ran(proof=["03.1"]), "without sending back"),
        (handed(["handed in"], right(), message={"a": []}), "{'a': []}"),
        (handed(exercise="03.2", returned=right()), "without sending back"),
    ],
)
def test_without_a_proof_the_reason_is_told_in_words_and_no_traceback_stays(cell, words):
    (output,) = judged(cell).cells[0].outputs
    assert words in output.evalue
    assert output.traceback == [f"Exercise 03.1: {output.evalue}"]


@pytest.mark.parametrize("secret", [SEED.hex(), str(derive_secret(SEED, "03.1"))])
def test_secrets_are_cut_out_should_they_ever_appear(secret):
    printed = nbformat.v4.new_code_cell("print(1)", outputs=[nbformat.v4.new_output("stream", text=f"it is {secret}")])
    written = nbformat.v4.new_markdown_cell(f"I have it: {secret.upper()}")
    result = judged(handed("not yet", message=f"look: {secret}"), printed, written)
    assert secret not in nbformat.writes(result).lower()
    assert set(result.metadata.igteach.flags) == {
        "check-03-1 contained the course's secrets",
        "a cell contained the course's secrets",
    }


def test_a_thread_of_the_notebook_s_own_is_flagged_and_costs_nothing():
    result = judged(handed(returned=right(), threads=["mine"]))
    assert result.cells[0].outputs[0].output_type == "display_data"
    assert "ran beside a thread" in result.metadata.igteach.flags[0]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_that_a_key_turned_into_text_is_code_again(release, kind):
    submitted = copy.deepcopy(release)
    for name in ("answer-03-1", "check-03-1"):
        (cell,) = named(submitted, name)
        cell.cell_type = kind
        cell["attachments"] = {"a.png": {"image/png": ""}}
        del cell["outputs"], cell["execution_count"]
    result = mended(submitted)
    nbformat.validate(result)
    assert [named(result, f"{part}-03-1")[0].cell_type for part in ("answer", "check")] == ["code", "code"]
    assert named(result, "answer-03-1")[0].source == named(release, "answer-03-1")[0].source


def test_a_long_message_is_cut():
    assert len(judged(handed("not yet", message="x" * 10**6)).cells[0].outputs[0].evalue) == 400
