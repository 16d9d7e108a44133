"""A lesson is graded within the limits that its head states, and a submission cannot state its own."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from igteach.course import memory_bound
from igteach.course.assign import assign_lesson, assignment_name
from igteach.course.course_folder import load_settings, prepare_course
from igteach.course.stated_limits import DEFAULT, EXAMPLE, RunLimits, stated_for, stated_in
from igteach.lessons.lesson import Lesson, all_lessons

TITLE = "# 13 · Language models\n\n**Time.** 70 minutes, exercises included.\n\n"
TAKE = "import numpy; kept = numpy.empty(int({} * 2**30), 'u1'); print('taken')"  # asked for, and never touched
SLEEP = "import time; time.sleep({}); print('slept')"
EACH_TAKES_300_MB = """
import subprocess, sys
take = "import time; kept = bytearray(300 * 2**20); print('taken', flush=True); time.sleep(60)"
children = [subprocess.Popen([sys.executable, "-c", take], stdout=subprocess.PIPE) for _ in range(COUNT)]
held = [child.stdout.readline() == b"taken\\n" for child in children]
print(all(held) and all(child.poll() is None for child in children))
[child.kill() for child in children]
"""


def head(cell, submission, memory):
    return f"{TITLE}**Graded.** {cell} seconds a cell, {submission} seconds in all, {memory} GB of memory. It is long."


def lesson(text):
    return new_notebook(cells=[new_markdown_cell(text)])


def test_a_head_states_limits_in_one_sentence_and_without_it_they_are_the_default():
    assert stated_in(lesson(head(60, 150, 5))) == RunLimits(cell=60, submission=150, memory=5)
    assert stated_in(lesson(TITLE + EXAMPLE)) == RunLimits(60, 150, 5)
    assert stated_in(lesson(TITLE)) == stated_in(new_notebook()) == DEFAULT == RunLimits(20, 55, 4)
    assert DEFAULT.memory * memory_bound.GIGABYTE == memory_bound.MEMORY


@pytest.mark.parametrize(
    "words", ["150 seconds, 3 GB.", "", "60 seconds a cell, 150 seconds in all, 0 GB of memory.", "60 s, 2 min, 5 GB"]
)
def test_a_sentence_that_cannot_be_read_is_quoted_with_the_right_form(words):
    with pytest.raises(ValueError, match=r"the head of '# 13 · Language models' says .*; write it as ") as error:
        stated_in(lesson(f"{TITLE}**Graded.** {words}\n\nMore."))
    assert repr(f"**Graded.** {words}") in str(error.value)
    assert repr(EXAMPLE) in str(error.value)


def test_they_are_read_from_source_and_from_nowhere_else(tmp_path):
    assert stated_for(tmp_path, "a") == DEFAULT
    for place in ("source/a", "submitted/ann/a", "release/a", "source/b"):
        (tmp_path / place).mkdir(parents=True)
        nbformat.write(lesson(head(60, 150, 6)), tmp_path / place / "n.ipynb")
    nbformat.write(lesson(TITLE), tmp_path / "source" / "a" / "n.ipynb")
    assert stated_for(tmp_path, "a") == DEFAULT
    assert stated_for(tmp_path, "b") == RunLimits(60, 150, 6)
    for broken in ("{", nbformat.writes(lesson(f"{TITLE}**Graded.** Quickly."))):
        (tmp_path / "source" / "b" / "n.ipynb").write_text(broken)
        with pytest.raises(ValueError, match=r"source/b/n\.ipynb gives no limits: "):
            stated_for(tmp_path, "b")


def test_what_the_instructor_sets_comes_before_and_what_assign_wrote_is_no_setting(tmp_path):
    prepare_course(tmp_path / "course", None)
    written = load_settings(tmp_path / "course").SandboxedExecute
    settings = {"cell": written.timeout, "submission": written.seconds, "memory": written.memory}
    assert RunLimits(60, 150, 6).unless_set(**settings) == RunLimits(60, 150, 6)
    assert RunLimits(60, 150, 6).unless_set(**settings | {"submission": 30.0}) == RunLimits(60, 30, 6)
    assert RunLimits(60, 150, 6).unless_set(cell=90, submission=300, memory=2) == RunLimits(90, 300, 2)


def with_statement(words, folder):
    """Lesson 03 with a sentence in its head."""
    made = Lesson(folder / "notebooks" / "source" / "03_reference_background.py")
    made.source.parent.mkdir(parents=True)
    text = all_lessons(["03"])[0].source.read_text(encoding="utf-8")
    made.source.write_text(text.replace("# **GPU.**", f"# **Graded.** {words}\n#\n# **GPU.**", 1), encoding="utf-8")
    return made


@pytest.mark.long
def test_assign_carries_them_into_source_and_refuses_what_grading_could_not_read(tmp_path):
    course = tmp_path / "course"
    prepare_course(course, None)
    with pytest.raises(ValueError, match=r"'\*\*Graded\.\*\* two minutes'; write it as"):
        assign_lesson(with_statement("two minutes", tmp_path / "wrong"), course)
    assert not (course / "source").exists()
    right = with_statement("60 seconds a cell, 150 seconds in all, 6 GB of memory.", tmp_path / "right")
    assign_lesson(right, course)
    assert stated_for(course, assignment_name(right)) == RunLimits(60, 150, 6)


# In the box


@pytest.mark.long
def test_a_lesson_with_limits_has_them_below_it_passes_and_above_it_fails(run_in_box):
    cells = [TAKE.format(4), TAKE.format(5), SLEEP.format(12), "print('on')"]
    said, flags = run_in_box(head(5, 100, 6), *cells)
    assert said[0] == "taken"
    assert said[1].endswith("MemoryError")
    assert "slept" not in said[2]
    assert said[3] == "on"
    assert flags == []


@pytest.mark.long
def test_a_lesson_without_limits_has_the_default_whatever_the_submission_claims(run_in_box):
    said, flags = run_in_box(TITLE, TAKE.format(2.5), "del kept", TAKE.format(3.2), SLEEP.format(7))
    assert said[0] == "taken"
    assert said[2].endswith("MemoryError")
    assert said[3] == "slept"
    assert flags == []


@pytest.mark.long
def test_a_submission_is_stopped_after_the_seconds_of_the_lesson(run_in_box):
    said, flags = run_in_box(head(30, 8, 4), SLEEP.format(60), SLEEP.format(60), "print('on')")
    assert "slept" not in said[0] + said[1]
    assert said[2] == ""
    assert flags == ["stopped after 8 seconds"]


@pytest.mark.long
def test_the_instructors_own_settings_come_before_the_lessons(run_in_box):
    said, flags = run_in_box(head(5, 100, 6), TAKE.format(1), TAKE.format(2), SLEEP.format(7), memory=2, timeout=21)
    assert said[0] == "taken"
    assert said[1].endswith("MemoryError")
    assert said[2] == "slept"
    assert flags == []


@pytest.mark.long
@pytest.mark.parametrize(("stated", "held"), [(head(20, 55, 1), "False"), (TITLE, "True")], ids=["stated", "default"])
def test_the_memory_of_all_processes_is_the_lessons(run_in_box, stated, held):
    if memory_bound.working_way() is None:
        pytest.skip("neither systemd-run nor control groups work here, so no bound on memory in all can be seen")
    said, _ = run_in_box(stated, *(EACH_TAKES_300_MB.replace("COUNT", count) for count in "14"))
    assert said == ["True", held]
