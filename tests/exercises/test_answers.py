"""What each check of the course says to answers that students give: right ones in other words, and wrong ones."""

import re
from functools import cache

import numpy as np
import pytest
import torch
from answer_files import RIGHT, WRONG

from igteach import axioms
from igteach.exercises import check
from igteach.exercises.judging import compare, distinguishing_cases, judge
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import all_lessons

EXERCISE = pytest.mark.parametrize("number", EXERCISES)
SEEDS = range(3)
OWN_NUMBERS = re.compile(
    r"yours is .*?\.(?= [A-Z])|([Ii]t|sum) is \S+ times|off by \S+%|add up to \S+,"
)  # what the learner's own answer gave
IN_WORDS = {"06.4", "14.4"}  # exercises whose answer is a text
NUMERIC = pytest.mark.parametrize("number", [number for number in EXERCISES if number not in IN_WORDS])

SAYS_NOTHING = re.compile(  # nothing but the learner's own value, and perhaps in which direction it is off
    r"your answer is off: yours is ((?!\. ([A-Z]|\d+ of)).)*\. (It is too (large|small)\. )?Try your function"
)
TOLD_WHY = 0.85  # of the wrong answers, at least


AXIOMS_ASKED_ONCE = {name: cache(put) for name, put in axioms.AXIOMS.items()}


@pytest.fixture(autouse=True)
def axioms_asked_once(monkeypatch):
    """Answers to 06.4 put each axiom to each method again and again."""
    monkeypatch.setattr(axioms, "AXIOMS", AXIOMS_ASKED_ONCE)


def test_every_exercise_is_put_to_four_right_answers_and_five_wrong_ones():
    assert set(RIGHT) == set(EXERCISES)
    for number in EXERCISES:
        assert len(RIGHT[number]) >= 4
        assert sum(exercise == number for exercise, *_ in WRONG) >= 5


@EXERCISE
def test_answers_in_other_words_are_right(number):
    for place, answer in enumerate(RIGHT[number]):
        messages = {judge(EXERCISES[number], answer, seed).message for seed in SEEDS}
        assert (place, messages) == (place, {""})


@EXERCISE
def test_the_solution_in_the_lesson_is_right(number):
    lesson = all_lessons([number[:2]])[0]
    cells = [cell.source for cell in lesson.read().cells if cell.cell_type == "code"]
    (call,) = (source for source in cells if source.startswith(f'check("{number}"'))
    name = re.search(r", (\w+)\)", call).group(1)
    names: dict = {}
    for source in cells:
        if source == cells[0] or re.search(rf"^def {name}\(", source, re.MULTILINE):
            exec(source, names)
    for seed in SEEDS:
        assert judge(EXERCISES[number], names[name], seed).message == ""


@cache
def what_the_wrong_answers_hear():
    """For each exercise its rows of words that are asked for, and the verdict that came."""
    heard = {number: [] for number in EXERCISES}
    for number, answer, words in WRONG:
        heard[number].append((words, judge(EXERCISES[number], answer)))
    return heard


@EXERCISE
def test_wrong_answers_hear_what_is_wrong(number):
    for place, (words, verdict) in enumerate(what_the_wrong_answers_hear()[number]):
        assert (place, verdict.state) == (place, "not yet")
        assert words in verdict.message


def test_most_wrong_answers_hear_the_mistake_by_name_or_its_symptom_in_numbers():
    heard = [(number, verdict.message) for number, rows in what_the_wrong_answers_hear().items() for _, verdict in rows]
    silent = [f"{number}: {message}" for number, message in heard if SAYS_NOTHING.search(message)]
    told = len(heard) - len(silent)
    assert told >= TOLD_WHY * len(heard), "\n".join([f"{told} of {len(heard)} are told why; not so", *silent])


