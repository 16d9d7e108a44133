"""The symptom of a wrong answer is true of it, and says no right value."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igteach.exercises.checker import Case, Task
from igteach.exercises.judging import Exercise, compare, judge, symptom

RIGHT = torch.tensor([0.5, -2.0, 3.0, 0.25])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (-RIGHT, "Everywhere its sign is flipped."),
        (RIGHT.abs(), "Its absolute values are right, and some signs are flipped."),
        (RIGHT / 2, "Everywhere it is 0.5 times what is asked for."),
        (RIGHT * 64, "Everywhere it is 64 times what is asked for."),
        (RIGHT.flip(0), "Its numbers are right, and stand in another order."),
        (RIGHT + 1, "Everywhere it is off by the same amount."),
        (RIGHT + torch.tensor([0.0, 0.0, 1.0, 0.0]), "1 of its 4 numbers is off."),
        (RIGHT + torch.tensor([0.5, 1.0, -0.5, -1.0]), "Its sum is right, and single numbers are not."),
        (torch.tensor([1.0, -1.0, 2.0, 1.5]), "Its sum is 2 times the right sum."),
        (torch.tensor([1.0, -1.0, 2.0, -2.0]), "Its numbers cancel, and those asked for do not."),
        (0.998 * RIGHT, "Everywhere it is off by 0.2%."),
        (0 * RIGHT, "Everywhere it is zero, and what is asked for is not."),
        (torch.full((4,), 9.0), "Its numbers are all the same, and those asked for are not."),
    ],
)
def test_each_symptom_is_named(wrong, words):
    assert symptom(RIGHT, wrong) == words


def test_one_number_is_too_large_or_too_small_or_flipped_or_a_multiple():
    assert symptom(torch.tensor(2.0), torch.tensor(-2.0)) == "Its sign is flipped."
    assert symptom(torch.tensor(2.0), torch.tensor(1.0)) == "It is 0.5 times what is asked for."
    assert symptom(torch.tensor(-2.0), torch.tensor(-1.99)) == "It is off by 0.5%."
    assert symptom(torch.tensor(2.0), torch.tensor(0.0)) == "The right number is not zero."
    assert symptom(torch.tensor(0.0), torch.tensor(1.0)) == "It is too large."
    assert symptom(torch.tensor(0.0), torch.tensor(-1.0)) == "It is too small."


def test_where_the_right_numbers_cancel_the_sum_of_the_wrong_ones_is_told():
    wrong = torch.tensor([3.0, 1.0, 0.5])
    assert symptom(torch.tensor([1.0, 1.0, -2.0]), wrong) == "Its numbers add up to 4.5, and those asked for cancel."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: -3 * x, "Everywhere its sign is flipped."),
        (lambda x: 6 * x, "Everywhere it is 2 times what is asked for."),
        (lambda x: 3 * x + 1, "Everywhere it is off by the same amount."),
        (lambda x: 3 * abs(x), "Its absolute values are right, and some signs are flipped."),
        (lambda x: x * x, "In some cases its sign is not that of what is asked for."),
        (lambda x: -x - x**3, "In all cases its sign is not that of what is asked for."),
        (lambda x: x**3, "In some cases it is larger in absolute value than what is asked for, and in others smaller."),
        (lambda x: x / (1 + x * x), "In every case it is smaller in absolute value than what is asked for, and by no "),
        (lambda x: 0.0, "Everywhere it is zero, and what is asked for is not."),
    ],
)
def test_everywhere_means_in_every_case(answer, words):
    task = Task("90.1", lambda _: [Case(f"case {x}", (x,)) for x in (-2.0, 1.0, 5.0)])
    message = judge(Exercise(task, lambda x: torch.tensor(3 * x), []), answer).message
    assert re.search(rf"^On case \S+ your answer is off: yours is \S+\. {re.escape(words)}.*Try", message)


def test_where_no_factor_is_common_to_the_cases_none_is_named():
    task = Task("90.1", lambda _: [Case(f"case {x}", (x,)) for x in (1.0, 2.0, 5.0)])
    exercise = Exercise(task, lambda x: torch.tensor(3 * x), [])
    message = judge(exercise, lambda x: 3 * x * x + 1).message
    assert "In every case it is larger than what is asked for, and by no fixed factor." in message
    message = judge(exercise, lambda x: 3 * x + x * x / 1000).message
    assert "yours is 3.001. It is off by 0.17% or less in every case." in message
    assert "yours is 0. The right number is not zero." in judge(exercise, lambda x: 4 * x * (x - 1)).message
    message = judge(exercise, lambda x: 3 * min(x, 2.0)).message
    assert "yours is 6. Where it is off, it is smaller than what is asked for." in message
    assert message.endswith("On 2 of the 3 cases it is right.")


@pytest.mark.parametrize("factor", [-1.0, 0.0, 2.0])
def test_one_number_among_zeros_is_not_everywhere(factor):
    for right in (torch.tensor([0.0, 3.0]), torch.tensor([0.0, 0.5, 0.0])):
        assert "Everywhere" not in symptom(right, factor * right)
    assert symptom(torch.tensor([0.0, 3.0]), torch.tensor([0.0, -3.0])) == "Where it is not zero, its sign is flipped."


def test_of_two_numbers_each_is_told():
    right = torch.tensor([1.0, 3.0])
    assert symptom(right, torch.tensor([0.5, 3.5])) == "Its first number is too small, and its second too large."
    assert symptom(right, torch.tensor([1.0, 2.0])) == "Its first number is right, and its second too small."


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=6), st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_a_factor_that_is_named_makes_the_answer_right(right, noise):
    right = torch.tensor(right, dtype=torch.float64)
    wrong = torch.tensor(noise[: len(right)], dtype=torch.float64)
    found = symptom(right, wrong)
    if found.startswith("Everywhere it is") and "times" in found:
        factor = float(found.split()[3])
        torch.testing.assert_close(wrong, factor * right, rtol=1e-2, atol=1e-2)
    if found.startswith("Its sum is right"):
        torch.testing.assert_close(wrong.sum(), right.sum(), rtol=1e-3, atol=1e-3)


def in_words(x):
    return "linear" if x > 0 else "jump"


def test_a_text_that_is_only_spelled_differently_is_told_so():
    cases = [Case("case 1", (1.0,)), Case("case 2", (-1.0,))]
    words = Exercise(Task("90.2", lambda _: cases), in_words, [])
    assert "the right word, spelled differently" in judge(words, lambda x: in_words(x).upper()).message
    message = judge(words, lambda x: "linear").message
    assert "spelled" not in message
    assert message.endswith("On 1 of the 2 cases it is right.")


def exercise():
    task = Task("90.1", lambda _: [Case("case 1", (torch.tensor([1.5, 2.0, 4.0]),))])
    return Exercise(task, lambda x: x * 3, [])


def test_a_learner_sees_their_own_numbers_and_no_right_one():
    message = judge(exercise(), lambda x: x + 7).message
    assert message.startswith("On case 1 your answer is off: yours is (8.5, 9, 11).")
    assert "4.5" not in message
    assert "12" not in message


def test_of_a_hidden_case_the_symptom_is_told_without_numbers_of_the_answer():
    message = compare(exercise(), [torch.tensor([1.5, 2.0, 4.0])], seed=0).message
    assert message.startswith("On case 1 your answer is off. Everywhere it is 0.333 times what is asked for.")


@pytest.mark.parametrize("change", [lambda x: x.zero_(), lambda x: x.add_(1), lambda x: x.unsqueeze_(0)])
def test_an_answer_that_overwrites_its_input_is_told(change):
    def answer(x):
        right = x * 3
        change(x)
        return right

    assert "your code overwrites what it was given" in judge(exercise(), answer).message
    assert judge(exercise(), lambda x: x.clone().mul_(3)).state == "solved"
