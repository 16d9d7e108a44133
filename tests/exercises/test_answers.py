"""What each check of the course says to answers that students give: right ones in other words, and wrong ones."""

import re

import numpy as np
import pytest
import torch

from igteach.course.lessons import all_lessons
from igteach.exercises import EXERCISES, check
from igteach.exercises.checker import judge

EXERCISE = pytest.mark.parametrize("number", EXERCISES)
SEEDS = range(10)


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def to_share(f, x, baseline):
    at_input, at_baseline = f(torch.cat([x, baseline])).tolist()
    return at_input - at_baseline


def residual(values, f_input, f_baseline):
    return sum(values.double().flatten().tolist()) + f_baseline - f_input


def strongest_pixel(values):
    table = np.abs(values.numpy())
    return np.array(np.unravel_index(table.argmax(), table.shape))


def finite_difference(f, x, feature, step):
    rows = x.repeat(2, 1)
    rows[0, feature] += step
    rows[1, feature] -= step
    right, left = f(rows)
    return float(right - left) / (2 * step)


def first_order(f, x, d):
    return torch.autograd.functional.jvp(lambda point: f(point).sum(), x, d)[1]


def saliency(f, x):
    gradient = torch.func.grad(lambda row: f(row[None])[0])(x[0])
    return torch.where(gradient < 0, -gradient, gradient)[None].numpy()


def unexplained(f, x, baseline):
    missing = f(x) - f(baseline)
    for i in range(x.shape[1]):
        missing = missing - slope(f, x)[0, i] * (x[0, i] - baseline[0, i])
    return missing.item()


def occlusion(f, x, baseline):
    one = torch.eye(x.shape[1])
    return f(x) - f((1 - one) * x + one * baseline).reshape(1, -1)


def scale_free(f, x, baseline):
    steepness = slope(f, x).pow(2).sum().sqrt()
    average = (f(x) - f(baseline)).abs() / torch.dist(x, baseline)
    return steepness / average


RIGHT = {
    "00.1": to_share,
    "00.2": residual,
    "00.3": strongest_pixel,
    "01.1": finite_difference,
    "01.2": first_order,
    "01.3": saliency,
    "02.1": unexplained,
    "02.2": occlusion,
    "02.3": scale_free,
}


def only_the_mean(values):
    return torch.tensor([values.abs().mean(dim=1).argmax(), values.abs().mean(dim=0).argmax()])


def nudged_for_good(f, x, feature, step):
    x[0, feature] += step
    right = f(x)
    x[0, feature] -= step
    return ((right - f(x)) / (2 * step))[0]


def halved(f, x, feature, step):
    nudge = torch.zeros_like(x)
    nudge[0, feature] = step
    return ((f(x + nudge) - f(x - nudge)) / 2 * step)[0]


def all_at_once(f, x, feature, step):
    nudge = torch.full_like(x, step)
    return ((f(x + nudge) - f(x - nudge)) / (2 * step))[0]


def never_put_back(f, x, baseline):
    before, falls = f(x).clone(), []
    for i in range(x.shape[1]):
        x[0, i] = baseline[0, i]
        falls.append(before - f(x))
    return torch.stack(falls).reshape(1, -1)


def step_by_step(f, x, baseline):
    falls, now = [], x.clone()
    for i in range(x.shape[1]):
        before = f(now)
        now[0, i] = baseline[0, i]
        falls.append(before - f(now))
    return torch.stack(falls).reshape(1, -1)


def zeroed(f, x, baseline):
    falls = []
    for i in range(x.shape[1]):
        changed = x.clone()
        changed[0, i] = 0
        falls.append(f(x) - f(changed))
    return torch.stack(falls).reshape(x.shape)


