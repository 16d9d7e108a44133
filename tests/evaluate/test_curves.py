"""Deletion and insertion: closed forms, an exhaustive search, a plain loop, texts, controls and errors."""

import itertools

import pytest
import torch
from torch import nn

import igteach
from igteach.datasets import load_digits
from igteach.evaluate import (
    agreement,
    deletion,
    edges,
    insertion,
    random_gradients,
    random_numbers,
    token_deletion,
    token_insertion,
)
from igteach.models import digits
from igteach.models import text as texts

WEIGHTS = torch.tensor([3.0, -2.0, 0.5, 1.0, -0.25]).double()


def linear(x):
    return x @ WEIGHTS.to(x)


@pytest.fixture
def x():
    return torch.tensor([[1.0, 2.0, -4.0, 0.5, 3.0], [0.2, -1.0, 1.0, 2.0, 0.1]]).double()


def area_by_hand(x, order):
    """Of linear F against zero, features deleted one by one in this order: a plain sum of trapezoids."""
    left = [float((x * WEIGHTS)[list(order[k:])].sum()) for k in range(len(order) + 1)]
    return sum((a + b) / 2 for a, b in itertools.pairwise(left)) / len(order)


def test_ig_of_a_linear_model_is_the_best_of_all_120_orders(x):
    values = igteach.integrated_gradients(linear, x).values
    least = [min(area_by_hand(row, order) for order in itertools.permutations(range(5))) for row in x]
    most = [max(area_by_hand(row, order) for order in itertools.permutations(range(5))) for row in x]
    assert deletion(linear, x, values).area.tolist() == pytest.approx(least)
    assert deletion(linear, x, -values).area.tolist() == pytest.approx(most)


def test_each_point_of_a_curve_is_f_of_what_is_left(x):
    curves = deletion(linear, x, x * WEIGHTS, 1.0)
    shares = x[0] * WEIGHTS
    for k, order in enumerate([[], [0], [0, 3], [0, 3, 4], [0, 3, 4, 2], [0, 3, 4, 2, 1]]):
        left = shares.clone()
        left[order] = WEIGHTS[order]
        assert curves.values[0, k].item() == pytest.approx(left.sum().item())
    assert curves.fraction.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_insertion_is_deletion_with_the_ends_exchanged(x):
    values = igteach.integrated_gradients(linear, x, 1.0).values
    brought = insertion(linear, x, values, 1.0)
    assert torch.equal(brought.values, deletion(linear, torch.ones_like(x), values, x).values)
    assert torch.allclose(brought.values[:, 0], linear(torch.ones_like(x)))
    assert torch.allclose(brought.values[:, -1], linear(x))


def test_the_area_is_the_mean_of_f_on_the_way():
    ones = torch.ones(1, 8).double()
    falling = deletion(lambda x: x.mean(1), ones, torch.rand(1, 8).double())
    assert falling.values[0].tolist() == pytest.approx([1 - k / 8 for k in range(9)])
    assert falling.area.item() == pytest.approx(0.5)
    first = torch.zeros(1, 8).double()
    first[0, 3] = 1
    assert deletion(lambda x: x[:, 3], ones, first).area.item() == pytest.approx(1 / 16)
    assert insertion(lambda x: x[:, 3], ones, first).area.item() == pytest.approx(1 - 1 / 16)


def test_a_constant_model_has_flat_curves_whatever_the_map():
    x = torch.rand(3, 2, 4, 4)
    for curves in (deletion, insertion):
        found = curves(lambda x: 0 * x.sum((1, 2, 3)) + 0.7, x, torch.randn_like(x))
        assert found.area.tolist() == pytest.approx([0.7] * 3)


def test_the_channels_of_a_pixel_go_together_and_count_by_their_sum():
    x = torch.rand(1, 3, 2, 2) + 1
    values = torch.zeros(1, 3, 2, 2)
    values[0, :, 1, 0] = torch.tensor([5.0, -4.0, 0.5])  # 1.5 in all
    values[0, :, 0, 1] = torch.tensor([0.4, 0.4, 0.4])
    curves = deletion(lambda x: (x == 0).sum((1, 2, 3)) * 1.0 + 0 * x.sum((1, 2, 3)), x, values)
    assert curves.values[0].tolist() == [0, 3, 6, 9, 12]
    gone = deletion(lambda x: x[:, :, 1, 0].sum(1), x, values).values[0]
    assert (gone[1:] == 0).all()
    assert gone[0] > 0


def test_chance_takes_the_mean_of_all_orders_and_random_maps_get_it(x):
    orders = itertools.permutations(range(5))
    expected = torch.tensor([area_by_hand(x[0], order) for order in orders]).mean().item()
    many = x[:1].repeat(4000, 1)
    found = deletion(linear, many, random_numbers(linear, many).values).area
    assert found.mean().item() == pytest.approx(expected, abs=5 * found.std().item() / 4000**0.5)
    assert found.std() > 0.1


def test_a_map_of_nothing_is_ordered_by_lot_and_not_by_place():
    x = torch.ones(1, 64)
    place = deletion(lambda x: x[:, :8].sum(1), x, torch.zeros(1, 64))
    assert place.values[0, 8] > 0  # in order of place the first 8 would be gone


def test_rows_are_judged_one_by_one(x):
    values = igteach.integrated_gradients(linear, x).values
    together, alone = deletion(linear, x, values, 1.0), deletion(linear, x[1:], values[1:], 1.0)
    assert torch.equal(together.values[1:], alone.values)


