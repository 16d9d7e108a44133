"""The check that counts: hidden cases, the package's answers locked, a proof that another process can judge."""

import inspect
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from inspect import isgenerator, signature
from pathlib import Path
from types import FunctionType

import answer_files
import captum.attr
import pytest
import torch

import igteach
from igteach import integrated_gradients as held_by_another_name
from igteach.core import integration
from igteach.exercises import check, graded
from igteach.exercises.case_files import read_cases, write_cases
from igteach.exercises.checker import Case, Described
from igteach.exercises.graded import (
    CASES_VARIABLE,
    OPEN_MODULES,
    code_of,
    decode,
    encode,
    hand_in,
    locked_code,
)
from igteach.exercises.judging import compare, distinguishing_cases
from igteach.exercises.solutions import EXERCISES, common
from igteach.lessons.lesson import all_lessons

SECRETS = (1, 2**62 + 7)
EXERCISE = pytest.mark.parametrize("number", EXERCISES)
RIGHT = {number: answers[0] for number, answers in answer_files.RIGHT.items()}


@pytest.fixture
def proofs(monkeypatch):
    """What graded checks hand over, newest last."""
    handed: list = []
    monkeypatch.setattr(graded, "publish", lambda proof: handed.append(json.loads(json.dumps(proof, allow_nan=False))))
    return handed


@pytest.fixture
def graded_check(proofs, monkeypatch, tmp_path):
    """Hands in as in the sandbox, and gives the grader's verdict."""
    monkeypatch.setenv(CASES_VARIABLE, str(tmp_path))

    def hand_in_and_judge(number, answer, secret=SECRETS[0]):
        exercise = EXERCISES[number]
        write_cases(tmp_path / f"{number}.safetensors", distinguishing_cases(exercise, secret).cases)
        verdict = check(number, answer)
        assert verdict.state == proofs[-1]["state"]
        if verdict.state != "handed in":
            assert proofs[-1]["returned"] == []
            return verdict
        return compare(exercise, decode(proofs[-1]["returned"]), secret)

    return hand_in_and_judge


def solution_in_lesson(number):
    """The function that the lesson itself gives, run as a learner's would be."""
    cells = [cell.source for cell in all_lessons([number[:2]])[0].read().cells if cell.cell_type == "code"]
    (call,) = (source for source in cells if source.startswith(f'check("{number}"'))
    name = re.search(r", (\w+)\)", call).group(1)
    names: dict = {"__name__": "__main__"}
    for source in cells:
        if source == cells[0] or re.search(rf"^def {name}\(", source, re.MULTILINE):
            exec(source, names)
    return names[name]


@EXERCISE
@pytest.mark.parametrize("secret", SECRETS)
def test_the_lesson_s_solution_and_one_in_other_words_pass(number, secret, graded_check):
    for answer in (solution_in_lesson(number), RIGHT[number]):
        assert graded_check(number, answer, secret).state == "solved"


@EXERCISE
def test_each_known_mistake_is_named(number, graded_check, monkeypatch):
    monkeypatch.setattr(graded, "locked", lambda _: nullcontext([]))  # ours call what is locked to others
    for mistake in EXERCISES[number].mistakes:
        assert graded_check(number, mistake.answer).message == mistake.message


@EXERCISE
def test_cases_in_a_file_are_the_cases_that_were_drawn(number, tmp_path):
    exercise = EXERCISES[number]
    cases = distinguishing_cases(exercise, SECRETS[1]).cases
    write_cases(tmp_path / "cases", cases)
    again = read_cases(tmp_path / "cases")
    assert [case.description for case in again] == [case.description for case in cases]
    for drawn, read in zip(cases, again, strict=True):
        for one, other in zip(drawn.arguments, read.arguments, strict=True):
            assert type(one) is type(other)
            if isinstance(one, torch.Tensor):
                assert one.dtype == other.dtype
                assert torch.equal(one, other)
            elif not callable(one):
                assert one == other
    returned = [exercise.solution(*case.arguments) for case in again]
    assert compare(exercise, returned, SECRETS[1]).state == "solved"


def test_a_case_that_would_need_code_to_be_read_is_refused(tmp_path):
    with pytest.raises(TypeError, match="must be a number, a text, a tensor, or of a named family"):
        write_cases(tmp_path / "cases", [Case("a function", (lambda x: x,))])


