import torch
from sklearn import datasets

from igteach.datasets import load_digits


def test_a_fifth_of_the_digits_is_held_out_and_none_is_lost_or_doubled():
    digits = load_digits()
    assert len(digits.y_test) == 360  # 1797 / 5, rounded up
    ours = torch.cat([digits.x_train, digits.x_test]).flatten(1) * 16
    theirs = torch.from_numpy(datasets.load_digits().data).float()
    assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))


def test_pictures_are_float32_between_black_and_white():
    digits = load_digits()
    for x, y in [(digits.x_train, digits.y_train), (digits.x_test, digits.y_test)]:
        assert x.shape == (len(y), 1, 8, 8)
        assert x.dtype == torch.float32
        assert y.dtype == torch.int64
        assert (x.min(), x.max()) == (0, 1)


def test_every_digit_gives_a_fifth_to_the_held_out_part():
    digits = load_digits()
    held_out, kept = digits.y_test.bincount(), digits.y_train.bincount()
    assert ((held_out - (held_out + kept) / 5).abs() < 1).all()


def test_labels_go_with_their_pictures():
    bunch = datasets.load_digits()
    label = {tuple(row): int(digit) for row, digit in zip(bunch.data.tolist(), bunch.target, strict=True)}
    digits = load_digits()
    found = [label[tuple(row)] for row in (digits.x_test.flatten(1) * 16).tolist()]
    assert found == digits.y_test.tolist()


def test_the_split_is_the_one_the_weights_were_trained_on():
    digits = load_digits()
    assert torch.equal(digits.x_test, load_digits().x_test)
    assert digits.y_test[:10].tolist() == [7, 6, 3, 7, 7, 3, 2, 8, 9, 3]