WRONG = [
    ("00.1", lambda f, x, b: f(x).sum(), "input alone"),
    ("00.1", lambda f, x, b: f(b)[0] - f(x)[0], "sign is turned round"),
    ("00.1", lambda f, x, b: f(x - b).item(), "difference of the two inputs"),
    ("00.1", lambda f, x, b: f(x) + f(b), "On function"),
    ("00.1", lambda f, x, b: f(x) / f(b), "On function"),
    ("00.1", lambda f, x, b: x - b, "one number is wanted"),
    ("00.2", lambda v, a, b: float(v.sum()) - a, "not with F(x)"),
    ("00.2", lambda v, a, b: a - b - float(v.sum()), "sign is turned round"),
    ("00.2", lambda v, a, b: v.mean() - (a - b), "averaged"),
    ("00.2", lambda v, a, b: v.abs().sum() - a + b, "added up sizes"),
    ("00.2", lambda v, a, b: v - (a - b), "one number is wanted"),
    ("00.2", lambda v, a, b: v.sum() - (a + b), "On values of shape (4,)"),
    ("00.2", lambda v, a, b: v.sum(dim=0) - (a - b), "On values of shape (3, 3) yours has shape (3,)"),
    ("00.3", lambda v: torch.tensor(np.unravel_index(v.numpy().argmax(), v.shape)), "strong and negative"),
    ("00.3", lambda v: v.abs().flatten().argmax(), "flat index"),
    (
        "00.3",
        lambda v: torch.tensor([int(v.abs().argmax()) % v.shape[1], int(v.abs().argmax()) // v.shape[1]]),
        "places",
    ),
    ("00.3", lambda v: torch.tensor(strongest_pixel(v)) + 1, "counted from one"),
    ("00.3", lambda v: divmod(int(v.abs().argmax()), v.shape[1]), "returns a tuple"),
    ("00.3", lambda v: v.abs().max(), "a tensor of shape (2,) is wanted"),
    ("01.1", halved, "On function 1"),
    ("01.1", all_at_once, "every feature at once"),
    ("01.1", lambda f, x, i, h: slope(f, x)[0, i], "your answer is off"),
    ("01.1", nudged_for_good, "On function 1"),
    ("01.1", lambda f, x, i, h: 2 * finite_difference(f, x, i, h), "two steps apart"),
    ("01.1", lambda f, x, i, h: -finite_difference(f, x, i, h), "right minus left"),
    ("01.1", lambda f, x, i, h: finite_difference(f, x, i, h) * 2 * h, "divided by the distance"),
    ("01.1", lambda f, x, i, h: (f(x + h * torch.eye(3)[i]) - f(x)) / h, "one side only"),
    ("01.1", lambda f, x, i, h: (f(x) - f(x - h * torch.eye(3)[i])) / h, "left side only"),
    ("01.2", lambda f, x, d: f(x + d) - f(x), "true change"),
    ("01.2", lambda f, x, d: f(x) + (slope(f, x) * d).sum(), "leave F(x) out"),
    ("01.2", lambda f, x, d: slope(f, x) * d, "Add them up"),
    ("01.2", lambda f, x, d: slope(f, x).sum(), "weight it with the step"),
    ("01.2", lambda f, x, d: (slope(f, x + d) * d).sum(), "wanted at x"),
    ("01.2", lambda f, x, d: (slope(f, x).abs() * d.abs()).sum(), "You took sizes"),
    ("01.2", lambda f, x, d: (slope(f, x) * d).mean(), "On function 1"),
    ("01.3", lambda f, x: slope(f, x), "with its sign"),
    ("01.3", lambda f, x: slope(f, x).pow(2), "squared"),
    ("01.3", lambda f, x: abs(slope(f, x) * x), "multiplied by the input"),
    ("01.3", lambda f, x: slope(f, x).abs() / slope(f, x).abs().amax(), "maximum of 1"),
    ("01.3", lambda f, x: slope(f, x).abs().sum(), "a tensor of shape (1, 3) is wanted"),
    ("01.3", lambda f, x: slope(f, x).abs()[0], "yours has shape (3,)"),
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum(), "what the gradient explains"),
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum() - f(x) + f(b), "sign is turned round"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * x).sum(), "multiplied the gradient by x"),
    ("02.1", lambda f, x, b: f(x) - (slope(f, x) * (x - b)).sum(), "what the baseline scores"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, b) * (x - b)).sum(), "gradient at the baseline"),
    ("02.1", lambda f, x, b: f(x) - f(b) - slope(f, x) * (x - b), "one number is wanted"),
    ("02.1", lambda f, x, b: unexplained(f, b, x), "On function 1"),
    ("02.2", never_put_back, "put back"),
    ("02.2", zeroed, "by 0"),
    ("02.2", step_by_step, "On function 1"),
    ("02.2", lambda f, x, b: -occlusion(f, x, b), "sign is turned round"),
    ("02.2", lambda f, x, b: f(x) - f(b + torch.eye(3) * (x - b)).reshape(1, -1), "other way round"),
    ("02.2", lambda f, x, b: f(x + torch.eye(3) * (b - x)).reshape(1, -1), "How far is that below F(x)?"),
    ("02.2", lambda f, x, b: f(x) - f(b), "a tensor of shape (1, 3) is wanted"),
    ("02.3", lambda f, x, b: torch.linalg.norm(slope(f, x)) * torch.linalg.norm(x - b), "left F(x) - F(x') out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() / (f(x) - f(b)).abs(), "left the distance out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / f(x).abs(), "divided by F(x)"),
    ("02.3", lambda f, x, b: (slope(f, x) ** 2).sum() * ((x - b) ** 2).sum() / (f(x) - f(b)).abs(), "square root"),
    ("02.3", lambda f, x, b: slope(f, x).norm(p=1) * (x - b).norm(p=1) / (f(x) - f(b)).abs(), "You added up sizes"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (f(b) - f(x)), "On function"),
    ("02.3", lambda f, x, b: slope(f, x).abs() * (x - b).norm() / (f(x) - f(b)).abs(), "one number is wanted"),
]


