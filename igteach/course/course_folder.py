"""The course folder: nbgrader's settings for it, and where its seed lies."""

import ast
import re
from pathlib import Path

from igteach.course.seed import default_seed_file, make_seed, read_seed
from igteach.lessons.files import write_atomically

CONFIG = '''"""nbgrader's settings for this course, written by `python -m igteach assign`; yours to change."""

from igteach.course.feedback import FeedbackPage
from igteach.course.nbgrader_steps import AUTOGRADE, FEEDBACK, SANITIZE
from igteach.course.pages import safe_pages

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {name!r}
c.Autograde.sanitize_preprocessors = SANITIZE
c.Autograde.autograde_preprocessors = AUTOGRADE
c.GenerateFeedback.preprocessors = FEEDBACK
c.GenerateFeedback.exporter_class = FeedbackPage
c.SandboxedExecute.seed_file = {seed_file!r}
c.SandboxedExecute.timeout = 20  # seconds a cell; the first one loads PyTorch
c.SandboxedExecute.seconds = 55  # seconds a submission
c.SandboxedExecute.kernel_name = "python3"
c.AssignLatePenalties.plugin_class = "igteach.course.lateness.LatePolicy"
c.LatePolicy.percent_a_day = 0  # percent of the points reached that each day begun after the due date costs
safe_pages(c)  # nothing of a submission runs in the browser of whoever marks it
'''


def prepare_course(course: Path, seed_file: Path | None) -> Path:
    """Make the course's seed and nbgrader_config.py, if they are missing.

    Args:
        course: The course folder, made if it is missing.
        seed_file: The file of the course seed; None for the one in nbgrader_config.py, or the default one.

    Returns:
        The file of the seed.

    Raises:
        FileNotFoundError: nbgrader_config.py names a seed that is not there.
        ValueError: The seed is in the repository or in the course folder, or nbgrader_config.py names another one.
    """
    config = course / "nbgrader_config.py"
    named = _seed_named_in(config)
    wanted = (seed_file or named or default_seed_file(course)).absolute()
    if named and wanted.resolve() != named.resolve():
        raise ValueError(f"this course has the seed {named}, not {wanted}: its name is in {config}")
    if wanted.resolve().is_relative_to(course.resolve()):
        raise ValueError(f"the seed must not be in the course folder ({wanted}), which graders' browsers show")
    if not named:
        make_seed(wanted)
    read_seed(wanted)
    if not config.exists():
        text = CONFIG.format(name=course.resolve().name, seed_file=str(wanted))
        write_atomically(config, text, replace=False)
    return wanted


def _seed_named_in(config: Path) -> Path | None:
    """The seed's file in a course's nbgrader_config.py; None if there is no such line."""
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    found = re.search(r"^c\.SandboxedExecute\.seed_file = (['\"].*['\"])", text, re.MULTILINE)
    return Path(ast.literal_eval(found.group(1))) if found else None
