"""nbgrader's settings for the instructor, whose server starts in HOME: where Formgrader finds the course."""

from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.root = str(Path.home() / "course")
