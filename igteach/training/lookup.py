"""Trains the transformer that looks values up by their keys."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from igteach.datasets.lookup import KEYS, PAIRS, draw, make_lookups
from igteach.models.language import LanguageModel
from igteach.models.lookup import make, tokenizer
from igteach.training.cards import About, Card, table, write
from igteach.training.steps import take_step

STEPS = 1200
BATCH_SIZE = 128
PEAK_RATE = 0.003  # the highest learning rate of the one-cycle schedule
SEED = 1  # of the sequences to learn from
FRESH, COUNT = 3, 2000  # the seed of the sequences that judge, and how many

RECIPE = (
    f"Trained for {STEPS:,} steps on {BATCH_SIZE} fresh sequences each, AdamW with a one-cycle learning rate up to "
    f"{PEAK_RATE}. A sequence of {PAIRS} pairs is followed by all of its keys in random order, each with its value "
    "behind it; the loss is that of these values. Seed 0 for the weights, 1 for the sequences."
)
LEGEND = f"""\
Measured on {COUNT:,} sequences of seed {FRESH}, with one key at the end, as
`igteach.datasets.lookup.make_lookups` draws them.

- *accuracy*: the fraction of sequences where the likeliest next token is the value of that key.
- *mean probability*: that of this value.
"""
ABOUT = About(
    "tokens `k0` to `k15` and `v0` to `v15`, pairs of a key and its value, then a key. **Output**: for each position,\n"
    "  logits over the 34 tokens that may be next; meaningful behind the last key.",
    "The sequences are drawn by\n  `igteach.datasets.lookup.make_lookups`; nothing of anybody else's is in them.",
    LEGEND,
)


def train_lookup() -> None:
    """Write the model that looks values up."""
    network = fit()
    drawn = make_lookups(COUNT, FRESH)
    figures = table({"value": measure(LanguageModel(network, tokenizer()), drawn.prompts, drawn.answers)})
    write(Card("lookup", "lookup", "Lookup transformer", RECIPE, figures, ABOUT), network)
    print(figures)


def fit() -> nn.Module:
    """Train a network; returns it in eval mode."""
    torch.manual_seed(0)
    network = make()
    random = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=STEPS)
    for _ in range(STEPS):
        keys, values, order = draw(BATCH_SIZE, random)
        pairs = torch.stack([keys + 2, values + 2 + len(KEYS)], 2)  # [PAD] and [UNK] come first in the vocabulary
        asked = pairs.gather(1, order[..., None].expand_as(pairs))
        ids = torch.cat([pairs, asked], 1).flatten(1)
        logits = network(input_ids=ids[:, :-1]).logits[:, 2 * PAIRS :: 2]
        loss = cross_entropy(logits.flatten(0, 1), asked[..., 1].flatten())
        take_step(loss, optimizer, schedule)
    return network.eval()


@torch.no_grad()
def measure(model: LanguageModel, prompts: tuple[str, ...], answers: tuple[str, ...]) -> dict[str, float]:
    """How often, and how surely, the right value comes next."""
    ids = torch.cat([model.encode(prompt).ids for prompt in prompts])
    right = torch.tensor([model.token(answer) for answer in answers])
    chances = model.logits(ids)[:, -1].softmax(1)
    own = chances.gather(1, right[:, None])
    return {
        "accuracy": (chances.argmax(1) == right).double().mean().item(),
        "mean probability": own.double().mean().item(),
    }
