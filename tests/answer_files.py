"""The answers in exercises/answers/, a file a lesson, as students write them.

A file holds RIGHT, a list of answers for each exercise, and WRONG, rows of an exercise, an answer, and words of what
the check says to it. The first right answer of a list needs no function of the package, so it is right where coursework
is graded, too.
"""

import runpy
from pathlib import Path

FILES = [runpy.run_path(str(path)) for path in sorted((Path(__file__).parent / "exercises" / "answers").glob("*.py"))]

RIGHT = {number: answers for file in FILES for number, answers in file["RIGHT"].items()}
WRONG = [row for file in FILES for row in file["WRONG"]]
