"""The course folder: nbgrader's settings for it, and where its seed is."""

from pathlib import Path

from traitlets.config import Config, PyFileConfigLoader

from igteach.course.seed import default_seed_file, derive_secret, make_seed, read_seed, require_outside_repository
from igteach.lessons.files import write_atomically

SETTINGS = "nbgrader_config.py"
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
# These three are what holds where a lesson's head states nothing else; any other number here comes before the head.
c.SandboxedExecute.timeout = 20  # seconds a cell; the first one loads PyTorch
c.SandboxedExecute.seconds = 55  # seconds a submission
c.SandboxedExecute.memory = 4  # GB a submission
c.SandboxedExecute.kernel_name = "python3"
c.AssignLatePenalties.plugin_class = "igteach.course.lateness.LatePolicy"
c.LatePolicy.percent_a_day = 0  # percent of the points reached that each day begun after the due date costs
safe_pages(c)  # nothing of a submission runs in the browser of whoever marks it
'''


class Misconfigured(RuntimeError):
    """The course's configuration does not load: submissions would run without the sandbox, so nothing may go on."""


def load_settings(course: Path) -> Config:
    """Read a course's nbgrader_config.py, as nbgrader does.

    Args:
        course: The course folder.

    Returns:
        Its settings; none if there is no such file.

    Raises:
        Misconfigured: The file does not load.
    """
    if not (course / SETTINGS).is_file():
        return Config()
    try:
        return PyFileConfigLoader(SETTINGS, path=str(course.resolve())).load_config()
    except Exception as error:  # it is a program, which may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise Misconfigured(
            f"{SETTINGS} of the course does not load ({reason}); fix it, or delete it and assign again"
        ) from error


def prepare_course(course: Path, seed_file: Path | None) -> Path:
    """Make the course's seed and nbgrader_config.py, if they are missing.

    Args:
        course: The course folder, made if it is missing.
        seed_file: The file of the course seed; None for the one in nbgrader_config.py, or the default one.

    Returns:
        The file of the seed.

    Raises:
        FileNotFoundError: nbgrader_config.py names a seed that is not there.
        Misconfigured: nbgrader_config.py does not load.
        ValueError: The course or its seed is in the repository, or the seed is in the course folder, or
            nbgrader_config.py names another one.
    """
    require_outside_repository(course, "the course")
    config = course / SETTINGS
    seed_in_config = load_settings(course).get("SandboxedExecute", Config()).get("seed_file")
    named = Path(seed_in_config) if seed_in_config else None
    wanted = (seed_file or named or default_seed_file(course)).absolute()
    if named and wanted.resolve() != named.resolve():
        raise ValueError(f"this course has the seed {named}, as {config} says, not {wanted}")
    if wanted.resolve().is_relative_to(course.resolve()):
        raise ValueError(f"the seed must not be in the course folder ({wanted}), which graders' browsers can open")
    if not named:
        make_seed(wanted)
    read_seed(wanted)
    if not config.exists():
        text = CONFIG.format(name=course.resolve().name, seed_file=str(wanted))
        write_atomically(config, text, replace=False)
    return wanted


def course_secret(course: Path, seed_file: Path | None, purpose: str) -> int:
    """A secret number of this course.

    Args:
        course: As for `prepare_course`.
        seed_file: As for `prepare_course`.
        purpose: What the secret is for, as for `derive_secret`.

    Returns:
        The secret.

    Raises:
        FileNotFoundError: As for `prepare_course`.
        Misconfigured: As for `prepare_course`.
        ValueError: As for `prepare_course`.
    """
    return derive_secret(read_seed(prepare_course(course, seed_file)), purpose)
