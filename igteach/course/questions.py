"""The question of each lesson that a person marks, with its rubric, which is for graders only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question to hand in, and how it is marked.

    Attributes:
        text: What is asked.
        points_for: The rubric: what earns a point each.
    """

    text: str
    points_for: tuple[str, ...]

    @property
    def points(self) -> int:
        """The points that a full answer earns."""
        return len(self.points_for)


QUESTIONS = {
    "00": Question(
        "A colleague sends you an attribution of a digit without its residual, its baseline or F(x). Which "
        "questions do you ask before you believe it, and what would each answer tell you?",
        (
            (
                "asks for the baseline and for F(x) - F(x'): the one is what every share is measured from, the "
                "other the total that the shares have to add up to"
            ),
            "asks for the residual, and says that a large one means that the shares do not add up to it",
        ),
    ),
    "01": Question(
        "A doctor reads a saliency map as 'these pixels made the network say so'. Explain in at most six "
        "sentences what the map says, what it does not say, and one experiment that shows the difference.",
        (
            "says that the gradient is the effect of a small nudge at this input, not a contribution to the score",
            "says that size alone is shown, so that for and against look alike",
            "gives an experiment that can come out either way (a nudge too small to see, a saturated feature)",
        ),
    ),
    "02": Question(
        "Find a situation outside this course in which a cause has had its full effect and a little more or less "
        "of it changes nothing. Say what F, x and x' are, why the gradient finds nothing, and whether changing "
        "one feature at a time would find it.",
        (
            "the example saturates, and F, x and x' are named",
            "says that the slope at x is zero though F has changed between x' and x",
            "says when one feature at a time is enough, and that it fails where either of two features suffices",
        ),
    ),
    "03": Question(
        "Two hospitals explain the same patient with the same network. One takes the average healthy person as "
        "its baseline, the other the average of all patients. Their shares differ. Is one of them wrong? Say what "
        "each of them answers.",
        (
            "says that neither is wrong as arithmetic: they distribute different totals F(x) - F(x')",
            "puts both questions into words (compared with a healthy person; compared with who comes here)",
            "says what F at the baseline has to do with it: whether the baseline is neutral",
        ),
    ),
    "04": Question(
        "Completeness holds along every path from x' to x. Why then does it matter which path is taken, and why "
        "the straight one? Answer in at most eight sentences, with one example of your own (not xy + z) in which "
        "two paths give different shares.",
        (
            "says that the path decides the shares and not their sum",
            "the example is right: its two sets of shares are given, and both have the same sum",
            (
                "says of the straight path that features move at once, so that features which play equal parts "
                "get equal shares"
            ),
            "is clear to a reader who has not done the lesson",
        ),
    ),
    "05": Question(
        "A report says 'completeness holds to within 0.1 %, so the attributions are right'. Explain why that does "
        "not follow, and what you would have the authors compute instead.",
        (
            "says that errors of opposite sign cancel in the sum",
            "gives a case with a small residual and wrong shares",
            "names a remedy that looks at each share: more steps and a comparison, an error estimate, exact IG",
        ),
    ),
    "06": Question(
        "Choose one axiom and argue against it: describe a use in which a method that breaks it would serve better.",
        (
            "states the axiom rightly",
            "the use is concrete, and the axiom stands in its way",
            "says what would be lost without it",
        ),
    ),
    "07": Question(
        "Black is often taken as the baseline for pictures. Describe a picture and a question for which black is "
        "a bad choice, propose another, and say how you would check your proposal.",
        (
            ("says that a feature equal to its baseline gets nothing, or that black means something to this network"),
            "the proposal fits the question that is asked",
            "the check can fail (F at the baseline, several baselines side by side, a known answer)",
        ),
    ),
    "08": Question(
        "A heat map of a photograph lies on the object. Give two reasons why that is not yet evidence that the "
        "network looked there, and one control for each.",
        (
            "first reason with a control (the object is large or central: compare with a map of no content)",
            (
                "second reason with a control (the map follows edges: a network with random parameters, a planted "
                "shortcut)"
            ),
            "says what outcome of the controls would change the conclusion",
        ),
    ),
    "09": Question(
        "A map of a sentence lights up one word. Describe how you would find out whether the network relies on that "
        "word where it should not: the change of the text, the control, and what you would count.",
        (
            "a change that leaves the right answer as it is and brings the word in (or takes it out)",
            "a control: a change of the same size without the word",
            "counts flips among texts that could flip, and says which outcome would clear the network",
        ),
    ),
    "10": Question(
        "A colleague wants attributions of 50,000 pictures by a network that keeps 200 MB for each row, on a card of "
        "24 GB. Plan it: rows at once, steps, processes, and what you would measure before you start.",
        (
            "rows from a budget that leaves room for weights and sums; says that memory does not follow the steps",
            "steps from a tolerance on a few pictures, and time from a few pictures times the rest",
            "results that survive an interruption, and a comparison before half precision is used",
        ),
    ),
    "11": Question(
        "A bank explains a refused loan, by one model, in two ways: along the straight line from the median customer, "
        "and by Shapley values against the same customer. Income gets nothing in one and half of everything in the "
        "other. A customer asks which is true. Answer in at most six sentences, and say what you would report.",
        (
            "says that both distribute the same F(x) - F(x'), and that completeness holds along every path",
            "says what each answers: the gain at the place where income moves on the line, the mean gain over orders",
            "names a reason why they part (income matters only together with others), and a report that hides neither",
        ),
    ),
    "12": Question(
        "The paragraph to your team, about the colleague's network, or about the network with a hidden shortcut if "
        "you were given one: what you found, how you know, what you have not shown, what should happen next. Five to "
        "eight sentences, for readers who know neither attribution nor this course.",
        (
            "names the class and the place or look of the mark, and says that maps over many pictures pointed to it",
            "gives the proof in numbers: with the mark, without it, inserted into others",
            "names a control and its outcome (an honest network, the same change elsewhere)",
            "says what was not shown (other shortcuts, other pictures) and claims no more than was tested",
            "says what to do: not to deploy, pictures without the mark, a test on them; in words that others follow",
        ),
    ),
    "13": Question(
        "A report shows Integrated Gradients of the prompt 'The nurse told the doctor that', 64 equal steps from the "
        "end-of-text embedding, for the log-probability of ' she'. The word ' nurse' has the largest share, and the "
        "report concludes that the model holds a prejudice about nurses. What do you ask, what would you run instead, "
        "and what could each outcome of it permit you to say? At most eight sentences.",
        (
            "asks for the residual and the error estimate, and says that equal steps may not have settled",
            "asks for a contrast (' she' over ' he'), as a log-probability mixes it with all other tokens",
            "proposes a minimal pair in which more than one token differs, and says what the share then compares",
            "proposes an intervention with a control: other professions, names or a neutral word, counted over many",
            "says that a share of one prompt is not a claim about the model, nor about the people it was trained on",
        ),
    ),
    "14": Question(
        "Take a model that this course has not shown you, trained by you or found, and hand in the report on one of "
        "its answers (the page and its JSON), with a paragraph for the person who has to decide something by that "
        "answer: what F, x and x' are and why, what the report permits you to say, which control speaks against you, "
        "and the test that could have proved you wrong, with its outcome. At most ten sentences.",
        (
            "F, x and x' are named for this model, and F(x) was compared with what its users see",
            "the verdict is read correctly: residual, error estimate, and what was done if they were too large",
            "every control that complains is named, with what it takes away from the claim",
            "the baseline is defended, or a second one was tried and the difference is discussed",
            "the test could have come out either way, and its outcome is given in numbers",
            "the paragraph claims no more than report and test permit",
        ),
    ),
}


def question_of(number: str) -> Question:
    """Look up the question of a lesson.

    Args:
        number: The number of the lesson, such as "04".

    Returns:
        The question.

    Raises:
        ValueError: The lesson has no question yet.
    """
    if number not in QUESTIONS:
        raise ValueError(f"lesson {number} has no question to hand in; write one in igteach/course/questions.py")
    return QUESTIONS[number]
