import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import igteach
from igteach.datasets import load_digits, load_patients
from igteach.methods import baselines
from igteach.models import digits, patients

DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()
SHAPES = {"vectors": (3, 6), "images": (3, 2, 5, 4)}


def classifier(shape, device="cpu", dtype=torch.float32):
    torch.manual_seed(0)
    features = torch.Size(shape[1:]).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(features, 8), nn.ReLU(), nn.Linear(8, 3))
    return igteach.probability(model.to(device, dtype).eval())


def every_baseline(f, x, dataset):
    return {
        "zero": baselines.zero(x),
        "constant": baselines.constant(x, 0.3),
        "mean": baselines.mean(x, dataset),
        "median": baselines.median(x, dataset),
        "sample": baselines.sample(x, dataset),
        "noise": baselines.noise(x, 0.1),
        "uniform": baselines.uniform(x),
        "blur": baselines.blur(x, 1.5),
        "neutral": baselines.neutral(f, x),
        "adversarial": baselines.adversarial(f, x, 0),
    }


@functools.cache
def read_digits():
    data = load_digits()
    score = igteach.probability(digits.load("cpu"))
    x = data.x_test[:40]
    return score, x, score(x).argmax(1), data


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_each_has_the_shape_dtype_and_device_of_x_and_leaves_x_as_it_was(shape, dtype, device):
    f = classifier(shape, device, dtype)
    x = torch.rand(shape, dtype=dtype).to(device)
    dataset, before = torch.rand(7, *shape[1:], dtype=dtype).to(device), x.clone()
    for name, baseline in every_baseline(f, x, dataset).items():
        assert (baseline.shape, baseline.dtype, baseline.device) == (x.shape, x.dtype, x.device), name
        assert not baseline.requires_grad, name
        baseline += 1
        assert torch.equal(x, before), name


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_batch_gives_what_its_rows_give_one_by_one(shape):
    f = classifier(shape, dtype=torch.float64)
    x, dataset = torch.rand(shape).double(), torch.rand(7, *shape[1:]).double()
    random = {"sample", "noise", "uniform"}
    alone = [every_baseline(f, row[None], dataset) for row in x]
    for name, baseline in every_baseline(f, x, dataset).items():
        if name not in random:
            torch.testing.assert_close(baseline, torch.cat([one[name] for one in alone]), rtol=1e-5, atol=1e-6)


def test_a_seed_gives_the_same_numbers_again_and_another_seed_others():
    x, dataset = torch.rand(4, 9), torch.rand(100, 9)
    draws = [lambda s: baselines.noise(x, 1.0, seed=s), lambda s: baselines.uniform(x, seed=s)]
    draws.append(lambda s: baselines.sample(x, dataset, seed=s))
    for draw in draws:
        torch.manual_seed(1)
        first = draw(5)
        torch.manual_seed(2)
        assert torch.equal(draw(5), first)
        assert not torch.equal(draw(6), first)


def test_zero_is_zero_in_every_feature():
    assert baselines.zero(torch.tensor([[-3.0, 1e38], [0.5, -0.0]])).tolist() == [[0.0, 0.0]] * 2


def test_mean_and_median_are_those_of_each_feature():
    dataset = torch.tensor([[1.0, 0.0], [2.0, 0.0], [9.0, 3.0]])
    x = torch.rand(4, 2)
    assert baselines.mean(x, dataset).tolist() == [[4.0, 1.0]] * 4
    assert baselines.median(x, dataset).tolist() == [[2.0, 0.0]] * 4