def test_every_exercise_is_put_to_a_right_answer_and_to_three_wrong_ones():
    assert set(RIGHT) == set(EXERCISES)
    for number in EXERCISES:
        assert sum(exercise == number for exercise, *_ in WRONG) >= 3


@EXERCISE
def test_an_answer_in_other_words_is_right(number):
    for seed in SEEDS:
        assert judge(EXERCISES[number], RIGHT[number], seed).state == "solved"


@EXERCISE
def test_the_solution_in_the_lesson_is_right(number):
    lesson = all_lessons([number[:2]])[0]
    cells = [cell.source for cell in lesson.read().cells if cell.cell_type == "code"]
    (call,) = (source for source in cells if source.startswith(f'check("{number}"'))
    name = re.search(r", (\w+)\)", call).group(1)
    names: dict = {}
    for source in cells:
        if source.startswith("import torch") or re.search(rf"^def {name}\(", source, re.MULTILINE):
            exec(source, names)
    for seed in SEEDS:
        assert judge(EXERCISES[number], names[name], seed).state == "solved"


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_a_wrong_answer_hears_what_is_wrong(number, answer, words):
    verdict = check(number, answer)
    assert verdict.state == "not yet"
    assert words in verdict.message


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
    pass


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
@pytest.mark.parametrize("kind", BAD_RETURNS)
def test_a_returned_value_of_the_wrong_kind_scores_nothing(number, kind):
    verdict = check(number, lambda *_: BAD_RETURNS[kind])
    assert verdict.state == "not yet"
    assert verdict.message


@EXERCISE
@pytest.mark.parametrize("make", [EqualTensor, lambda t: t.requires_grad_(), lambda t: t[None].expand(9, *t.shape)])
def test_a_wrong_tensor_scores_nothing_in_any_dress(number, make):
    wrong = wrong_by(EXERCISES[number], 0.5)
    assert check(number, lambda *a: make(wrong(*a).double())).state == "not yet"


@EXERCISE
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
def test_an_answer_that_writes_into_its_inputs_spoils_no_other_case(number):
    exercise = EXERCISES[number]

    def scribbles(*arguments):
        value = exercise.solution(*arguments)
        for argument in arguments:
            if isinstance(argument, torch.Tensor):
                argument.fill_(7.0)
        return value

    assert check(number, scribbles).state == "solved"
    assert check(number, exercise.solution).state == "solved"


@EXERCISE
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


@EXERCISE
def test_no_message_holds_the_right_numbers(number):
    exercise = EXERCISES[number]
    wrong = [mistake.answer for mistake in exercise.mistakes]
    wrong += [wrong_by(exercise, 0.5), lambda *_: None, lambda *_: float("nan"), lambda *_: torch.zeros(9)]
    if number == "00.3":
        pytest.skip("its answers are small whole numbers, as are the shapes in the words for its cases")
    for seed in SEEDS:
        draw = torch.Generator().manual_seed(seed)
        right = torch.cat([exercise.solution(*case.arguments).flatten() for case in exercise.cases(draw)]).tolist()
        for answer in wrong:
            message = judge(exercise, answer, seed).message
            assert not [value for value in right if f"{abs(value):.2g}" in message and "." in f"{abs(value):.2g}"]


def test_an_exercise_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"exercise is '99\.9'; there are 00\.1, 00\.2"):
        check("99.9", to_share)
