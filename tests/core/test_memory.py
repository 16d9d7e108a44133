"""Out of memory: half the rows at once, the same answer, one warning."""

import warnings

import pytest
import torch
from torch import nn

from igteach import expected_gradients, gradient, gradient_times_input, integrated_gradients

METHODS = [gradient, gradient_times_input, integrated_gradients]


class Small(nn.Module):
    """A network on a device that has room for so many rows."""

    def __init__(self, room):
        super().__init__()
        torch.manual_seed(0)
        self.room, self.layers, self.tries = room, nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), 0

    def forward(self, x):
        self.tries += 1
        if len(x) > self.room:
            raise torch.OutOfMemoryError("no room")
        return self.layers(x)


@pytest.mark.parametrize("room", [2, 3, 7])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_half_the_rows_give_the_same_answer_and_one_warning(method, room):
    x, target = torch.randn(9, 4), torch.randint(3, (9,))
    expected = method(Small(1000), x, target=target)
    f = Small(room)
    with pytest.warns(UserWarning, match=r"out of memory on cpu: continuing with \d rows at a time") as said:
        answer = method(f, x, target=target)
    assert len(said) == 1
    torch.testing.assert_close(answer.values, expected.values)
    torch.testing.assert_close(answer.f_input, expected.f_input)
    with warnings.catch_warnings():  # and it is remembered
        warnings.simplefilter("error")
        method(f, x, target=target)


def test_it_is_not_tried_in_vain_again_and_again():
    f = Small(8)
    with pytest.warns(UserWarning, match="8 rows"):
        integrated_gradients(f, torch.randn(1, 4), target=0, steps=640, batch_size=64)
    assert f.tries == 3 + 80 + 1  # 64, 32 and 16 at once; 8 at once; the ends


def test_samples_are_halved_too():
    with pytest.warns(UserWarning, match="out of memory"):
        answer = expected_gradients(Small(5), torch.randn(2, 4), torch.randn(20, 4), 1, samples=256)
    assert answer.evaluations == 256


def test_a_row_that_has_no_room_is_an_error():
    f = Small(2)
    x = torch.randn(1, 4)
    f(x)

    def never(points):
        if points.requires_grad:
            raise torch.OutOfMemoryError("no room")
        return f(points)

    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        integrated_gradients(never, x, target=1)


class Wide(nn.Module):
    """A network whose rows take 4 MiB for each tensor on their way."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.into = nn.Linear(4, 2**20)

    def forward(self, x):
        return self.into(x).tanh().mean(1)


@pytest.fixture
def small_card():
    """A CUDA card with room for 512 MiB more than there is on it."""
    torch.cuda.empty_cache()
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 2**29) / total)
    yield "cuda"
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")
def test_a_card_that_is_full_goes_on_with_fewer_rows_and_says_so(small_card):
    x, f = torch.tensor([[0.3, -1.0, 2.0, 0.5]], device=small_card), Wide().to(small_card)
    expected = integrated_gradients(f, x, steps=256, batch_size=4)
    with pytest.warns(UserWarning, match=r"out of memory on cuda:0: continuing with \d+ rows at a time") as said:
        answer = integrated_gradients(f, x, steps=256, batch_size=256)
    assert len(said) == 1
    torch.testing.assert_close(answer.values, expected.values)
    torch.testing.assert_close(answer.error_estimate, expected.error_estimate)