@EXERCISE
def test_each_known_mistake_hears_its_own_message_whatever_the_cases(number):
    exercise = EXERCISES[number]
    assert len({mistake.message for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 3
    for seed in SEEDS:
        for mistake in exercise.mistakes:
            assert judge(exercise, mistake.answer, seed).message == mistake.message


class AlwaysEqual:
    """Says that it equals anything."""

    def __eq__(self, _):
        return True

    def __ne__(self, _):
        return False

    __hash__ = None


class EqualFloat(AlwaysEqual, float):
    pass


class EqualText(AlwaysEqual, str):
    __slots__ = ()


class EqualArray(AlwaysEqual, np.ndarray):
    pass


class EqualTensor(AlwaysEqual, torch.Tensor):
    """Says, too, that its distance from anything is zero."""

    def __rsub__(self, _):
        return torch.zeros(1)


def wrong_by(exercise, amount):
    return lambda *arguments: exercise.solution(*arguments) + amount


BAD_RETURNS = {
    "nothing": None,
    "a text": "0.5",
    "a list": [0.5],
    "a tuple": (0.5,),
    "a bool": True,
    "a tensor of bools": torch.tensor([True]),
    "a complex number": 1j,
    "a dictionary": {},
    "always equal": AlwaysEqual(),
    "a float that is always equal": EqualFloat(12345.0),
    "a text that is always equal": EqualText("solved"),
    "an array that is always equal": np.array([1.0, 2.0]).view(EqualArray),
    "a tensor that is always equal": torch.tensor(12345.0).as_subclass(EqualTensor),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "an array of texts": np.array(["a"]),
    "an array of objects": np.array([None]),
    "a huge int": 10**400,
    "an empty tensor": torch.zeros(0),
    "a large tensor": torch.zeros(7, 7, 7),
    "a tensor without data": torch.zeros(2, device="meta"),
    "a sparse tensor": torch.eye(7).to_sparse(),
    "a function": len,
    "a class": float,
    "the number class": EqualFloat,
}


@EXERCISE
def test_a_returned_value_of_the_wrong_kind_scores_nothing(number):
    for kind, value in BAD_RETURNS.items():
        verdict = check(number, lambda *_, value=value: value)
        assert (kind, verdict.state) == (kind, "not yet")
        assert verdict.message


@EXERCISE
def test_a_wrong_tensor_scores_nothing_in_any_dress(number):
    wrong = wrong_by(EXERCISES[number], 0.5)
    for make in (EqualTensor, lambda t: t.requires_grad_(), lambda t: t[None].expand(9, *t.shape)):
        assert check(number, lambda *a, make=make: make(wrong(*a).double())).state == "not yet"


@NUMERIC
def test_an_answer_with_nan_in_one_place_hears_of_nan(number):
    def answer(*arguments):
        value = EXERCISES[number].solution(*arguments).double().clone()
        value.view(-1)[-1] = float("nan")
        return value

    assert "NaN" in check(number, answer).message


@EXERCISE
def test_what_is_no_function_scores_nothing(number):
    value = EXERCISES[number].solution
    for answer in (None, 3.0, "solved", [value], float, AlwaysEqual, AlwaysEqual(), EqualFloat(0.0), torch.zeros(3)):
        verdict = check(number, answer)
        assert verdict.state == "not yet"
        assert "your function itself" in verdict.message


@EXERCISE
def test_a_callable_object_that_is_always_equal_scores_nothing(number):
    class Callable(AlwaysEqual):
        def __call__(self, *_):
            return self

    assert check(number, Callable()).state == "not yet"


@EXERCISE
def test_an_untouched_stub_is_open(number):
    def stub(*_):
        raise NotImplementedError()

    verdict = check(number, stub)
    assert verdict.state == "open"
    assert "Write the function" in verdict.message


@EXERCISE
def test_an_error_is_shown_and_not_raised(number):
    def divides(*_):
        return 1 / 0

    def unsupported(*_):
        return torch.ones(2, 2, dtype=torch.bool) @ torch.ones(2, 2, dtype=torch.bool)  # a NotImplementedError of torch

    assert "stopped with ZeroDivisionError: division by zero" in check(number, divides).message
    verdict = check(number, unsupported)
    assert verdict.state == "not yet"
    assert "NotImplementedError" in verdict.message
    assert "stopped with TypeError" in check(number, lambda: 1.0).message


@EXERCISE
def test_an_answer_that_writes_into_its_inputs_is_told_and_spoils_no_other_answer(number):
    exercise = EXERCISES[number]
    cases = exercise.task.cases(torch.Generator().manual_seed(0))
    overwrites = any(isinstance(value, torch.Tensor) for value in cases[0].arguments)

    def scribbles(*arguments):
        value = exercise.solution(*arguments)
        for argument in arguments:
            if isinstance(argument, torch.Tensor):
                argument.fill_(7.0)
        return value

    verdict = check(number, scribbles)
    assert ("overwrites what it was given" in verdict.message) == overwrites
    assert verdict.state == ("not yet" if overwrites else "solved")
    assert check(number, exercise.solution).state == "solved"


@NUMERIC
def test_the_same_numbers_in_another_dress_are_right(number):
    solution = EXERCISES[number].solution
    dresses = [
        lambda value: value.double(),
        lambda value: value.double().numpy(),
        lambda value: value.double().numpy().astype(np.longdouble),
        lambda value: value.double().numpy().astype(">f8"),
        lambda value: np.flip(np.flip(value.double().numpy()).copy()),
        lambda value: value.double().requires_grad_(),
    ]
    for dress in dresses:
        assert check(number, lambda *a, dress=dress: dress(solution(*a))).state == "solved"


@NUMERIC
def test_no_message_holds_the_right_numbers(number):
    exercise = EXERCISES[number]
    for seed in SEEDS:
        drawn = distinguishing_cases(exercise, seed)
        shifted = [value + 0.5 for value in drawn.expected]
        of_wrong_kinds = [[value] * len(drawn.cases) for value in (None, torch.tensor(float("nan")), torch.zeros(9))]
        right = torch.cat([value.flatten() for value in drawn.expected]).tolist()
        for returned in (*drawn.of_mistakes, shifted, *of_wrong_kinds):
            message = OWN_NUMBERS.sub("", compare(exercise, returned, seed, shows_values=True).message)
            assert message
            assert not [value for value in right if f"{abs(value):.2g}" in message and "." in f"{abs(value):.2g}"]


def test_an_exercise_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"exercise is '99\.9'; there are 00\.1, 00\.2"):
        check("99.9", len)
