"""A course on a real JupyterHub with the configuration of docs/hub: an instructor and two students, from end to end."""

import csv
import io
import os
import re
import runpy
import secrets
import subprocess
from pathlib import Path

import pytest
from browser.helpers import MINUTE
from playwright.sync_api import expect

from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
HUB = runpy.run_path(str(Path(__file__).with_name("hub.py")))
ENVIRONMENT = Path(os.environ.get("IGTEACH_HUB", "/opt/igteach-hub"))
WRITTEN = "A gradient is a slope at one point, and a change is what a whole step does."
COMMENT = "Say which step you mean."
HAS_COMMANDS = "window.jupyterapp?.commands.hasCommand('nbgrader:open-assignment-list')"
HAS_FORMGRADER = "jupyterapp.commands.hasCommand('nbgrader:open-formgrader')"


@pytest.fixture(scope="module")
def possible():
    """Skips where no Hub can be started, or fails where IGTEACH_REQUIRE_HUB=1."""
    reason = HUB["why_not"](ENVIRONMENT)
    if reason:
        if os.environ.get("IGTEACH_REQUIRE_HUB") == "1":
            pytest.fail(f"IGTEACH_REQUIRE_HUB=1, but no JupyterHub can be started: {reason}")
        pytest.skip(f"no JupyterHub can be started: {reason}")


@pytest.fixture(scope="module")
def hub(possible):
    with HUB["running_hub"](ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="module")
def ada(hub):
    """The instructor, who has made and released the assignment of lesson 01 on her own server."""
    server = hub.server(hub.instructor)
    made = server.run("igteach assign 01 --out ~/course")
    (name,) = re.findall(r"^(01_naive_gradients-\w+): \d+ points", made, re.MULTILINE)
    server.run(f"cd ~/course && nbgrader release_assignment {name}")
    return server


@pytest.fixture(scope="module")
def assignment(ada):
    return ada.run("ls ~/course/release").strip()


@pytest.fixture(scope="module")
def ben(hub, ada):
    return hub.server(hub.students[0])


@pytest.fixture(scope="module")
def cleo(hub, ada):
    return hub.server(hub.students[1])


def test_a_class_from_the_release_to_the_feedback_that_is_read(hub, ada, ben, cleo, assignment, page):
    work_and_submit(ben, assignment, ["answer-01-1"], WRITTEN)
    work_and_submit(cleo, assignment, [], "No idea.")

    ada.run(f"cd ~/course && nbgrader collect {assignment} --update")
    graded = ada.run("igteach grade ~/course")
    assert "NO SANDBOX" not in graded
    assert marks(ada) == {ben.user: {"check-01-1": 2, "question-01": 0}, cleo.user: {"check-01-1": 0, "question-01": 0}}

    submission = f"formgrader/api/submission/{assignment}/{cleo.user}"
    assert ada.ask("POST", f"{submission}/autograde").json()["success"]
    assert ada.ask("GET", submission).json()["code_score"] == 0, "nbgrader's own rules, by which every check is solved"

    log_in(page, hub, ada.user, "/hub/user-redirect/formgrader/manage_assignments")
    mark_question(page, assignment, WRITTEN)
    ada.run("igteach grade ~/course")
    assert marks(ada)[ben.user] == {"check-01-1": 2, "question-01": 3}
    ada.run(f"cd ~/course && nbgrader release_feedback {assignment}")

    feedback = own_feedback(ben, assignment)
    assert WRITTEN in feedback
    assert COMMENT in feedback
    assert COMMENT not in own_feedback(cleo, assignment)


def test_a_students_server_has_the_list_of_assignments_and_no_formgrader(hub, ada, ben, page):
    assert ada.ask("GET", "formgrader/manage_assignments").status_code == 200
    for path in ("formgrader/manage_assignments", "formgrader/api/assignments"):
        assert ben.ask("GET", path).status_code == 404, path
        assert ben.ask_at(ada.address, "GET", path).status_code == 403, path
    assert ada.ask("GET", "api/contents/course").status_code == 200
    assert ben.ask_at(ada.address, "GET", "api/contents/course").status_code == 403
    assert ben.assignments()

    log_in(page, hub, ben.user, "/hub/user-redirect/lab%3Freset")
    page.wait_for_function(HAS_COMMANDS, timeout=2 * MINUTE)
    assert not page.evaluate(HAS_FORMGRADER)
    page.evaluate("jupyterapp.commands.execute('nbgrader:open-assignment-list')")
    expect(page.get_by_text("Released assignments")).to_be_visible(timeout=MINUTE)


