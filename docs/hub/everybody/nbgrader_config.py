"""nbgrader's settings for everybody: the course's name, and the exchange folder beside this configuration's."""

from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "course"  # the name of the instructor's course folder
c.Exchange.root = str(Path(__file__).resolve().parents[2] / "exchange")
