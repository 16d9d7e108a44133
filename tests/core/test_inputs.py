"""Inputs as users have them: several at once, tables, further arguments of f, outputs of many forms, index targets."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import IntegratedGradients, Saliency
from sklearn.linear_model import LinearRegression
from torch import nn

import igteach

SHAPES = ((2, 3), (4,))
METHODS = {
    "gradient": igteach.gradient,
    "gradient_times_input": igteach.gradient_times_input,
    "smoothgrad": partial(igteach.smoothgrad, stdev=0.1, samples=3),
    "smoothed IG": partial(igteach.smoothgrad, stdev=0.1, samples=2, method=igteach.integrated_gradients, steps=5),
    "integrated_gradients": igteach.integrated_gradients,
    "12 steps": partial(igteach.integrated_gradients, steps=12, batch_size=5),
    "guided": partial(igteach.guided_integrated_gradients, legs=4, steps=12),
    "shapley": igteach.shapley_values,
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


class TwoInputs(nn.Module):
    """Three classes from a picture and a vector that multiply each other; a scale and an offset of each example."""

    def __init__(self):
        super().__init__()
        self.picture, self.vector, self.out = nn.Linear(6, 5), nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, picture, vector, scale=None, offset=0.0):
        hidden = torch.tanh(self.picture(picture.flatten(1))) * self.vector(vector)
        out = self.out(hidden)
        return (out if scale is None else scale[:, None] * out) + offset


@pytest.fixture(scope="module")
def f():
    torch.manual_seed(0)
    return TwoInputs().double().eval()


@pytest.fixture(scope="module")
def x():
    random = torch.Generator().manual_seed(1)
    return tuple(torch.randn(3, *shape, generator=random, dtype=torch.float64) for shape in SHAPES)


def joined(inputs):
    return torch.cat([each.flatten(1) for each in inputs], 1)


def of_one(f):
    """f as a function of one tensor with both inputs in it."""
    return lambda rows, *more: f(rows[:, :6].view(-1, 2, 3), rows[:, 6:], *more)


@every_method
def test_a_tuple_and_a_dict_get_the_values_of_one_tensor_with_all_of_it(f, x, method):
    target = torch.tensor([0, 2, 1])
    expected = method(of_one(f), joined(x), target=target).values
    of_tuple = method(f, x, target=target)
    assert [tuple(each.shape) for each in of_tuple.values] == [(3, 2, 3), (3, 4)]
    torch.testing.assert_close(joined(of_tuple.values), expected)
    of_dict = method(f, {"vector": x[1], "picture": x[0]}, target=target).values
    assert list(of_dict) == ["vector", "picture"]
    if method is not METHODS["smoothgrad"] and method is not METHODS["smoothed IG"]:  # the noise has another order
        torch.testing.assert_close(joined([of_dict["picture"], of_dict["vector"]]), expected)


def test_several_inputs_agree_with_captum(f, x):
    ones = tuple(torch.ones_like(each[:1]) for each in x)
    answer = igteach.integrated_gradients(f, x, ones, target=1, steps=50, rule="gauss_legendre")
    for ours, theirs in zip(answer.values, IntegratedGradients(f).attribute(x, ones, target=1), strict=True):
        torch.testing.assert_close(ours, theirs)
    slopes = Saliency(f).attribute(x, target=1, abs=False)
    torch.testing.assert_close(igteach.gradient(f, x, target=1).values, slopes)


def test_each_input_keeps_its_dtype_and_f_gets_what_it_was_given():
    seen = []

    def f(single, double):
        seen.append((single.dtype, double.dtype, single.is_contiguous(), single.shape[1:]))
        return (single.double().sum((1, 2)) * double.square().sum(1)).float()

    x = torch.ones(2, 3, 2), torch.ones(2, 4, dtype=torch.float64)
    single, double = igteach.integrated_gradients(f, x).values
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    assert set(seen) == {(torch.float32, torch.float64, True, torch.Size([3, 2]))}


@every_method
@pytest.mark.parametrize("by_name", [False, True])
def test_further_arguments_go_with_their_example(f, x, method, by_name):
    scale, offset = torch.tensor([2.0, -1.0, 0.5]).double(), 7.0
    arguments = {"scale": scale, "offset": offset} if by_name else (scale, offset)
    answer = method(f, x, target=1, arguments=arguments)
    whole = method(f, x, target=1)
    for values, alone, factor in zip(joined(answer.values), joined(whole.values), scale, strict=True):
        torch.testing.assert_close(values, factor * alone, rtol=0.02, atol=1e-6)  # of a tolerance: cut elsewhere
    torch.testing.assert_close(answer.f_input, f(*x, scale, offset)[:, 1])


def test_further_arguments_go_with_their_example_along_a_path_of_ones_own():
    x, mask = torch.rand(3, 2, 4), torch.tensor([[1.0, 0], [0, 1], [1, 1]])

    def f(x, mask):
        return (x.square().sum(2) * mask).sum(1)

    answer = igteach.path_gradients(f, torch.stack([0 * x, x]), arguments=(mask,), steps=8, batch_size=5)
    torch.testing.assert_close(answer.values, x.square() * mask[..., None])


def test_expected_gradients_take_several_inputs(f, x):
    random = torch.Generator().manual_seed(2)
    backgrounds = tuple(torch.randn(5, *shape, generator=random, dtype=torch.float64) for shape in SHAPES)
    answer = igteach.expected_gradients(f, x, backgrounds, target=1, samples=50)
    one = igteach.expected_gradients(of_one(f), joined(x), joined(backgrounds), target=1, samples=50)
    torch.testing.assert_close(joined(answer.values), one.values)
    with pytest.raises(ValueError, match=r"baselines\[1\] has shape \(5, 3\); pass \(k, \*\(4,\)\)"):
        igteach.expected_gradients(f, x, (backgrounds[0], backgrounds[1][:, :3]), target=1)


# --- tables


def test_a_table_gives_its_names_to_the_answer_whatever_the_method():
    frame = pd.DataFrame({"age": [0.5, 1.0], "weight": [2.0, 3.0]})
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    plain = torch.tensor(frame.to_numpy(), dtype=torch.float32)
    for name, method in METHODS.items():
        answer = method(model, frame, baseline=None if name == "gradient" else frame.mean())
        assert answer.feature_names == ("age", "weight")
        torch.testing.assert_close(answer.values, method(model, plain, plain.mean(0)).values)
    of_array = igteach.integrated_gradients(model, frame.to_numpy(), frame.to_numpy()[:1])
    torch.testing.assert_close(of_array.values, igteach.integrated_gradients(model, plain, plain[:1]).values)


def test_an_embedding_beside_a_table():
    def f(words, table):
        return words.sum((1, 2)) * table[:, 0]

    answer = igteach.integrated_gradients(f, (torch.ones(2, 3, 4), pd.DataFrame({"age": [1.0, 2.0]})))
    torch.testing.assert_close(answer.values[1], torch.tensor([[6.0], [12.0]], dtype=torch.float64))


# --- outputs and targets


def test_a_segmentation_takes_an_index_for_each_example_or_for_all():
    torch.manual_seed(0)
    f, x = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh()), torch.rand(2, 1, 4, 5)
    together = igteach.integrated_gradients(f, x, target=(1, 2, 3), steps=9)
    torch.testing.assert_close(together.f_input, f(x)[:, 1, 2, 3])
    places = torch.tensor([[1, 2, 3], [0, 0, 4]])
    apart = igteach.integrated_gradients(f, x, target=places, steps=9)
    torch.testing.assert_close(apart.values[0], together.values[0])
    one = igteach.integrated_gradients(lambda x: f(x)[:, 0, 0, 4], x, steps=9)
    torch.testing.assert_close(apart.values[1], one.values[1])
    for target in (1, (1, 2), (2, 0, 0), (0, 0, 5)):
        with pytest.raises(ValueError, match=r"but f returns shape \(\d, 2, 4, 5\); pass a tuple of 3 indices"):
            igteach.integrated_gradients(f, x, target=target)
    with pytest.raises(ValueError, match=r"target is missing.*tuple of 3 indices"):
        igteach.gradient(f, x)


@pytest.mark.parametrize(
    ("wrapped", "output"),
    [
        (lambda out: (None, out), 1),
        (lambda out: {"out": out, "aux": 2 * out}, "out"),
        (lambda out: SimpleNamespace(scores=out), "scores"),
    ],
    ids=["tuple", "dict", "object"],
)
def test_an_output_is_chosen_and_the_advice_to_do_so_works(wrapped, output):
    model, x = nn.Linear(3, 2), torch.ones(1, 3)
    expected = igteach.gradient(igteach.probability(model), x, target=1).values
    for f in (lambda x: wrapped(model(x)), igteach.logit(lambda x: wrapped(model(x)))):
        with pytest.raises(TypeError, match=rf"choose one, as in logit\(model, output={output!r}\)"):
            igteach.gradient(f, x, target=1)
    f = igteach.probability(lambda x: wrapped(model(x)), output=output)
    torch.testing.assert_close(igteach.gradient(f, x, target=1).values, expected)
    with pytest.raises(ValueError, match="output is 'other', and the model returned"):
        igteach.gradient(igteach.logit(lambda x: wrapped(model(x)), output="other"), x, target=1)


@pytest.mark.parametrize("last", [nn.Softmax(dim=1), nn.Sigmoid()])
def test_a_softmax_is_not_taken_twice(last):
    model = nn.Sequential(nn.Linear(3, 2 if isinstance(last, nn.Softmax) else 1), last)
    x, target = torch.rand(2, 3), 1 if isinstance(last, nn.Softmax) else None
    functions = [model] if isinstance(last, nn.Sigmoid) else [model, lambda x: model(x)]
    for each in functions:
        for method in (igteach.gradient, igteach.integrated_gradients):
            with pytest.raises(ValueError, match=r"probabilities already; pass logit\(model\)"):
                method(igteach.probability(each), x, target=target)
        igteach.integrated_gradients(igteach.logit(each), x, target=target)


def test_a_softmax_inside_a_model_is_none_of_its_output():
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.out, self.softmax = nn.Linear(3, 2), nn.Softmax(dim=1)

        def forward(self, x):
            return self.out(x * self.softmax(x))

    igteach.gradient(igteach.probability(Attends()), torch.rand(2, 3), target=1)


def test_logits_that_come_near_a_sum_of_one_are_no_probabilities():
    weight = torch.tensor([[0.3, 0.7001]])
    igteach.gradient(igteach.probability(lambda x: x * weight), torch.ones(1, 2), target=1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_softmax_over_many_classes_is_found_in_any_precision(dtype):
    f = igteach.probability(lambda x: (30 * torch.sin(torch.arange(1000) * x)).softmax(1).to(dtype))
    with pytest.raises(ValueError, match="probabilities already"):
        igteach.gradient(f, torch.rand(3, 1), target=1)


# --- what is refused

BY_COLUMNS = METHODS | {"expected gradients": partial(igteach.expected_gradients, samples=4)}
WEIGHTS = torch.tensor([3.0, 1.0, -2.0], dtype=torch.float64)
NAMED = pd.DataFrame({"rain": [1.0, 2.0], "sun": [2.0, 0.5], "wind": [1.0, 3.0]})


def weigh(rows):
    return (rows * WEIGHTS).sum(1)


def turned(baseline):
    return baseline[["wind", "sun", "rain"]]


def renamed(baseline):
    return baseline.rename({"wind": "snow"}, axis="columns" if baseline.ndim == 2 else "index")


@pytest.mark.parametrize("method", BY_COLUMNS)
@pytest.mark.parametrize("change", [turned, renamed])
def test_a_baseline_with_the_columns_of_another_table_is_refused(method, change):
    is_many = method == "expected gradients"
    for baseline in [NAMED / 2] if is_many else [NAMED / 2, NAMED.mean()]:
        found = change(baseline)
        names = list(found.columns if found.ndim == 2 else found.index)
        words = f"has the columns {str(names)[1:-1]}, and x has 'rain', 'sun', 'wind'; pass those of x, in its order"
        with pytest.raises(ValueError, match=f"^baselines? {words}$"):
            BY_COLUMNS[method](weigh, NAMED, found)
        wanted = BY_COLUMNS[method](weigh, NAMED, torch.tensor(baseline.to_numpy()))
        torch.testing.assert_close(BY_COLUMNS[method](weigh, NAMED, baseline).values, wanted.values)


@pytest.mark.parametrize("method", [name for name in BY_COLUMNS if name != "expected gradients"])
def test_a_baseline_without_names_goes_with_every_table(method):
    plain = pd.Series([0.5, 1.0, 2.0])
    wanted = BY_COLUMNS[method](weigh, NAMED, torch.tensor(plain.to_numpy())).values
    for baseline in (plain, pd.DataFrame([plain])):
        torch.testing.assert_close(BY_COLUMNS[method](weigh, NAMED, baseline).values, wanted)


def test_a_model_of_scikit_learn_hears_of_what_takes_it():
    model = LinearRegression().fit(np.eye(3), [1.0, 2.0, 3.0])
    for method in (igteach.integrated_gradients, igteach.gradient, igteach.shapley_values):
        with pytest.raises(TypeError, match=r"^f is LinearRegression; pass a model or function of PyTorch, ") as caught:
            method(model, NAMED)
        for advised in ("igteach.tree_integrated_gradients", "igteach.shapley_values takes a function of a batch"):
            assert advised in str(caught.value)
    with pytest.raises(TypeError, match=r"^f is int; pass a model or a function of a batch$"):
        igteach.integrated_gradients(3, NAMED)


def test_whole_numbers_among_several_inputs_hear_of_float():
    def f(picture, scale):
        return picture.sum((1, 2)) * scale.sum(1)

    picture, scale = torch.arange(6).view(1, 2, 3), torch.ones(1, 4)
    with pytest.raises(TypeError, match=r"^x\[0\] is torch\.int64, .* pass x\[0\]\.float\(\) where it is a picture"):
        igteach.gradient(f, (picture, scale))
    assert igteach.gradient(f, (picture.float(), scale)).values[0].eq(4).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f, x: igteach.gradient(f, ()), ValueError, "x is empty"),
        (lambda f, x: igteach.gradient(f, (x[0], x[1][:2])), ValueError, r"x\[1\] has 2 examples, x\[0\] has 3"),
        (lambda f, x: igteach.gradient(f, (x[0], x[1].long())), TypeError, r"pass x\[1\]\.float\(\) .*arguments"),
        (lambda f, x: igteach.gradient(f, {"picture": x[0] / 0}), ValueError, r"x\['picture'\] holds NaN"),
        (lambda f, x: igteach.gradient(f, x, (0.0,)), ValueError, "baseline has 1 inputs, x has 2; pass one for each"),
        (
            lambda f, x: igteach.gradient(f, {"a": x[0], "b": x[1]}, {"a": 0.0, "c": 0.0}),
            ValueError,
            r"baseline has the inputs \('a', 'c'\), x has \('a', 'b'\); pass one for each",
        ),
        (lambda f, x: igteach.gradient(f, x, x[0]), TypeError, "baseline is Tensor; x is a tuple: pass a tuple"),
        (lambda f, x: igteach.gradient(f, x, {"a": 0.0}), TypeError, "baseline is dict; x is a tuple"),
        (
            lambda f, x: igteach.gradient(f, x, (0.0, torch.ones(3, 5).double())),
            ValueError,
            r"baseline\[1\] has shape \(3, 5\), which does not broadcast",
        ),
        (lambda f, x: igteach.gradient(f, x, target=0, arguments=x[0]), TypeError, "arguments is Tensor; pass a tuple"),
        (
            lambda f, x: igteach.gradient(f, x, target=0, arguments=(torch.ones(2),)),
            ValueError,
            r"arguments\[0\] has shape \(2,\), and x has 3 examples",
        ),
        (
            lambda f, x: igteach.gradient(f, x, target=(0, 1)),
            ValueError,
            r"target is \(0, 1\), but f returns 3 classes",
        ),
        (lambda f, x: igteach.gradient(f, x, target=()), TypeError, "target is tuple; pass an int"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(f, x, call, error, words):
    with pytest.raises(error, match=words):
        call(f, x)


def test_indices_of_an_embedding_are_told_from_other_integers():
    model = nn.Sequential(nn.Embedding(9, 3), nn.Flatten(), nn.Linear(6, 2))
    with pytest.raises(TypeError, match=r"indices of an embedding.*layer_integrated_gradients"):
        igteach.integrated_gradients(model, torch.tensor([[1, 2]]), target=0)
    with pytest.raises(TypeError, match=r"pass x\.float\(\)"):
        igteach.integrated_gradients(nn.Linear(2, 2), torch.tensor([[1, 2]]), target=0)


def test_a_function_that_holds_on_to_the_batch_is_told_of_arguments():
    x, labels = torch.rand(4, 3), torch.tensor([0, 1, 1, 0])
    with pytest.raises(ValueError, match="batch_size") as caught:
        igteach.integrated_gradients(lambda x: -nn.functional.nll_loss(x, labels, reduction="none"), x)
    assert "arguments=(mask, lengths)" in caught.value.__notes__[0]
    answer = igteach.integrated_gradients(
        lambda x, labels: -nn.functional.nll_loss(x, labels, reduction="none"), x, arguments=(labels,)
    )
    torch.testing.assert_close(answer.values, x * nn.functional.one_hot(labels, 3))


def test_a_picture_without_a_batch_axis_is_told_of_it():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(72, 2))
    with pytest.raises(RuntimeError) as caught:
        igteach.integrated_gradients(model, torch.rand(3, 8, 8), target=0)
    assert "x[None]" in caught.value.__notes__[0]


def test_a_mask_that_all_examples_share_belongs_in_f():
    mask = torch.tensor([1.0, 0.0, 1.0])
    answer = igteach.gradient(lambda x: (x * mask).sum(1), torch.ones(5, 3))
    np.testing.assert_array_equal(answer.values.numpy(), mask.expand(5, 3).numpy())
