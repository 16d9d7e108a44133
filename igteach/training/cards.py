"""Cards of the shipped networks: what each is, how it was made, and how well it does."""

import textwrap
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.datasets.shipped import data_folder, save_state

Figures = dict[str, float]

TEMPLATE = """\
# {card.title}

`{card.name}.safetensors`, written by `python -m igteach.training {card.command}`.

- **Network**: `{network}`, {parameters:,} parameters, float32.
- **Input**: {card.about.interface}
- **How made**: {how}
- **Licence**: the weights are MIT, as the code. {card.about.data}
- **SHA-256**: `{digest}`

## Figures

{card.figures}
{card.about.legend}"""


@dataclass(frozen=True)
class About:
    """What the cards of all networks for the same data have in common, in Markdown.

    Attributes:
        interface: what the network takes and gives.
        data: where the data are from, and their licence.
        legend: what each figure says.
    """

    interface: str
    data: str
    legend: str


@dataclass(frozen=True)
class Card:
    """What a card says of one network, but for what can be read off the network itself.

    Attributes:
        name: of the weights, NAME.safetensors.
        command: what to pass to `python -m igteach.training` to train it.
        title: of the card.
        how: how the network was made, as one paragraph.
        figures: a Markdown table, made by `table`.
        about: what it shares with other cards.
    """

    name: str
    command: str
    title: str
    how: str
    figures: str
    about: About


def table(columns: dict[str, Figures]) -> str:
    """Figures as a Markdown table.

    Args:
        columns: the figures of each network, by the heading of its column. All have the same keys.

    Returns:
        A table with one row for each figure, to four decimals.

    Example:
        >>> print(table({"value": {"accuracy": 0.975}}))
        | | value |
        |---|---|
        | accuracy | 0.9750 |
        <BLANKLINE>
    """
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    first, *_ = columns.values()
    for name in first:
        cells = [f"{figures[name]:.4f}" for figures in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def fraction_complete(attribution: Attribution) -> float:
    """The fraction of examples that add up to F(x) - F(x') within 5%.

    Args:
        attribution: of a method with a baseline.

    Returns:
        A number from 0 to 1.

    Example:
        >>> import torch
        >>> values, f_input = torch.tensor([[2.0, 1.0], [2.0, 0.5]]), torch.tensor([3.0, 3.0])
        >>> fraction_complete(Attribution(values, f_input, f_baseline=torch.zeros(2), evaluations=1))
        0.5
    """
    residual = cast(Tensor, attribution.relative_residual)
    return (residual < ROUGHLY_BELOW).double().mean().item()


def write(card: Card, network: nn.Module, state: dict[str, Tensor] | None = None) -> None:
    """Save a network to the data folder, list its SHA-256, and write its card.

    Args:
        card: what the card says.
        network: the trained network.
        state: the tensors to ship, by name; None means all that the network's `state_dict` holds.
    """
    if state is None:
        state = network.state_dict()
    digest = save_state(card.name, state)
    text = TEMPLATE.format(
        card=card,
        network=f"{type(network).__module__}.{type(network).__name__}",
        parameters=sum(value.numel() for value in state.values() if value.is_floating_point()),
        how=textwrap.fill(card.how, 118, initial_indent=" " * 16, subsequent_indent="  ").lstrip(),
        digest=digest,
    )
    path = data_folder() / f"{card.name}.md"
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {path}")
