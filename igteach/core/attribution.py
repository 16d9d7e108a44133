"""What every attribution method returns: the values, and how far they can be trusted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from igteach.core.answer_export import to_dataframe, to_numpy
from igteach.core.answer_file import read_fields, write_fields

if TYPE_CHECKING:
    from pandas import DataFrame

COMPLETE_BELOW = 0.01  # a residual under 1% of F(x) - F(x') counts as complete
ROUGHLY_BELOW = 0.05  # under 5%, the bar of Sundararajan, Taly and Yan (2017), as roughly complete
SMALLEST_DIFFERENCE = 1e-3  # of F and of the sum of |values|: a smaller F(x) - F(x') is not divided by

Values = Tensor | tuple[Tensor, ...] | dict[str, Tensor]


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """The attributions of a batch, with the evidence for and against them.

    Attributes:
        values: The share of each feature, in the shape and dtype of x and the units of F. (For a plain gradient, in
            units of F per unit of x.) A tuple or dict of tensors where x is one.
        f_input: F(x), (batch,).
        f_baseline: F(x'), (batch,), or None for a method without a baseline.
        evaluations: Gradients spent on each example: an int, or (batch,) where it differs between them.
        error_estimate: The L1 error to expect in an example's values, over the L1 norm of the true ones: (batch,), or
            None where the method has no estimate. 0.05 is 5%.
        converged: Whether each example's estimate is below the tolerance asked for: (batch,), or None where no
            tolerance was given.
        path_values: For each example the alphas of its path from 0 to 1, and F there, in float64 on the CPU:
            (2, points). None where a method has no path.
        feature_names: The names of the features, in the order of the last axis of values, or None.

    Raises:
        TypeError: values is neither a tensor nor a tuple or dict of tensors, or feature_names not strings.
        ValueError: values holds NaN or infinity, its tensors have different batches, or feature_names does not fit.

    Example:
        >>> import igteach, torch
        >>> answer = igteach.integrated_gradients(igteach.toy(lambda x, y: x * y), torch.ones(1, 2))
        >>> answer.values.sum(1) == answer.f_input - answer.f_baseline
        tensor([True])
        >>> answer
        Attribution(residual +0, 0.0% of F(x) - F(x'), error below 1%: complete; shape (1, 2), 9 gradients an example)
    """

    values: Any  # Values: the form of x, which no type checker knows
    f_input: Tensor
    f_baseline: Tensor | None
    evaluations: int | Tensor
    error_estimate: Tensor | None = field(default=None, kw_only=True)
    converged: Tensor | None = field(default=None, kw_only=True)
    path_values: tuple[Tensor, ...] | None = field(default=None, kw_only=True)
    feature_names: tuple[str, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        tensors = leaves(self.values)
        for tensor in tensors:
            if not all_finite(tensor):
                raise ValueError(
                    f"the attributions overflow {tensor.dtype}: x - baseline, or its product with the gradient, is "
                    "too large; pass x nearer to the baseline, or x and the model in float64"
                )
        if len(tensors) > 1 and len({tensor.shape[:1] for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(f"values holds tensors of shape {shapes}; pass tensors with one batch axis, the first")
        self._check_feature_names()

    def _check_feature_names(self) -> None:
        if self.feature_names is None:
            return
        names = self.feature_names
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"feature_names is {names!r}; pass a tuple of strings, such as tuple(map(str, names))")
        if not isinstance(self.values, Tensor):
            raise ValueError(
                f"feature_names has {len(names)} names, and values is a {type(self.values).__name__}; names are for "
                "the last axis of a single tensor: leave them out"
            )
        if self.values.dim() < 2 or self.values.shape[-1] != len(names):
            raise ValueError(
                f"feature_names has {len(names)} names, and values has shape {tuple(self.values.shape)}; pass a name "
                "for each place of its last axis"
            )

    @property
    def residual(self) -> Tensor | None:
        """What the values miss (batch,), values.sum() - (F(x) - F(x')). None for a method without a baseline."""
        if self.f_baseline is None:
            return None
        total = _sums(self.values, torch.positive)
        return (total - (self.f_input - self.f_baseline)).to(self.f_input.dtype)

    @property
    def relative_residual(self) -> Tensor | None:
        """|residual| over |F(x) - F(x')| (batch,), finite also where that difference is zero; or None."""
        if self.residual is None or self.f_baseline is None:
            return None
        l1 = l1_norm(self.values)
        f_input, f_baseline = self.f_input.to(l1), self.f_baseline.to(l1)
        scale = torch.stack([f_input.abs(), f_baseline.abs(), l1]).amax(0)
        floor = (SMALLEST_DIFFERENCE * scale).clamp_min(torch.finfo(l1.dtype).tiny)
        return (self.residual.abs() / torch.maximum((f_input - f_baseline).abs(), floor)).to(self.f_input)

    @property
    def verdict(self) -> str:
        """Whether the worst example can be trusted, in words.

        A small residual alone proves nothing, because errors of opposite sign cancel in it: the estimate counts, too.
        """
        if self.relative_residual is None:
            return "a gradient: promises no completeness"
        worst = self.relative_residual.max().item()
        if worst >= ROUGHLY_BELOW:
            return "NOT complete: do not read it as shares of F(x) - F(x')"
        if self.error_estimate is not None and self.error_estimate.max().item() >= ROUGHLY_BELOW:
            return "adds up, but single shares are NOT settled: take more steps or samples"
        return "complete" if worst < COMPLETE_BELOW else "roughly complete"

    def __repr__(self) -> str:
        if self.residual is not None and self.relative_residual is not None:
            evidence = self._evidence(self.residual, self.relative_residual)
            return f"Attribution({evidence}: {self.verdict}; {self._cost()})"
        return f"Attribution(no residual; {self.verdict}; {self._cost()})"

    def example(self, number: int) -> "Attribution":
        """The answer for one example of the batch, as a batch of one.

        Args:
            number: of the example; negative numbers count from the end.

        Returns:
            An Attribution with the same fields.

        Raises:
            ValueError: there is no such example.

        Example:
            >>> answer = Attribution(torch.eye(2), torch.ones(2), torch.zeros(2), 1)
            >>> answer.example(1).values
            tensor([[0., 1.]])
        """
        batch = len(leaves(self.values)[0])
        if isinstance(number, bool) or not isinstance(number, int) or not -batch <= number < batch:
            raise ValueError(f"example is {number!r}, and the answer has {batch}; pass 0 to {batch - 1}")
        one = slice(number % batch, number % batch + 1)

        def cut(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: tensor[one] for name, tensor in value.items()}
            return tuple(tensor[one] for tensor in value) if isinstance(value, tuple) else value[one]

        whole = ("feature_names",) if isinstance(self.evaluations, Tensor) else ("feature_names", "evaluations")
        cuts = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in whole}
        cuts = {name: None if value is None else cut(value) for name, value in cuts.items()}
        if self.path_values is not None:
            cuts["path_values"] = self.path_values[one]
        return replace(self, **cuts)

    def numpy(self) -> Any:
        """The values as a NumPy array, or as a tuple or dict of arrays where values is one.

        Returns:
            The array, in the dtype of values; bfloat16, which NumPy lacks, becomes float32.

        Example:
            >>> Attribution(torch.ones(1, 2), torch.ones(1), None, 1).numpy()
            array([[1., 1.]], dtype=float32)
        """
        return to_numpy(self.values)

    def to_dataframe(self) -> "DataFrame":
        """The values as a pandas DataFrame. Needs pandas: pip install pandas.

        Returns:
            For values (batch, features): a row for each example and a column for each feature, by its name if it has
            one. For any others, such as pictures, a long table: a row for each share, with the columns `example`,
            `axis_1`, `axis_2`, ... (its place; with feature_names the last is `feature`, the name) and `share`. For
            several inputs, the long tables one below another, with the column `input`.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> answer = Attribution(torch.ones(1, 2), torch.ones(1), None, 1, feature_names=("age", "dose"))
            >>> answer.to_dataframe()
                     age  dose
            example
            0        1.0   1.0
        """
        return to_dataframe(self.values, self.feature_names)

    def save(self, path: str | Path) -> None:
        """Write the answer to a safetensors file, every field bit for bit. Needs safetensors: pip install safetensors.

        The file is written completely or not at all, and holds no code.

        Args:
            path: of the file; one that exists is replaced.

        Raises:
            ImportError: safetensors is not installed.
            OSError: the file cannot be written.

        Example:
            >>> import tempfile
            >>> answer = Attribution(torch.ones(1, 2), torch.full((1,), 2.0), torch.zeros(1), 9)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     answer.save(f"{folder}/answer.safetensors")
            ...     Attribution.load(f"{folder}/answer.safetensors")
            Attribution(residual +0, 0.0% of F(x) - F(x'): complete; shape (1, 2), 9 gradients an example)
        """
        write_fields(path, {one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> "Attribution":
        """Read an answer that `save` wrote. Needs safetensors: pip install safetensors.

        Args:
            path: of the file.

        Returns:
            The answer, with its tensors on the CPU.

        Raises:
            ImportError: safetensors is not installed.
            OSError: the file cannot be read.
            ValueError: the file holds no answer.

        Example:
            >>> Attribution.load("answer.safetensors")
            Traceback (most recent call last):
            FileNotFoundError: [Errno 2] No such file or directory: 'answer.safetensors'
        """
        found = read_fields(path)
        try:
            return cls(**found)
        except TypeError as error:
            raise ValueError(f"path is {str(path)!r}, whose fields {[*found]} are not those of an answer") from error

    def grouped(self, groups: Any, names: Sequence[str] | None = None) -> "Attribution":
        """The shares added up by groups of features, such as superpixels, patches, one-hot columns or time windows.

        `igteach.groups.patches` has the groups of square patches, `skimage.segmentation.slic(picture, start_label=0)`
        those of superpixels, `torch.arange(length) // 24` those of the days of an hourly series along the last axis.
        `igteach.show.attribution(answer.grouped(groups), groups=groups)` draws them on the picture.

        Args:
            groups: the number of each feature's group, integers from 0, of any shape that broadcasts to the values of
                one example, such as (height, width) for pictures, or to (batch, *features): (batch, 1, height, width)
                for pictures with groups of their own. A bool mask is two groups, outside and inside. For values that
                are a tuple or dict, one of groups; a number that occurs in several inputs is one group.
            names: of the groups, or None.

        Returns:
            An Attribution of values (batch, groups) in float64, with the same residual. The error estimate is for the
            groups: their L1 error is no larger than that of the features, but shares of opposite sign cancel in a
            group, so that relative to what is left it may be larger. `converged` is None.

        Raises:
            TypeError: groups holds no integers, or has another form than values.
            ValueError: groups does not broadcast to the values, holds a negative number, or does not fit the names.

        Example:
            >>> answer = Attribution(torch.tensor([[1.0, 2.0, -0.5]]), torch.tensor([2.5]), torch.zeros(1), 1)
            >>> answer.grouped([0, 1, 1], names=("age", "city")).to_dataframe()
                     age  city
            example
            0        1.0   1.5
        """
        from igteach.core.groups import add_up  # which stands on this module

        return add_up(self, groups, names)

    def summary(self, example: int = 0, count: int = 10) -> str:
        """The largest shares of an example as bars of characters, to print in a terminal.

        Args:
            example: the number of the example, from 0.
            count: how many shares, at most; the others are added up in a last line.

        Returns:
            The lines. Where the terminal cannot show bars, they are of the character #.

        Raises:
            ValueError: there is no such example, or count is below 1.

        Example:
            >>> values, names = torch.tensor([[1.0, -0.5]]), ("age", "dose")
            >>> answer = Attribution(values, torch.tensor([0.5]), torch.zeros(1), 1, feature_names=names)
            >>> print(answer.summary().replace("█", "#").replace("│", "|"))
            Attribution(residual +0, 0.0% of F(x) - F(x'): complete; shape (1, 2), 1 gradient an example)
            example 0 of 1: F(x) = 0.5, F(x') = 0
             age                     |#################### +1
            dose           ##########|                     -0.5
        """
        from igteach.core.summary import summarise  # which stands on this module

        return summarise(self, example, count)

    def _evidence(self, residual: Tensor, relative_residual: Tensor) -> str:
        """The residual of the worst example and the largest estimate."""
        worst = int(relative_residual.argmax())
        text = f"residual {residual[worst]:+.2g}, {relative_residual[worst]:.1%} of F(x) - F(x')"
        if len(residual) > 1:
            text += f" (worst of {len(residual)})"
        if self.error_estimate is not None:
            error = self.error_estimate.max().item()
            text += ", error below 1%" if error < 0.01 else f", error about {error:.0%}"
        return text

    def _cost(self) -> str:
        """The shape, the gradients spent, and how many examples have not converged."""
        gradients = int(torch.as_tensor(self.evaluations).max())
        text = f"{self._shape()}, {gradients} {'gradient' if gradients == 1 else 'gradients'} an example"
        if self.converged is not None and not self.converged.all():
            text += f", {int((~self.converged).sum())} of {len(self.converged)} NOT converged"
        return text

    def _shape(self) -> str:
        if isinstance(self.values, Tensor):
            return f"shape {tuple(self.values.shape)}"
        if isinstance(self.values, dict):
            return "shapes " + ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in self.values.items())
        return "shapes " + ", ".join(str(tuple(tensor.shape)) for tensor in self.values)

    def _repr_html_(self) -> str:
        mark = {"complete": "&#10003;", "roughly complete": "&#8776;"}.get(self.verdict, "&#9888;")
        return f"<code>{mark} {escape(repr(self), quote=False)}</code>"


def leaves(values: Values) -> list[Tensor]:
    """The tensors of an answer's values, or of inputs of the same form.

    Args:
        values: A tensor, or a tuple or dict (with str keys) of tensors.

    Returns:
        The tensors, in the order of the tuple or dict.

    Raises:
        TypeError: values has another form.
        ValueError: the tuple or dict is empty.

    Example:
        >>> [tuple(tensor.shape) for tensor in leaves({"image": torch.ones(1, 4), "age": torch.ones(1, 1)})]
        [(1, 4), (1, 1)]
    """
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, dict):
        tensors, keys = list(values.values()), list(values)
    elif isinstance(values, tuple):
        tensors, keys = list(values), []
    else:
        raise TypeError(f"values is {type(values).__name__}; pass a tensor, or a tuple or dict of tensors")
    strange = [type(one).__name__ for one in tensors if not isinstance(one, Tensor)]
    strange += [f"key {key!r}" for key in keys if not isinstance(key, str)]
    if strange:
        raise TypeError(
            f"values is a {type(values).__name__} with {', '.join(strange)}; pass tensors, and str keys in a dict"
        )
    if not tensors:
        raise ValueError(f"values is an empty {type(values).__name__}; pass at least one tensor")
    return tensors


def all_finite(values: Values) -> bool:
    """Whether no value is NaN or infinite; needs no memory, where torch.isfinite needs a copy of the values."""
    return all(
        tensor.numel() == 0 or bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())
        for tensor in leaves(values)
    )


def l1_norm(values: Values) -> Tensor:
    """The sum of |values| of each example, over all tensors of values: (batch,), with memory for one example."""
    return _sums(values, torch.abs)


def _sums(values: Values, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The sum of each example's changed values, over all tensors: (batch,), with memory for one example."""
    of_tensors = [
        torch.stack([change(example).sum(dtype=accumulator(tensor)) for example in tensor]) for tensor in leaves(values)
    ]
    return torch.stack([sums.to(of_tensors[0]) for sums in of_tensors]).sum(0)


def accumulator(values: Tensor) -> torch.dtype:
    """float64, where the device has it."""
    return torch.float32 if values.device.type == "mps" else torch.float64
