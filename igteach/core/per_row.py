"""What goes with each row of f beside its features: the number asked for, and f's further arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Arguments = tuple[Any, ...] | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class PerRow:
    """The target and the further arguments of f, for some rows.

    Attributes:
        target: On the CPU: the class of each row, (rows,), or where the number stands in a row's output, (rows, axes).
            None where f gives one number a row.
        arguments: What f gets after its inputs. A tensor has an entry for each row; anything else goes into every call.
        keywords: The same, by name.
    """

    target: Tensor | None = None
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, rows: slice | Tensor) -> "PerRow":
        """Those of some of the rows."""
        return self._each(lambda entries: entries[rows.to(entries.device) if isinstance(rows, Tensor) else rows])

    def of(self, example: int, rows: int) -> "PerRow":
        """Those of one example, for so many rows."""
        return self._each(lambda entries: entries[example : example + 1].expand(rows, *entries.shape[1:]))

    def repeat(self, times: int) -> "PerRow":
        """Those of so many copies of the rows, one copy after the other."""
        return self._each(lambda entries: torch.cat([entries] * times))

    def and_first(self) -> "PerRow":
        """Those of the rows, and of the first once more."""
        return self._each(lambda entries: torch.cat([entries, entries[:1]]))

    def outside_inference(self) -> "PerRow":
        """The same, without tensors that autograd rejects."""
        return self._each(lambda entries: entries.clone() if entries.is_inference() else entries)

    def call(self, f: Callable[..., Any], points: Tensor) -> Any:
        """What f returns for the rows."""
        return f(points, *self.arguments, **self.keywords)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "PerRow":
        def changed(value: Any) -> Any:
            return change(value) if isinstance(value, Tensor) else value

        keywords = {name: changed(value) for name, value in self.keywords.items()}
        return PerRow(changed(self.target), tuple(map(changed, self.arguments)), keywords)
