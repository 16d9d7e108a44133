"""From a model to F, and the inputs that every method refuses because they would give wrong answers quietly."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from igteach import gradient, gradient_times_input, integrated_gradients, logit, probability, toy
from igteach.core.evaluation import frozen_parameters

METHODS = [gradient, gradient_times_input, integrated_gradients]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)

NET = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5))
X = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
NAN, INF = float("nan"), float("inf")


def square(x):
    return (x**2).sum(1)


def train_mode(*layers):
    return nn.Sequential(nn.Flatten(), nn.Linear(3, 4), *layers).train()


# --- models


def test_probability_is_softmax_over_classes_and_sigmoid_for_one_output():
    logits = torch.tensor([[1.0, 3.0], [0.0, 0.0]])
    torch.testing.assert_close(probability(lambda x: x)(logits), logits.softmax(1))
    torch.testing.assert_close(probability(lambda x: x[:, :1])(logits), logits[:, :1].sigmoid())
    torch.testing.assert_close(probability(lambda x: x[:, 0])(logits), logits[:, 0].sigmoid())


def test_logit_is_the_model_itself_also_where_it_wraps_its_logits():
    assert torch.equal(logit(NET)(X), NET(X))
    wrapped = logit(lambda x: SimpleNamespace(logits=NET(x)))
    assert torch.equal(wrapped(X), NET(X))
    assert torch.equal(probability(wrapped)(X), NET(X).softmax(1))


def test_toy_applies_a_function_of_scalars_to_each_row():
    f = toy(lambda x, y: x * y + 1)
    assert f(torch.tensor([[2.0, 3.0], [0.0, 5.0]])).tolist() == [7.0, 1.0]
    assert toy(lambda x, y: min(x, y) if x > 0 else 9.0)(torch.tensor([[2.0, 3.0], [-1.0, 0.0]])).tolist() == [2.0, 9.0]


@every_method
def test_a_constant_toy_gives_zeros(method):
    assert torch.equal(method(toy(lambda x, y: 4.0), torch.ones(2, 2)).values, torch.zeros(2, 2))


@every_method
@pytest.mark.parametrize("leak", [math.exp, float, lambda x: x.item() ** 2, lambda x: x.tolist(), lambda x: x.numpy()])
def test_a_toy_that_leaves_autograd_is_refused_rather_than_given_a_zero_gradient(method, leak):
    with pytest.raises(TypeError, match=r"toy function makes x a plain number.*torch\.exp"):
        method(toy(leak), torch.ones(1, 1))


@every_method
@pytest.mark.parametrize(
    ("f", "x", "words"),
    [
        (toy(lambda x, y: x * y), torch.ones(2, 3), "x has 3 features a row.*too many"),
        (toy(lambda x, y: x * y), torch.ones(2, 1), "x has 1 features a row.*missing.*'y'"),
        (toy(lambda x, y: x * y), torch.ones(2, 2, 2), r"x has shape \(\d, 2, 2\).*\(batch, features\)"),
    ],
)
def test_a_toy_says_which_rows_it_takes(method, f, x, words):
    with pytest.raises(ValueError, match=words):
        method(f, x)


def test_toy_refuses_what_is_no_function():
    with pytest.raises(TypeError, match="function is 3"):
        toy(3)


# --- x and the baseline


@every_method
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.bool])
def test_an_input_without_gradient_is_refused(method, dtype):
    with pytest.raises(TypeError, match=rf"x is {dtype}, which has no gradient.*pass x\.float\(\)"):
        method(square, torch.ones(2, 3).to(dtype))
    with pytest.raises(TypeError, match=rf"baseline is {dtype}"):
        method(square, torch.ones(2, 3), torch.zeros(2, 3).to(dtype))


@every_method
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ([[1.0, 2.0]], TypeError, "x is list; pass a tensor, array or DataFrame"),
        (torch.ones(2, 3).to(torch.complex64), TypeError, r"x is torch.complex64; pass torch\.view_as_real\(x\)"),
        (torch.ones(2, 3).to_sparse(), TypeError, r"x is torch.sparse_coo; pass x\.to_dense\(\)"),
        (torch.ones(3), ValueError, r"x has shape \(3,\).*\(batch, \*features\).*x\[None\]"),
        (torch.tensor(1.0), ValueError, r"x has shape \(\)"),
        (torch.ones(0, 3), ValueError, r"x has shape \(0, 3\)"),
    ],
)
def test_an_input_that_is_no_batch_of_a_tensor_is_refused(method, x, error, words):
    with pytest.raises(error, match=words):
        method(square, x)


@every_method
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_nan_and_infinity_are_refused_in_x_and_in_the_baseline(method, bad):
    x = X.clone()
    x[1, 2] = bad
    with pytest.raises(ValueError, match="x holds NaN or infinity"):
        method(square, x)
    with pytest.raises(ValueError, match="baseline holds NaN or infinity"):
        method(square, X, x)
    with pytest.raises(ValueError, match="baseline holds NaN or infinity"):
        method(square, X, bad)


@every_method
@pytest.mark.parametrize("shape", [(2,), (3, 3), (2, 3, 1), (4, 2, 3)])
def test_a_baseline_that_does_not_broadcast_is_refused(method, shape):
    words = r"baseline has shape \({}.*does not broadcast to x's \(2, 3\)".format(", ".join(map(str, shape)))
    with pytest.raises(ValueError, match=words):
        method(square, X, torch.zeros(shape))


@every_method
@pytest.mark.parametrize("baseline", [True, "black", [0.0, 0.0, 0.0]])
def test_a_baseline_that_is_neither_number_nor_tensor_is_refused(method, baseline):
    with pytest.raises(TypeError, match=f"baseline is {type(baseline).__name__}; pass a tensor"):
        method(square, X, baseline)


def test_a_baseline_is_a_number_or_broadcasts():
    expected = gradient_times_input(square, X, torch.full((2, 3), 0.5)).values
    for baseline in (0.5, torch.tensor(0.5), torch.full((3,), 0.5), torch.full((1, 3), 0.5), torch.full((2, 1), 0.5)):
        assert torch.equal(gradient_times_input(square, X, baseline).values, expected)
    assert torch.equal(gradient_times_input(square, X, 0).values, gradient_times_input(square, X).values)


@every_method
def test_a_distance_that_overflows_gives_an_error_and_no_nan(method):
    x = torch.full((1, 2), 6e4, dtype=torch.float16)
    if method is gradient:
        assert torch.isfinite(gradient(lambda z: z.sigmoid().sum(1), x, -6e4).values).all()
        return
    with pytest.raises(ValueError, match=r"attributions overflow torch\.float16"):
        method(lambda z: z.sigmoid().sum(1), x, -6e4)


# --- the target


@every_method
@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        (5, ValueError, "target is 5, but f returns 5 classes; pass 0..4"),
        (torch.tensor([0, 9]), ValueError, "target is 9, but f returns 5 classes"),
        (-1, ValueError, "target is -1; classes count from 0"),
        (torch.tensor([0, -2]), ValueError, "target is -2; classes count from 0"),
        (None, ValueError, "target is missing: f returns 5 classes; pass 0..4"),
        (torch.tensor([0, 1, 2]), ValueError, r"target has shape \(3,\); for 2 examples pass an int or \(2,\)"),
        (torch.tensor(1), ValueError, r"target has shape \(\)"),
        (1.0, TypeError, "target is float; pass an int, a tensor of ints"),
        (torch.tensor([0.0, 1.0]), TypeError, r"target is torch\.float32"),
        (torch.tensor([True, False]), TypeError, r"target is torch\.bool"),
        (True, TypeError, "target is bool"),
        ([0, 1], TypeError, "target is list"),
        ("cat", TypeError, "target is str"),
    ],
)
def test_a_target_that_names_no_class_is_refused(method, target, error, words):
    with pytest.raises(error, match=words):
        method(NET, X, target=target)


@every_method
def test_a_target_for_a_scalar_f_is_refused(method):
    with pytest.raises(ValueError, match="target was given, but f returns one number a row"):
        method(square, X, target=0)


@every_method
def test_one_column_needs_no_target_and_takes_target_0(method):
    column = NET[:2].append(nn.Linear(4, 1))
    assert torch.equal(method(column, X).values, method(column, X, target=0).values)


# --- f


@every_method
@pytest.mark.parametrize("f", [None, 3, "model", torch.ones(3)])
def test_an_f_that_cannot_be_called_is_refused(method, f):
    with pytest.raises(TypeError, match=f"f is {type(f).__name__}; pass a model or a function of a batch"):
        method(f, X)


@every_method
@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (
            lambda x: x.sum(),
            ValueError,
            r"f returned shape \(\) for \d rows; it must return \(\d,\) or \(\d, classes\)",
        ),
        (lambda x: x.sum(0), ValueError, r"f returned shape \(3,\) for \d rows"),
        (lambda x: x[:, None], ValueError, r"f returns shape \(\d, 1, 3\); pass a tuple of 2 indices"),
        (probability(lambda x: x.sum()), ValueError, r"f returned shape \(\)"),
        (probability(lambda x: x[:, None]), ValueError, r"f returns shape \(\d, 1, 3\); pass a tuple of 2 indices"),
        (lambda x: (square(x),), TypeError, "f returned tuple"),
        (lambda x: x.detach().numpy().sum(1), TypeError, "f returned ndarray"),
        (lambda x: SimpleNamespace(logits=x), TypeError, "SimpleNamespace.*logit.model, output='logits'"),
        (lambda x: x.argmax(1), TypeError, r"f returned torch\.int64, which has no gradient"),
    ],
)
def test_an_f_that_returns_no_score_a_row_is_refused(method, f, error, words):
    with pytest.raises(error, match=words):
        method(f, X)


@every_method
@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x.log().sum(1), "f returned NaN or infinity"),
        (lambda x: 1 / (x * 0).sum(1), "f returned NaN or infinity"),
        (
            lambda x: ((x - x.mean(0)) / x.std(0)).sum(1),
            "batch statistic|must treat each row independently",
        ),
        (lambda x: (x * 0).abs().sqrt().sum(1), "gradient of f holds NaN or infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore:std")
def test_nan_in_F_or_in_its_gradient_is_refused(method, f, words):
    with pytest.raises(ValueError, match=words):
        method(f, X)


def test_nan_met_only_on_the_way_from_baseline_to_x_is_refused():
    def pole_at_one(x):
        return 1 / (x - 1).sum(1)

    with pytest.raises(ValueError, match="f returned NaN or infinity"):
        integrated_gradients(pole_at_one, torch.full((1, 1), 2.0), steps=1)


def no_grad(x):
    with torch.no_grad():
        return square(x)


@every_method
@pytest.mark.parametrize(
    "f",
    [
        no_grad,
        lambda x: square(x.detach()),
        lambda x: torch.from_numpy(x.detach().numpy()).sum(1),
        lambda x: NET(torch.ones_like(x))[:, 0],  # depends on its parameters, which require grad, and not on x
    ],
    ids=["no_grad", "detach", "numpy", "input unused"],
)
def test_a_detached_graph_is_refused(method, f):
    with pytest.raises(ValueError, match=r"f's output does not depend on x for autograd.*no_grad.*\.detach\(\).*numpy"):
        method(f, X)


MODES_THAT_MATTER = [
    nn.Dropout(0.5),
    nn.AlphaDropout(0.1),
    nn.BatchNorm1d(4),
    nn.RReLU(),
    nn.TransformerEncoderLayer(4, 2, batch_first=True),
    nn.Sequential(nn.Sequential(nn.Dropout1d(0.2))),
    nn.GRU(4, 4, num_layers=2, dropout=0.3),
    nn.MultiheadAttention(4, 2, dropout=0.1),
    nn.InstanceNorm1d(4, track_running_stats=True),
]


@every_method
@pytest.mark.parametrize("layer", MODES_THAT_MATTER, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("wrap", [lambda model: model, probability, logit])
def test_a_layer_in_train_mode_is_refused_by_name(method, layer, wrap):
    with pytest.raises(ValueError, match=r"f is in train mode, and its layer '(model\.)?2.*call \.eval\(\)"):
        method(wrap(train_mode(layer)), X, target=0)


@every_method
@pytest.mark.parametrize("layers", [[], [nn.Dropout(0.0)], [nn.ReLU(), nn.LayerNorm(4)]])
def test_train_mode_without_a_layer_that_minds_is_fine(method, layers):
    model = train_mode(*layers)
    in_train = method(model, X, target=0).values
    assert torch.equal(in_train, method(model.eval(), X, target=0).values)


@every_method
@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(4)])
def test_eval_mode_is_fine_and_leaves_running_statistics_alone(method, layer):
    model = train_mode(layer).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    method(model, X, target=0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


WEIGHTED = nn.Linear(3, 1)


def batch_norm_by_hand(x):
    return ((x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()).sum(1)


@every_method
@pytest.mark.parametrize(
    "f",
    [
        lambda x: square(x - x.mean(0)),
        batch_norm_by_hand,
        nn.Sequential(
            nn.Unflatten(1, (1, 1, 3)), nn.BatchNorm2d(1, track_running_stats=False), nn.Flatten(), WEIGHTED
        ).eval(),
        lambda x: square(x).softmax(0),
        lambda x: square(x) + torch.arange(len(x)),
        lambda x: square(nn.functional.dropout(x, 0.5, training=True)),
        lambda x: square(x) + 0.01 * torch.randn(len(x)),
    ],
    ids=["mean", "batch norm by hand", "batch norm in eval", "softmax over rows", "position", "dropout", "noise"],
)
def test_rows_that_depend_on_one_another_or_on_chance_are_refused(method, f):
    torch.manual_seed(0)
    with pytest.raises(
        ValueError, match=r"f gives .* for (a row alone|a row beside two others) and .*; f must treat each row"
    ):
        method(f, X)


@every_method
def test_rows_that_come_to_depend_on_one_another_after_a_call_are_seen_at_the_next(method):
    layer = nn.Dropout(0.5)
    network = nn.Sequential(nn.Linear(X[0].numel(), 64), layer, nn.Linear(64, 1), nn.Flatten(0)).to(X).eval()
    method(network, X)
    layer.forward = lambda x: nn.functional.dropout(x, 0.5, training=True)
    with pytest.raises(ValueError, match="must treat each row independently"):
        method(network, X)


@every_method
def test_a_network_computes_in_full_precision_and_the_setting_stays_the_callers(method, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seen = []

    def f(x):
        seen.append(torch.backends.cudnn.allow_tf32)
        return square(x)

    method(f, X)
    assert set(seen) == {False}
    assert torch.backends.cudnn.allow_tf32


@every_method
def test_rounding_that_differs_with_the_size_of_the_batch_is_no_dependence(method):
    def cancelling(x):
        """The sum of each row, from the left where the row is alone, else from the right."""
        return sum((x if len(x) == 1 else x.flip(1)).unbind(1))

    x = torch.tensor([[1e4, 1e-3, -1e4, 1e-3]])
    assert cancelling(x) != cancelling(x.repeat(2, 1))[0]
    assert torch.isfinite(method(cancelling, x).values).all()


# --- what the caller keeps


@every_method
@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("target", [1, torch.tensor([1, 4])])
def test_the_answer_does_not_depend_on_the_callers_grad_mode(method, context, target):
    expected = method(NET, X, target=target).values
    with context():
        assert torch.equal(method(NET, X, target=target).values, expected)
        assert torch.equal(method(NET, X.clone(), torch.zeros(3), target).values, expected)


@every_method
@pytest.mark.parametrize("requires_grad", [True, False])
def test_the_callers_tensors_and_model_are_left_as_they_were(method, requires_grad):
    x, baseline = X.clone().requires_grad_(requires_grad), torch.full((3,), 0.1, requires_grad=requires_grad)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5)).requires_grad_(requires_grad)
    before = [parameter.clone() for parameter in model.parameters()]
    answer = method(model, x, baseline, 2)
    assert torch.equal(x, X)
    assert torch.equal(baseline, torch.full((3,), 0.1))
    for tensor in (x, baseline, *model.parameters()):
        assert tensor.requires_grad is requires_grad
        assert tensor.grad is None
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))
    assert not any(tensor.requires_grad for tensor in (answer.values, answer.f_input))


@every_method
def test_a_model_that_works_in_place_gets_the_right_answer_and_leaves_x_alone(method):
    def network(inplace):
        torch.manual_seed(0)
        return nn.Sequential(nn.ReLU(inplace), nn.Linear(3, 1))

    x, baseline = X.clone(), -torch.ones(2, 3)
    expected = method(network(False), X, -1.0).values
    torch.testing.assert_close(method(network(True), x, baseline).values, expected)
    assert torch.equal(x, X)
    assert torch.equal(baseline, -torch.ones(2, 3))


@every_method
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_answer_comes_in_the_dtype_and_shape_of_x(method, dtype):
    x = torch.linspace(-1, 1, 24).view(2, 3, 4).to(dtype)
    answer = method(lambda x: (x**2).flatten(1).sum(1), x, 0.5)
    assert answer.values.dtype == dtype
    assert answer.values.shape == x.shape
    assert answer.f_input.shape == (2,)


@every_method
def test_no_difference_between_baseline_and_x_gives_numbers(method):
    answer = method(square, torch.zeros(2, 3))
    assert torch.equal(answer.values, torch.zeros(2, 3))
    assert "nan" not in repr(answer)
    if method is not gradient:
        assert answer.relative_residual.tolist() == [0.0, 0.0]
        assert answer.verdict == "complete"


# --- parameters


def partly_frozen():
    network = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    network[0].bias.requires_grad_(False)
    network[2].weight.grad = torch.ones(1, 6)
    return network


def test_parameters_need_no_gradient_during_a_call_and_are_as_before_after_it():
    network, seen = partly_frozen(), set()
    before = [(p.requires_grad, p.grad) for p in network.parameters()]
    network[1].register_forward_hook(lambda *_: seen.add(any(p.requires_grad for p in network.parameters())))
    answer = integrated_gradients(network, torch.ones(2, 4))
    assert seen == {True, False}  # True in the forward passes without autograd
    assert [(p.requires_grad, p.grad) for p in network.parameters()] == before
    network.requires_grad_(False)
    assert torch.equal(integrated_gradients(network, torch.ones(2, 4)).values, answer.values)
    assert not any(p.requires_grad for p in network.parameters())


def test_parameters_are_as_before_after_an_error():
    network = partly_frozen()
    network[1].register_forward_hook(lambda _, inputs, __: 1 / 0 if inputs[0].requires_grad else None)
    before = [(p.requires_grad, p.grad) for p in network.parameters()]
    with pytest.raises(ZeroDivisionError):
        integrated_gradients(network, torch.ones(2, 4))
    assert [(p.requires_grad, p.grad) for p in network.parameters()] == before


@pytest.mark.parametrize("first_out", [0, 1])
def test_parameters_are_as_before_when_two_threads_leave_in_either_order(first_out):
    network = partly_frozen()
    before = [p.requires_grad for p in network.parameters()]
    threads = [frozen_parameters(network), frozen_parameters(network)]
    for thread in threads:
        thread.__enter__()
    threads[first_out].__exit__(None, None, None)
    assert not any(p.requires_grad for p in network.parameters())
    threads[1 - first_out].__exit__(None, None, None)
    assert [p.requires_grad for p in network.parameters()] == before


def test_a_recurrent_layer_in_eval_mode_is_not_left_to_cudnn_which_has_no_gradient_there():
    seen = []

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 1)

        def forward(self, x):
            if x.requires_grad:
                seen.append(torch.backends.cudnn.enabled)
            return self.head(self.lstm(x)[0][:, -1])

    before = torch.backends.cudnn.enabled
    answer = integrated_gradients(Reader().eval(), torch.randn(1, 3, 4))
    assert answer.converged.all()
    assert set(seen) == {False}
    assert torch.backends.cudnn.enabled == before