@EXERCISE
def test_two_secrets_give_other_cases(number):
    one, other = (encode(distinguishing_cases(EXERCISES[number], secret).expected) for secret in SECRETS)
    assert one != other


@EXERCISE
def test_the_exercise_s_own_solution_is_locked(number, graded_check):
    def answer(*arguments):
        return EXERCISES[number].solution(*arguments)

    message = graded_check(number, answer).message
    assert re.search(r"calls igteach\.exercises\.solutions\.lesson\d\d\.\w+\. Writing it is the task", message)


def test_outside_the_grading_a_check_answers_by_itself(proofs):
    assert check("00.1", RIGHT["00.1"]).state == "solved"
    assert proofs == []


def test_another_lesson_s_check_runs_nothing_where_it_is_not_graded(monkeypatch, tmp_path, proofs):
    monkeypatch.setenv(CASES_VARIABLE, str(tmp_path))
    assert hand_in("04.2", midpoint).message == "This exercise is not part of what is graded here."
    assert proofs == []


VALUES = [torch.tensor(1.5), torch.tensor([1.0, 2.0]), torch.zeros(0, 3), torch.arange(3), "text", None]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_an_answer_returns_comes_back_from_a_proof(value):
    (back,) = decode(json.loads(json.dumps(encode([value]))))
    assert torch.equal(back, value.double()) if isinstance(value, torch.Tensor) else back == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.tensor([True]), "a tensor of bool"),
        (torch.tensor(1j), "a tensor of complex64"),
        (torch.zeros(3000), "a tensor of shape (3000,)"),
        ({}, "a dict"),
        ("x" * 5000, "a str"),
    ],
    ids=str,
)
def test_what_cannot_be_an_answer_is_described(value, kind):
    assert decode(json.loads(json.dumps(encode([value])))) == [Described(kind)]


def test_a_value_that_is_not_finite_stays_so():
    (back,) = decode(json.loads(json.dumps(encode([torch.tensor([1.0, float("nan"), float("inf")])]), allow_nan=False)))
    assert back.isfinite().tolist() == [True, False, False]


def tensor(shape, values):
    return [{"shape": shape, "values": values}]


CRAFTED = [None, 3, "text", {}, tensor([1], [1.0])[0], [[]], [3], [True], [{}], [{"shape": [1]}]]
CRAFTED += [tensor([2], [1.0]), tensor("x", []), tensor([10**12], []), tensor([-1], [1.0]), tensor(None, None)]
CRAFTED += [tensor([1], ["1.0"] * 5000), tensor([1], [10**400]), tensor([1], [[1.0]]), tensor([1], {"0": 1.0})]
CRAFTED += [tensor([1] * 1000, [1.0]), tensor([1], ["inf"])]


@pytest.mark.parametrize("crafted", CRAFTED, ids=range(len(CRAFTED)))
def test_a_crafted_proof_is_refused_or_wrong_and_raises_nothing_else(crafted):
    try:
        returned = decode(crafted)
    except ValueError:
        return
    assert compare(EXERCISES["00.2"], (returned * 3)[:3], SECRETS[0]).state == "not yet"


def midpoint(f, x, baseline, steps):
    return igteach.integrated_gradients(f, x, baseline, steps=steps, rule="midpoint").values


def by_another_name(f, x, baseline, steps):
    return held_by_another_name(f, x, baseline, steps=steps, rule="midpoint").values


def and_swallowed(f, x, baseline, steps):
    try:
        return midpoint(f, x, baseline, steps)
    except Exception:
        return midpoint(f, x, baseline, steps)  # the lock has fallen, but it has noted who broke it


def in_a_borrowed_f(f, x, baseline, steps):
    found = []

    def borrowed(batch):
        if not found:
            found.append(midpoint(f, x, baseline, steps))
        return f(batch)

    igteach.gradient(borrowed, x)
    return found[0]


def by_captum(f, x, baseline, steps):
    ig = captum.attr.IntegratedGradients(f)
    return ig.attribute(x, baseline, n_steps=steps, method="riemann_middle")


def by_one_leg_of_a_guided_path(f, x, baseline, steps):
    return igteach.guided_integrated_gradients(f, x, baseline, legs=1, steps=steps).values


