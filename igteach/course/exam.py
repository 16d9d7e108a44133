"""An exam on paper: its numbers are drawn from the course seed, so its answers are in nobody's reach but yours."""

from pathlib import Path

from igteach.course.course_folder import prepare_course
from igteach.course.exam_questions import ExamQuestion, draw_questions
from igteach.course.seed import derive_secret, read_seed, require_outside_repository
from igteach.lessons.files import write_atomically

CLOSE = 0.01  # of the largest number: by hand and by package have to agree to this


def write_exam(course: Path, seed_file: Path | None) -> str:
    """Write an exam, and its answers.

    Args:
        course: The course folder. `exam.md` in it is for the students, `exam-answers.md` for the instructor.
        seed_file: The file of the course seed, made if it is missing; None for the one in nbgrader_config.py, or in
            a new course for one beside the course folder.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: The course or its seed is in the repository.
    """
    require_outside_repository(course, "the course")
    questions = draw_questions(derive_secret(read_seed(prepare_course(course, seed_file)), "exam"))
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
    write_atomically(with_answers, "\n\n".join(answers) + "\n", replace=True)
    with_answers.chmod(0o600)
    return f"exam: {exam} is for the learners; {with_answers} has the answers, and is for you alone"


def _answer(question: ExamQuestion) -> str:
    """The way to the answer, and both of its numbers; raises RuntimeError where they part, which no exam should."""
    largest = max(map(abs, question.by_hand))
    off = max(abs(a - b) for a, b in zip(question.by_hand, question.by_package, strict=True)) / largest
    if off > CLOSE:
        raise RuntimeError(f"{question.text} By hand {question.by_hand}, by the package {question.by_package}")
    numbers = ", ".join(f"{each:.4g}" for each in question.by_hand)
    return f"> {question.answer}\n>\n> Numbers: {numbers}. The package finds the same to {off:.1e} of the largest."
