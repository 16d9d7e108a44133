"""An exam on paper: its numbers are drawn from the course seed, so its answers are in nobody's reach but yours."""

import math
from pathlib import Path

from igteach.course.course_folder import course_secret
from igteach.course.exam_questions import ExamQuestion, draw_questions
from igteach.lessons.files import write_atomically

CLOSE = 0.005  # by hand and by the package each number has to agree to this, relative or absolute


def write_exam(course: Path, seed_file: Path | None) -> str:
    """Write an exam, and its answers.

    Args:
        course: The course folder. `exam.md` in it is for the students, `exam-answers.md` for the instructor.
        seed_file: As for `prepare_course`.

    Returns:
        What was done, in one line.

    Raises:
        FileNotFoundError: As for `prepare_course`.
        Misconfigured: As for `prepare_course`.
        ValueError: As for `prepare_course`.
        RuntimeError: An answer by hand is not what the package finds; no exam is written.
    """
    questions = draw_questions(course_secret(course, seed_file, "exam"))
    points = sum(question.points for question in questions)
    asked = [
        f"# Exam\n\n{points} points. x' is the baseline; shares are by Integrated Gradients unless said otherwise."
    ]
    answers = [
        f"# The exam's answers: not for learners\n\n{points} points: one a number, and the rest for the reasons."
    ]
    for number, question in enumerate(questions, 1):
        asked.append(f"**{number}.** ({question.points} points) {question.text}")
        answers.append(
            f"**{number}.** (lesson {question.lesson}, {question.points} points) {question.text}\n\n{_answer(question)}"
        )
    exam, with_answers = course / "exam.md", course / "exam-answers.md"
    write_atomically(exam, "\n\n".join(asked) + "\n", replace=True)
    write_atomically(with_answers, "\n\n".join(answers) + "\n", replace=True, mode=0o600)
    return f"exam: {exam} is for the learners; {with_answers} has the answers, and is for you alone"


def _answer(question: ExamQuestion) -> str:
    """The way to the answer, and its numbers."""
    check_answer(question)
    numbers = [f"{each:.4g}" for each in question.by_hand]
    found = [f"{each:.4g}" for each in question.by_package]
    return f"> {question.answer}\n>\n> Numbers: {', '.join(numbers)}. The package finds {', '.join(found)}."


def check_answer(question: ExamQuestion) -> None:
    """Compare the answer by hand with that of the package.

    Args:
        question: The question, with both.

    Raises:
        RuntimeError: They part, which no exam should.
    """
    for by_hand, by_package in zip(question.by_hand, question.by_package, strict=True):
        if not math.isclose(by_hand, by_package, rel_tol=CLOSE, abs_tol=CLOSE):
            raise RuntimeError(f"{question.text} By hand {question.by_hand}, by the package {question.by_package}")