def as_if_igteach_called(f, x, baseline, steps):
    names = {"__name__": "igteach.core.integration", "midpoint": igteach.integrated_gradients}
    return eval(compile("midpoint", integration.__file__, "eval"), names)(f, x, baseline, steps=steps).values


def through_an_open_function(f, x, baseline, steps):
    called = partial(igteach.integrated_gradients, f, x, baseline, steps=steps)
    return igteach.toy(lambda *_: 0)(x) + igteach.logit(lambda _: called())(x).values


def as_the_f_of_a_tool(f, x, baseline, steps):
    try:
        igteach.gradient(partial(igteach.integrated_gradients, f, baseline=baseline, steps=steps), x)
    except TypeError as error:
        return innermost(error).f_locals["out"].values


def as_the_f_of_several_inputs(f, x, baseline, steps):
    try:
        start = torch.zeros_like(x) + (0.0 if baseline is None else baseline)
        igteach.gradient(partial(igteach.integrated_gradients, f, steps=steps), (x, start))
    except TypeError as error:
        return innermost(error).f_locals["out"].values


def innermost(error):
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    return last.tb_frame


def in_a_thread(f, x, baseline, steps):
    with ThreadPoolExecutor() as pool:
        return pool.submit(igteach.integrated_gradients, f, x, baseline, steps=steps).result().values


CHEATS = [midpoint, by_another_name, and_swallowed, in_a_borrowed_f, by_captum, by_one_leg_of_a_guided_path]
CHEATS += [as_if_igteach_called, through_an_open_function, as_the_f_of_a_tool, as_the_f_of_several_inputs, in_a_thread]


@pytest.mark.parametrize("answer", CHEATS)
def test_an_answer_that_only_calls_the_package_is_caught_and_named(answer, graded_check):
    assert re.search(
        r"Your answer calls .*(integrated_gradients|captum\..*)\. Writing it",
        graded_check("04.2", answer).message,
    )


@pytest.mark.parametrize("answer", [EXERCISES["04.2"].solution, partial(EXERCISES["04.2"].solution)])
def test_a_locked_function_is_no_answer_itself(answer, graded_check):
    assert re.search(
        r"Your answer calls igteach\.exercises\.solutions\.lesson04\.", graded_check("04.2", answer).message
    )


@pytest.mark.skipif(not hasattr(threading, "setprofile_all_threads"), reason="Python 3.12 can watch threads that run")
def test_a_thread_that_was_there_before_is_watched_too(graded_check):
    with ThreadPoolExecutor() as pool:
        pool.submit(int).result()
        message = graded_check("04.2", lambda *arguments: pool.submit(midpoint, *arguments).result()).message
    assert "Your answer calls" in message


def test_a_thread_beside_the_check_is_told_to_the_grader(graded_check, proofs):
    with ThreadPoolExecutor(thread_name_prefix="worker") as pool:
        pool.submit(int).result()
        graded_check("00.1", RIGHT["00.1"])
        assert [name for name in proofs[-1]["threads"] if name.startswith("worker")] != []
    graded_check("00.1", RIGHT["00.1"])
    assert [name for name in proofs[-1]["threads"] if name.startswith("worker")] == []


def of_amounts(f, baseline, strokes):
    """F of how far each stroke is turned up, and the amounts of the finished picture."""
    return lambda amounts: f(baseline + amounts @ strokes), torch.ones(1, len(strokes)).double()


def test_what_a_lesson_hands_out_as_a_tool_may_be_called(graded_check):
    def by_amounts(*arguments):
        return igteach.integrated_gradients(*of_amounts(*arguments), steps=64).values[0]

    def by_gradient(f, x, leader, rival):
        return igteach.gradient(lambda points: f(points)[:, leader] - f(points)[:, rival], x).values.abs()

    assert graded_check("04.4", by_amounts, SECRETS[0]).state == "solved"
    assert re.search(
        r"igteach\.methods\.gradients\.gradient\. Writing",
        graded_check("01.5", by_gradient).message,
    )