def test_samples_are_rows_of_the_dataset_and_every_row_comes_up():
    dataset = torch.arange(5.0)[:, None].expand(5, 3)
    drawn = baselines.sample(torch.zeros(200, 3), dataset)
    assert torch.equal(drawn, drawn[:, :1].expand(200, 3))
    assert set(drawn[:, 0].tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_noise_is_around_x_and_of_the_deviation_asked():
    x = torch.full((1, 100_000), 7.0)
    noisy = baselines.noise(x, 0.5)
    assert noisy.mean().item() == pytest.approx(7.0, abs=0.01)
    assert noisy.std().item() == pytest.approx(0.5, rel=0.02)


def test_uniform_fills_its_range_and_no_more():
    drawn = baselines.uniform(torch.zeros(1, 100_000), -1.0, 3.0)
    assert drawn.min() >= -1
    assert drawn.max() <= 3
    assert drawn.mean().item() == pytest.approx(1.0, abs=0.02)
    assert drawn.var().item() == pytest.approx(16 / 12, rel=0.02)


@given(
    shape=st.sampled_from([(1, 1), (2, 5), (2, 1, 3, 7), (1, 3, 1, 1)]),
    value=st.floats(-10, 10),
    sigma=st.floats(0.1, 20),
)
def test_a_blurred_constant_is_that_constant(shape, value, sigma):
    x = torch.full(shape, value, dtype=torch.float64)
    torch.testing.assert_close(baselines.blur(x, sigma), x)


def test_a_blurred_point_is_a_gaussian_in_both_directions_and_stays_in_its_channel():
    x = torch.zeros(1, 2, 41, 41, dtype=torch.float64)
    x[0, 0, 20, 20] = 1.0
    blurred = baselines.blur(x, 2.0)
    away = torch.arange(-20.0, 21.0, dtype=torch.float64)
    gaussian = torch.exp(-0.5 * (away[:, None] ** 2 + away**2) / 4) / (2 * torch.pi * 4)
    torch.testing.assert_close(blurred[0, 0], gaussian, rtol=0, atol=2e-4)  # cut off at three deviations
    assert blurred[0, 1].abs().max() == 0
    assert blurred.sum().item() == pytest.approx(1.0)


def test_more_blur_leaves_less_detail():
    x = torch.rand(1, 1, 12, 12)
    left = [baselines.blur(x, sigma).var().item() for sigma in (0.1, 1.0, 30.0)]
    assert left[0] == pytest.approx(x.var().item(), rel=1e-3)
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.01 * left[0]


class Standardised(nn.Module):
    """A network that takes pictures as they are, and standardises them itself."""

    def __init__(self, network, preprocess):
        super().__init__()
        self.network, self.preprocess = network, preprocess

    def forward(self, x):
        return self.network(self.preprocess(x))


def test_black_is_the_preprocessing_of_a_black_picture():
    centre, deviation = torch.tensor([0.5, 0.4]).view(2, 1, 1), torch.tensor([0.2, 0.3]).view(2, 1, 1)

    def preprocess(picture):
        return (picture - centre) / deviation

    f, picture = classifier((3, 2, 5, 4)), torch.rand(3, 2, 5, 4)
    x = preprocess(picture)
    black = baselines.constant(x, preprocess(torch.zeros(2, 1, 1)))
    torch.testing.assert_close(black, preprocess(torch.zeros_like(picture)))
    on_pictures = igteach.integrated_gradients(Standardised(f, preprocess), picture, 0.0, target=1).values
    torch.testing.assert_close(igteach.integrated_gradients(f, x, black, target=1).values, on_pictures)
    grey = igteach.integrated_gradients(f, x, baselines.constant(x), target=1).values
    assert not torch.allclose(grey, on_pictures, atol=1e-3)


def test_neutrality_is_the_largest_probability_less_an_even_share():
    p = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(baselines.opinion(nn.Identity(), p), torch.tensor([0.0, 0.45, 0.75]))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_neutrality_of_one_probability_is_its_distance_from_a_half(shape):
    p = torch.tensor([[0.5], [0.9], [0.2]])
    found = baselines.opinion(lambda x: x.reshape(-1, *shape[1:]), p)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.4, 0.3]))


def test_of_labels_that_do_not_exclude_one_another_one_is_asked_about():
    labels = torch.tensor([[0.9, 0.8, 0.1]])
    with pytest.raises(ValueError, match="ask about one: lambda x"):
        baselines.opinion(nn.Identity(), labels)
    torch.testing.assert_close(baselines.opinion(lambda x: x[:, 0], labels), torch.tensor([0.4]))


def linear(weight, bias):
    return lambda x: torch.sigmoid(x @ weight + bias)


def test_on_a_linear_model_the_neutral_input_is_the_nearest_one():
    torch.manual_seed(0)
    weight, bias, x = torch.randn(6).double(), 0.7, torch.randn(5, 6).double()
    nearest = x - ((x @ weight + bias) / weight.square().sum())[:, None] * weight
    found = baselines.neutral(linear(weight, bias), x, gap=1e-4)
    torch.testing.assert_close(found, nearest, rtol=0, atol=1e-3)


def test_on_a_linear_model_the_adversarial_input_lies_straight_down_the_slope_and_no_further_than_asked():
    torch.manual_seed(0)
    weight, bias, x = torch.randn(6).double(), 2.0, 0.3 * torch.randn(5, 6).double()
    moved = baselines.adversarial(linear(weight, bias), x, near_zero=0.01) - x
    straight = torch.nn.functional.cosine_similarity(moved, -weight[None])
    torch.testing.assert_close(straight, torch.ones(5).double())
    log_odds = x @ weight + bias
    least, most = ((log_odds - torch.tensor(p).logit()) / weight.norm() for p in (0.0101, 0.0049))
    assert ((least <= moved.norm(dim=1)) & (moved.norm(dim=1) <= most)).all()


