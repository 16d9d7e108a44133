"""How a verdict looks, and how answers are compared."""

import dataclasses
import warnings
from types import MappingProxyType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igteach.exercises.checker import Case, Task, Verdict
from igteach.exercises.judging import TOLERANCE, Exercise, Mistake, distinguishing_cases, judge
from igteach.exercises.solutions import EXERCISES


def exercise(solution, cases=((1.0,), (2.0,)), mistakes=()):
    task = Task("90.1", lambda _: [Case(f"case {c[0]}", c) for c in cases])
    return Exercise(task, solution, list(mistakes))


double = exercise(lambda x: torch.tensor(2 * x))


@pytest.mark.parametrize(("state", "mark"), [("solved", "✓"), ("open", "○"), ("not yet", "✗"), ("handed in", "→")])
def test_a_verdict_tells_its_state_by_mark_and_word_not_by_colour_alone(state, mark):
    shown = Verdict("01.1", state, "Go on.")._repr_html_()
    assert mark in shown
    assert f"Exercise 01.1: {state}." in shown
    assert repr(Verdict("01.1", state, "Go on.")) == f"Exercise 01.1: {state}. Go on."


def test_a_solved_verdict_ends_without_a_space():
    assert repr(Verdict("01.1", "solved", "")) == "Exercise 01.1: solved."


def test_what_an_error_says_is_escaped():
    def answer(_):
        raise ValueError("<script>alert(1)</script> & more")

    shown = judge(double, answer)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "&amp; more" in shown


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), st.floats(-3, 3))
def test_an_answer_may_be_off_by_the_tolerance_and_no_more(right, off):
    exact = exercise(lambda x: torch.tensor(x, dtype=torch.float64), [(right,)])
    state = judge(exact, lambda x: x * (1 + off * TOLERANCE)).state
    if abs(off) < 0.99:
        assert state == "solved"
    if abs(off) > 1.01:
        assert state == "not yet"


def test_one_wrong_case_is_enough_and_is_named():
    verdict = judge(double, lambda x: 2.0)
    assert verdict.state == "not yet"
    assert "case 2.0" in verdict.message


def test_a_text_must_be_that_text():
    colour = exercise(lambda x: "blue")
    assert judge(colour, lambda x: "blue").state == "solved"
    assert "On case 1.0" in judge(colour, lambda x: "red").message
    for other in (1.0, torch.tensor(1.0), b"blue", None, ["blue"], MappingProxyType({})):
        assert judge(colour, lambda x, other=other: other).state == "not yet"


def test_a_text_that_says_it_is_equal_is_not():
    class Equal(str):
        __slots__ = ()
        __hash__ = None

        def __eq__(self, _):
            return True

    assert judge(exercise(lambda x: "blue"), lambda x: Equal("red")).state == "not yet"


def test_cases_on_which_a_known_mistake_passes_by_chance_are_drawn_again():
    def sometimes_zero(draw):
        return [Case("a number", (float(torch.randint(2, (), generator=draw)),))]

    mistakes = [Mistake("Three times.", lambda x: x)]
    square = Exercise(Task("90.2", sometimes_zero), lambda x: torch.tensor(x * 3), mistakes)
    for seed in range(20):
        assert judge(square, lambda x: x, seed).message == "Three times."


def test_a_mistake_that_is_the_solution_is_refused():
    with pytest.raises(ValueError, match=r"exercise 90\.1: a mistake gives the answers of the solution"):
        judge(exercise(double.solution, mistakes=[Mistake("No.", lambda x: 2 * x)]), lambda x: 2 * x)


def test_other_cases_come_from_another_seed():
    seen = []
    task = Task("90.3", lambda draw: [Case("x", (torch.randn(3, generator=draw),))])
    drawn = Exercise(task, torch.sum, [])
    for seed in (0, 0, 1):
        judge(drawn, lambda x: seen.append(x) or x.sum(), seed)
    first, again, other = seen[::2]  # a right answer runs twice: the second time it may not overwrite
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


SETTINGS = {
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "another device": lambda: torch.set_default_device("meta"),
    "no gradients": lambda: torch.set_grad_enabled(False),
    "a seed": lambda: torch.manual_seed(7),
    "warnings as errors": lambda: warnings.simplefilter("error"),
}


@pytest.fixture
def own_settings():
    with warnings.catch_warnings():
        yield
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)


@pytest.mark.parametrize("number", EXERCISES)
def test_a_notebook_s_own_settings_change_no_verdict_and_stay(number, own_settings):
    for setting in SETTINGS.values():
        setting()
    check_verdicts_and_settings(number)


@pytest.mark.long
@pytest.mark.sampled(20)
@pytest.mark.parametrize("number", EXERCISES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_single_setting_changes_no_verdict_and_stays(number, setting, own_settings):
    SETTINGS[setting]()
    check_verdicts_and_settings(number)


def check_verdicts_and_settings(number):
    exercise = EXERCISES[number]
    distinguishing_cases.cache_clear()
    before = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(), warnings.filters[:1]
    assert judge(exercise, exercise.solution).state == "solved"
    assert judge(exercise, exercise.mistakes[0].answer).message == exercise.mistakes[0].message
    assert before == (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        warnings.filters[:1],
    )


def in_double(value):
    """The same argument in double precision, as far as it has a precision."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: in_double(getattr(value, name)) for name in names})
    return value


@pytest.mark.parametrize("number", [number for number in EXERCISES if number not in ("06.4", "14.4")])
def test_the_right_answer_is_right_to_a_tenth_of_the_tolerance(number):
    """Its own rounding must not decide: an answer that is computed more precisely is right, too."""
    exercise = EXERCISES[number]
    for seed in range(6):
        drawn = distinguishing_cases(exercise, seed)
        for case, right in zip(drawn.cases, drawn.expected, strict=True):
            precise = exercise.solution(*map(in_double, case.arguments)).double()
            scale = max(precise.abs().max().item(), TOLERANCE)
            assert (right.double() - precise).abs().max().item() <= 0.1 * TOLERANCE * scale, case.description


TABLE = torch.tensor([[1.0, 2.0], [3.0, 4.5]])
twice_a_table = exercise(lambda x: 2 * x, cases=((TABLE,),))


@pytest.mark.parametrize(
    "dress",
    [
        lambda table: table.tolist(),
        lambda table: tuple(table),
        lambda table: [row.numpy() for row in table],
        lambda table: [[number.item() for number in row] for row in table],
        lambda table: [list(row) for row in table],
        lambda table: [list(row.numpy()) for row in table],
    ],
)
def test_a_list_of_rows_is_a_table(dress):
    assert judge(twice_a_table, lambda x: dress(2 * x)).state == "solved"
    assert "your answer is off" in judge(twice_a_table, lambda x: dress(3 * x)).message


@pytest.mark.parametrize("rows", [[[2.0, 4.0], [6.0]], [[2.0, 4.0], "6, 9"], [[True, True], [True, True]]])
def test_a_list_that_is_no_table_is_named(rows):
    assert "Your function returns a list; a tensor of shape (2, 2)" in judge(twice_a_table, lambda _: rows).message