def test_a_tool_may_be_called_with_a_table_and_with_several_inputs(graded_check):
    def by_tables(*arguments):
        f, ones = of_amounts(*arguments)
        of_one, of_two = (
            igteach.integrated_gradients(g, x, y, steps=64)
            for g, x, y in (
                (f, ones.numpy(), 0 * ones.numpy()),
                (lambda x, _: f(x), (ones, ones[:, :1]), (0 * ones, 0.0)),
            )
        )
        assert torch.allclose(of_one.values, of_two.values[0])
        return of_one.values[0]

    assert graded_check("04.4", by_tables, SECRETS[0]).state == "solved"


def test_the_lock_is_off_again_afterwards(graded_check):
    assert graded_check("04.2", midpoint).state == "not yet"
    f = igteach.toy(lambda x: x * x)
    assert igteach.integrated_gradients(f, torch.ones(1, 1)).values.isfinite().all()


def test_exact_shapley_values_do_not_solve_the_exercise_on_them(graded_check):
    def answer(table):
        f = lambda x: torch.stack([table[tuple(row.long())] for row in x])  # noqa: E731
        return igteach.shapley_values(f, torch.ones(1, 3)).values[0]

    assert EXERCISES["11.1"].solution(torch.rand(2, 2, 2)).shape == (3,)
    assert re.search(r"Your answer calls .*shapley_values", graded_check("11.1", answer).message)


OPEN_TO_ANSWERS = {"Attribution", "device", "logit", "probability", "toy"}
FACADE = {name: getattr(igteach, name) for name in igteach.__all__ if callable(getattr(igteach, name))}


def test_the_facade_is_locked_but_for_what_every_answer_may_use():
    locked_names = {name for name, member in FACADE.items() if code_of(member).keys() & locked_code().keys()}
    assert locked_names == set(FACADE) - OPEN_TO_ANSWERS


ROOMS = [igteach.axioms, igteach.baselines, igteach.captum_methods, igteach.evaluate]
METHODS = {name: FACADE[name] for name in FACADE.keys() - OPEN_TO_ANSWERS} | {
    f"{room.__name__}.{name}": member
    for room in ROOMS
    for name, member in vars(room).items()
    if isinstance(member, FunctionType)
    and member.__module__.startswith("igteach.")
    and member.__module__ not in OPEN_MODULES
    and not inspect.isgeneratorfunction(inspect.unwrap(member))  # a context: calling it does nothing yet
}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_is_caught_when_an_answer_calls_it(name, graded_check):
    parameters = signature(METHODS[name]).parameters.values()
    given = [None for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    options = {one.name: None for one in parameters if one.kind is one.KEYWORD_ONLY}

    def answer(*_):
        result = METHODS[name](*given, **options)
        return next(result) if isgenerator(result) else result

    assert re.search(r"Your answer calls igteach\.", graded_check("01.1", answer).message)


def test_a_copy_of_a_locked_function_is_the_student_s_own(graded_check):
    """Also one in the same line, which Python calls equal."""
    own: dict = {"__name__": "__main__"}
    exec(Path(common.__file__).read_text(encoding="utf-8"), own)
    assert own["input_gradient"].__code__ == common.input_gradient.__code__

    def by(gradient):
        return lambda f, x, a, b: gradient(lambda points: f(points)[:, a] - f(points)[:, b], x).abs()

    assert graded_check("01.5", by(own["input_gradient"])).state == "solved"
    assert re.search(
        r"calls igteach\.exercises\.solutions\.common\.input_gradient",
        graded_check("01.5", by(common.input_gradient)).message,
    )


LARGE_OUTPUT = """
import zmq
context = zmq.Context()
sender, receiver = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
sender.bind("inproc://a"); receiver.connect("inproc://a")
sender.send(bytes(100_000), copy=False)
receiver.recv()
"""
BAR = """
from tqdm.auto import tqdm
list(tqdm(range(3)))
"""


@pytest.mark.parametrize(("first", "output"), [("import zmq", LARGE_OUTPUT), ("", BAR)], ids=["a figure", "a bar"])
def test_no_output_starts_a_thread_that_would_be_held_against_a_student(tmp_path, first, output):
    """pyzmq begins a thread when a kernel first sends more than 64 KiB, tqdm with its first bar."""
    extra = "print([each.name for each in threading.enumerate() if each not in graded.THREADS_OF_THE_KERNEL])"
    code = "\n".join(["import threading", first, "from igteach.exercises import graded", output, extra])
    environment = {**os.environ, graded.CASES_VARIABLE: str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
