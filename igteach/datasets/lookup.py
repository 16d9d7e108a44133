"""Sequences of pairs, each a key with its value, and a key at the end: the value that it had comes next."""

from dataclasses import dataclass

import torch
from torch import Tensor

KEYS = tuple(f"k{number}" for number in range(16))
VALUES = tuple(f"v{number}" for number in range(16))
PAIRS = 6  # in a sequence; no key comes twice


@dataclass(frozen=True, eq=False)
class Lookups:
    """Sequences whose next token is decided by three of their tokens: the last key, the same key before, its value.

    Attributes:
        prompts: the sequences as text: "k3 v7 k1 v2 ... k3".
        answers: of each sequence the value that comes next.
        decides: (N, tokens), True where a token decides.
        kinds: of each place "key" or "value", and "asked" of the last.
    """

    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    decides: Tensor
    kinds: tuple[str, ...] = ("key", "value") * PAIRS + ("asked",)


def make_lookups(count: int, seed: int) -> Lookups:
    """Draw sequences.

    Args:
        count: how many.
        seed: of the draw.

    Returns:
        The sequences, with what decides.

    Example:
        >>> drawn = make_lookups(1, seed=0)
        >>> drawn.prompts[0], drawn.answers[0]
        ('k12 v8 k2 v12 k3 v10 k13 v1 k14 v6 k4 v7 k4', 'v7')
        >>> drawn.decides[0].nonzero()[:, 0].tolist()
        [10, 11, 12]
    """
    keys, values, asked = draw(count, torch.Generator().manual_seed(seed))
    rows = torch.arange(count)
    prompts, answers = [], []
    for some_keys, some_values, place in zip(keys.tolist(), values.tolist(), asked[:, 0].tolist(), strict=True):
        pairs = [f"{KEYS[key]} {VALUES[value]}" for key, value in zip(some_keys, some_values, strict=True)]
        prompts.append(" ".join([*pairs, KEYS[some_keys[place]]]))
        answers.append(VALUES[some_values[place]])
    decides = torch.zeros(count, 2 * PAIRS + 1, dtype=torch.bool)
    for places in (2 * asked[:, 0], 2 * asked[:, 0] + 1, torch.full((count,), 2 * PAIRS)):
        decides[rows, places] = True
    return Lookups(tuple(prompts), tuple(answers), decides)


def draw(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers of keys, of their values, and of the pairs in the order in which they are asked for.

    Args:
        count: how many sequences.
        generator: of random numbers.

    Returns:
        Three tensors (count, PAIRS): no key comes twice, values may; each pair is asked for once.
    """
    keys = torch.rand(count, len(KEYS), generator=generator).argsort(1)[:, :PAIRS]
    values = torch.randint(len(VALUES), (count, PAIRS), generator=generator)
    return keys, values, torch.rand(count, PAIRS, generator=generator).argsort(1)