@pytest.mark.parametrize("gap", [0.05, 0.01, 0.001])
def test_a_neutral_input_is_found_from_digits_and_from_flat_pictures(gap):
    score, x, _, data = read_digits()
    white, average = baselines.constant(x[:1], 1.0), baselines.mean(x[:1], data.x_train)
    for start in (x, white, average):
        assert (baselines.opinion(score, start) > 0.1).all()
        assert (baselines.opinion(score, baselines.neutral(score, start, gap)) <= gap).all()


def test_an_input_that_is_neutral_already_stays():
    score, x, *_ = read_digits()
    black = baselines.constant(x[:1])
    assert torch.equal(baselines.neutral(score, black), black)


def test_the_mean_patient_is_a_step_from_neutral():
    table = load_patients()
    score = igteach.probability(patients.load("cpu"))
    average = baselines.mean(table.x_test[:1], table.x_train)
    found = baselines.neutral(score, average, gap=0.01)
    assert baselines.opinion(score, found) <= 0.01 < baselines.opinion(score, average)
    assert ((found - average).abs() < table.x_train.std(0)).all()


def test_an_adversarial_digit_scores_near_zero_and_is_nearer_than_any_other_digit():
    score, x, label, data = read_digits()
    found = baselines.adversarial(score, x, label, near_zero=0.01)
    assert (score(found).gather(1, label[:, None]) <= 0.01).all()
    apart = torch.cdist(x.flatten(1), data.x_train.flatten(1))
    apart[data.y_train == label[:, None]] = torch.inf
    assert ((found - x).flatten(1).norm(dim=1) < apart.amin(1)).all()


def test_what_scores_near_zero_already_stays():
    x = torch.tensor([[-9.0], [-200.0], [3.0]])  # the second scores 0 to all digits
    found = baselines.adversarial(lambda x: torch.sigmoid(x[:, 0]), x)
    assert torch.equal(found[:2], x[:2])
    assert found[2] < -4


X, MANY = torch.rand(2, 6), torch.rand(5, 6)
LOGITS = nn.Linear(6, 3)
BAD = [
    (lambda: baselines.zero(X[0]), ValueError, r"x\[None\]"),
    (lambda: baselines.constant([1.0]), TypeError, "x is list"),
    (lambda: baselines.constant(X.byte()), TypeError, "x is torch.uint8"),
    (lambda: baselines.constant(X[0]), ValueError, r"x\[None\]"),
    (lambda: baselines.constant(X, torch.rand(4)), ValueError, r"baseline has shape \(4,\), which does not broadcast"),
    (lambda: baselines.constant(X, float("nan")), ValueError, "baseline holds NaN"),
    (
        lambda: baselines.mean(X, torch.rand(5, 1)),
        ValueError,
        r"dataset is \(5, 1\); for this x pass a tensor \(N, 6\)",
    ),
    (lambda: baselines.median(X, MANY[:0]), ValueError, r"dataset is \(0, 6\)"),
    (lambda: baselines.sample(X, MANY.tolist()), ValueError, "dataset is list"),
    (lambda: baselines.noise(X, -1.0), ValueError, "stdev is -1.0; pass a finite number above 0"),
    (lambda: baselines.blur(X, 0.0), ValueError, "sigma is 0.0"),
    (lambda: baselines.blur(X, float("nan")), ValueError, "sigma is nan"),
    (lambda: baselines.neutral(classifier((2, 6)), X, gap=0.0), ValueError, "gap is 0.0"),
    (lambda: baselines.adversarial(classifier((2, 6)), X, 0, near_zero=0), ValueError, "near_zero is 0"),
    (lambda: baselines.adversarial(classifier((2, 6)), X), ValueError, "target is missing"),
    (lambda: baselines.adversarial(LOGITS, 100 * X, 0), ValueError, r"pass probability\(model\)"),
    (lambda: baselines.adversarial(lambda x: torch.sigmoid(99 + x[:, 0]), X), ValueError, "rounds to 1"),
    (lambda: baselines.opinion(LOGITS, X), ValueError, r"wrap the model in probability\(\)"),
    (lambda: baselines.neutral(LOGITS, X), ValueError, r"wrap the model in probability\(\)"),
    (lambda: baselines.neutral(nn.Sequential(nn.Dropout(), LOGITS), X), ValueError, "train mode"),
    (lambda: baselines.neutral(lambda x: torch.sigmoid(60 + 0 * x[:, 0]), X), ValueError, "f has gone flat"),
    (
        lambda: baselines.neutral(lambda x: torch.sigmoid(2 + torch.relu(x[:, 0])), X),
        ValueError,
        "no such baseline found",
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
