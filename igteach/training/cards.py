"""Cards of the shipped networks: what each is, how it was made, and how it fares."""

import textwrap
from dataclasses import dataclass

from torch import Tensor, nn

from igteach.datasets.shipped import data_folder, save_state

Figures = dict[str, float]

CARD = """\
# {title}

`{name}.safetensors`, written by `python -m igteach.training.train {command}`.

- **Network**: `{network}`, {parameters:,} parameters, float32.
- **Input**: {about.interface}
- **How made**: {how}
- **Licence**: the weights are MIT, as the code. {about.data}
- **SHA-256**: `{digest}`

## Figures

{figures}
{about.legend}"""


@dataclass(frozen=True)
class About:
    """What cards of networks for the same data share."""

    interface: str
    data: str
    legend: str


def table(columns: dict[str, Figures]) -> str:
    """Figures as a Markdown table, one column a network."""
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name in next(iter(columns.values())):
        rows.append(f"| {name} | {' | '.join(f'{figures[name]:.4f}' for figures in columns.values())} |")
    return "\n".join(rows) + "\n"


def write(
    name: str,
    command: str,
    network: nn.Module,
    title: str,
    how: str,
    figures: str,
    about: About,
    state: dict[str, Tensor] | None = None,
) -> None:
    """Saves the network, or `state` where that is what is shipped of it, and its card."""
    state = network.state_dict() if state is None else state
    digest = save_state(name, state)
    card = CARD.format(
        title=title,
        name=name,
        command=command,
        network=f"{type(network).__module__}.{type(network).__name__}",
        parameters=sum(value.numel() for value in state.values() if value.is_floating_point()),
        how=textwrap.fill(how, 118, initial_indent=" " * 16, subsequent_indent="  ").lstrip(),
        digest=digest,
        figures=figures,
        about=about,
    )
    path = data_folder() / f"{name}.md"
    path.write_text(card, encoding="utf-8", newline="\n")
    print(f"wrote {path}")
