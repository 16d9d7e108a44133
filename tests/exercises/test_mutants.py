"""Right answers, mutated by machine, are not called solved; and the machine would notice if they were."""

import dataclasses
import subprocess
import sys
import warnings

import pytest
import torch

from igteach.exercises import mutation
from igteach.exercises.checker import Case, Task
from igteach.exercises.mutation import mutants, put_to_the_check
from igteach.exercises.solutions import EXERCISES
from igteach.exercises.solutions.equal_mutants import EQUALLY_RIGHT


@pytest.mark.long
@pytest.mark.sampled(18)
@pytest.mark.parametrize("number", EXERCISES)
def test_no_mutant_of_a_right_answer_is_called_solved(number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = [put_to_the_check(mutant) for mutant in mutants(number)]
    assert judged
    assert [each.mutant.change for each in judged if each.passes_wrongly] == []
    solved = {each.mutant.change for each in judged if each.verdict.state == "solved"}
    assert set(EQUALLY_RIGHT.get(number, {})) == solved, "an excuse that nothing needs"


def changes(number):
    return [mutant.change.partition(", in ")[0] for mutant in mutants(number)]


def test_each_kind_of_change_is_made():
    assert "f(x) - f(baseline) -> f(x) + f(baseline)" in changes("00.1")
    assert "f(x) - f(baseline) -> f(baseline) - f(x)" in changes("00.1")
    assert "x -> baseline" in changes("00.1")
    assert "0 -> 1" in changes("00.1")
    assert "pixels.abs() -> pixels" in changes("00.4")
    assert "values.add_(1) at the end" in changes("00.4")
    assert "alphas > 0 -> alphas >= 0" in changes("05.2")
    assert "maps.sum(dim=1).abs().mean(dim=0) -> maps.sum(dim=1).abs().amax(dim=0)" in changes("12.3")
    assert "values.sum(dim=0) -> values.mean(dim=0)" in changes("00.4")


def test_cases_that_tell_too_little_are_noticed(monkeypatch):
    """With F(x') = 0 it makes no difference whether it is subtracted or added."""

    def cases(_):
        return [Case("function 1", (lambda x: x.sum(1), torch.ones(1, 2), torch.zeros(1, 2)))]

    weak = dataclasses.replace(EXERCISES["00.1"], task=Task("00.1", cases), mistakes=[])
    monkeypatch.setitem(EXERCISES, "00.1", weak)
    judged = [put_to_the_check(mutant) for mutant in mutants("00.1")]
    passing = [each.mutant.change for each in judged if each.passes_wrongly]
    assert "f(x) - f(baseline) -> f(x) + f(baseline), in return (f(x) - f(baseline))[0]" in passing


def test_an_answer_that_never_ends_is_rejected(monkeypatch):
    monkeypatch.setattr(mutation, "SECONDS", 1)
    forever = "def answer(f, x, baseline):\n    while True:\n        pass"
    verdict = put_to_the_check(mutation.Mutant("00.1", "forever", forever, "answer")).verdict
    assert verdict.state == "not yet"
    assert "not done after 1 seconds" in verdict.message


def test_the_rooms_that_are_locked_can_be_imported_where_there_are_no_solutions():
    """The lock of graded coursework imports every module of its rooms, and the sandbox shows no solutions."""
    code = (
        "import sys, types\n"
        "empty = types.ModuleType('igteach.exercises.solutions')\n"
        "empty.__path__ = []\n"
        "sys.modules[empty.__name__] = empty\n"
        "from igteach.exercises.graded import locked_code\n"
        "assert locked_code()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