def test_a_digit_agrees_with_a_plain_loop_over_its_pixels():
    network = digits.load("cpu")
    x = load_digits().x_test[:3]
    target = network(x).argmax(1)
    f = igteach.probability(network)
    answer = igteach.integrated_gradients(f, x, target=target)
    curves = deletion(f, x, answer.values, 0.3, target, steps=64)
    for row in range(3):
        left, found = x[row : row + 1].clone(), []
        pixels = answer.values[row].flatten().tolist()
        for pixel in [None, *sorted(range(64), key=lambda i: -pixels[i])]:
            if pixel is not None:
                left.view(-1)[pixel] = 0.3
            found.append(network(left).softmax(1)[0, target[row]].item())
        settled = [
            k
            for k in range(65)
            if k in (0, 64) or sorted(pixels, reverse=True)[k - 1] != sorted(pixels, reverse=True)[min(k, 63)]
        ]
        assert len(settled) > 20  # beside ties, whose order is by lot
        assert [curves.values[row, k].item() for k in settled] == pytest.approx([found[k] for k in settled], abs=1e-5)


def test_fewer_steps_give_the_same_curve_at_fewer_points(x):
    fine, coarse = (deletion(linear, x, x, steps=steps) for steps in (99, 2))
    assert len(fine.fraction) == 6
    assert coarse.fraction.tolist() == pytest.approx([0, 0.4, 1])
    assert torch.equal(coarse.values, fine.values[:, [0, 2, 5]])


@pytest.fixture(scope="module")
def reader():
    return texts.load("sentiment_zh", "cpu")


def test_the_tokens_of_a_text_go_one_by_one(reader):
    answer = igteach.token_attribution(reader, "这家酒店很差", "negative")
    curves = token_deletion(reader, answer)
    assert curves.values.shape == (1, len([word for word in answer.words if word is not None]) + 1)
    assert curves.values[0, 0].item() == pytest.approx(answer.evidence.f_input.item(), abs=1e-5)
    assert curves.values[0, -1].item() == pytest.approx(answer.evidence.f_baseline.item(), abs=1e-5)
    brought = token_insertion(reader, answer)
    assert brought.values[0, -1].item() == pytest.approx(answer.evidence.f_input.item(), abs=1e-5)
    assert token_deletion(reader, answer, -curves_scores(answer)).area >= curves.area


def curves_scores(answer):
    return answer.scores[torch.tensor([word is not None for word in answer.words])]


def test_a_dropped_token_is_left_out_of_the_text(reader):
    answer = igteach.token_attribution(reader, "这家酒店很差", "negative")
    scores = torch.tensor([1.0, 2, 3, 4, 5, 6])  # the last goes first
    curves = token_deletion(reader, answer, scores, "drop")
    for k, left in enumerate(["这家酒店很差", "这家酒店很", "这家酒店", "这家酒"]):
        assert curves.values[0, k].item() == pytest.approx(reader.probabilities([left])[0, 0].item(), abs=1e-5)


def test_a_padded_answer_and_one_alone_give_the_same_curve(reader):
    both = igteach.token_attribution(reader, ["很差", "这家酒店真的很好"], "negative")
    alone = igteach.token_attribution(reader, "很差", "negative")
    assert torch.allclose(token_deletion(reader, both[0]).values, token_deletion(reader, alone).values, atol=1e-4)


def test_controls_know_nothing_of_the_model():
    x = torch.rand(2, 3, 8, 8)
    models = [nn.Sequential(nn.Flatten(), nn.Linear(192, 2)) for _ in range(2)]
    for control in (random_numbers, random_gradients, edges):
        one, other = (control(model, x, 0.5, 1) for model in models)
        assert torch.equal(one.values, other.values)
        assert not torch.allclose(one.f_input, other.f_input)
        assert one.residual is None
    assert random_gradients(models[0], x, x, 0).values.abs().max() == 0
    assert (
        abs(
            agreement(random_numbers(models[0], x, 0, 0).values, random_numbers(models[0], x, 0, 0, seed=1).values)
        ).max()
        < 0.5
    )


def test_edges_stand_at_the_step_and_are_none_where_nothing_changes():
    x = torch.zeros(2, 3, 8, 8)
    x[0, :, :, 4:] = 1
    values = edges(lambda x: x.sum((1, 2, 3)), x).values.sum(1)
    assert values[1].abs().max() == 0
    assert (values[0, :, 3:5] > 0.1).all()
    assert values[0, :, [0, 1, 6, 7]].abs().max() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, t: deletion(linear, x, x[:1]), r"values is \(1, 5\)"),
        (lambda x, t: deletion(linear, x, None), "values is NoneType"),
        (lambda x, t: insertion(linear, x, x, steps=0), "steps"),
        (lambda x, t: deletion(linear, x, x, torch.ones(3).double()), "baseline has shape"),
        (lambda x, t: edges(linear, x), "edges are for pictures"),
        (
            lambda x, t: token_deletion(t, igteach.token_attribution(t, "很差"), torch.ones(3)),
            r"scores of shape \(3,\)",
        ),
        (lambda x, t: token_deletion(t, igteach.token_attribution(t, "很差"), None, "none"), "choose one of pad, mask"),
    ],
)
def test_what_does_not_fit_is_named(call, message, x, reader):
    with pytest.raises(ValueError, match=message):
        call(x, reader)
