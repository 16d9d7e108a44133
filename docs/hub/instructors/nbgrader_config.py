"""nbgrader's settings for the instructor, whose server starts in HOME: where Formgrader finds the course.

The course's own settings come with it, so that Formgrader's buttons grade in the sandbox and by our rules.
"""

from pathlib import Path

from igteach.course.pages import safe_pages

c = get_config()  # noqa: F821
COURSE = Path.home() / "course"
c.CourseDirectory.root = str(COURSE)
load_subconfig("nbgrader_config.py", path=str(COURSE))  # noqa: F821 - nothing, as long as there is no course
safe_pages(c)  # also where the server was started before there was a course