def test_a_student_who_switches_formgrader_on_gets_none(hub, cleo):
    module = "nbgrader.server_extensions.formgrader"
    as_json = f'{{"ServerApp": {{"jpserver_extensions": {{"{module}": true}}}}}}'
    as_python = f'c.ServerApp.jpserver_extensions = {{"{module}": True}}'
    cleo.run("mkdir -p ~/.jupyter/jupyter_server_config.d")
    for file in ("jupyter_server_config.json", "jupyter_server_config.d/mine.json"):
        cleo.run(f"echo '{as_json}' > ~/.jupyter/{file}")
    cleo.run(f"echo '{as_python}' > ~/.jupyter/jupyter_server_config.py")
    hub.stop(cleo.user)
    again = hub.server(cleo.user)
    assert again.ask("GET", "formgrader/manage_assignments").status_code == 404


@pytest.mark.parametrize(
    "closed",
    [
        "ls {home}",
        "ls {home}/course",
        "cat {home}/course/gradebook.db",
        "cat {home}/course.seed",
        "ls {exchange}/course/inbound",
    ],
)
def test_a_student_cannot_enter_what_is_the_instructors(hub, ada, ben, closed):
    command = closed.format(home=f"~{ada.user}", exchange=hub.base / "exchange")
    assert ada.attempt(command)[0] == 0
    code, printed = ben.attempt(command)
    assert code != 0
    assert "Permission denied" in printed


def test_a_student_cannot_change_the_hubs_settings_nor_what_was_released(hub, ben, assignment):
    for place in (hub.base / "hub" / "students", hub.base / "exchange" / "course" / "outbound" / assignment):
        code, printed = ben.attempt(f"touch {place}/new")
        assert code != 0
        assert "Permission denied" in printed


def test_accounts_go_with_the_test_also_where_it_fails_and_others_stay(possible, tmp_path):
    mark = secrets.token_hex(3)
    names = [f"dan-{mark}", f"eve-{mark}"]
    homes = tmp_path / "home"
    with pytest.raises(KeyError):
        fail_with_accounts(names, homes)
    assert list(homes.iterdir()) == []
    assert all(subprocess.run(["getent", "passwd", name], check=False).returncode != 0 for name in names)

    with HUB["accounts"](names[:1], tmp_path / "theirs"):
        with pytest.raises(subprocess.CalledProcessError), HUB["accounts"](names, tmp_path / "ours"):
            pass
        assert (tmp_path / "theirs" / names[0]).is_dir()


def fail_with_accounts(names, homes):
    """A test that makes accounts, leaves a process of one of them, and fails."""
    with HUB["accounts"](names, homes):
        running = ["runuser", "-u", names[0], "--", "sh", "-c", "echo started; sleep 600"]
        assert subprocess.Popen(running, stdout=subprocess.PIPE).stdout.readline() == b"started\n"
        assert all((homes / name).is_dir() for name in names)
        raise KeyError


def work_and_submit(student, assignment, solved, written):
    """Fetch the assignment, solve the exercises named, answer the question, and hand in."""
    lesson = all_lessons(["01"])[0]
    solutions = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in lesson.read().cells}
    student.nbgrader("fetch", assignment)
    place = f"{assignment}/{lesson.name}.ipynb"
    notebook = student.read(place)
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in solved:
            cell["source"] = solutions[grade_id]
    notebook["cells"][-1]["source"] = written
    student.write(place, notebook)
    student.nbgrader("submit", assignment)


def marks(instructor):
    """Two of the points of each student in marks.csv."""
    rows = csv.DictReader(io.StringIO(instructor.read("course/marks.csv")))
    return {row["student"]: {cell: float(row[cell]) for cell in ("check-01-1", "question-01")} for row in rows}


def log_in(page, hub, user, wanted):
    """Log in on the Hub's own page, which leads on to the one that is wanted."""
    page.goto(f"{hub.address}/hub/login?next={wanted}")
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(HUB["PASSWORD"])
    page.locator("input[type=submit]").click()


def mark_question(page, assignment, written):
    """In Formgrader, find the submission with this answer, and give it three points and a comment."""
    page.get_by_role("link", name="Manual Grading").click(timeout=MINUTE)
    page.get_by_role("link", name=assignment).click()
    page.get_by_role("link", name="01_naive_gradients", exact=True).last.click()
    page.get_by_role("link", name="Submission #1").click()
    expect(page.locator("#question-01")).to_be_visible(timeout=MINUTE)
    if not page.get_by_text(written).is_visible():  # submissions come in no particular order
        page.get_by_role("link", name="Next").click()
    expect(page.get_by_text(written)).to_be_visible(timeout=MINUTE)
    for box, text, what in (("#question-01", "3", "grade"), ("#question-01-comment", COMMENT, "comment")):
        with page.expect_response(lambda answer, what=what: is_saved(answer, what)) as saved:
            page.locator(box).fill(text)
            page.locator(box).press("Tab")
        assert saved.value.ok


def is_saved(answer, what):
    return f"/api/{what}/" in answer.url and answer.request.method == "PUT"


def own_feedback(student, assignment):
    """The page that the student fetches."""
    student.nbgrader("fetch_feedback", assignment)
    place = student.run(f"cd {assignment} && find feedback -name '*.html'").strip()
    return student.read(f"{assignment}/{place}")
