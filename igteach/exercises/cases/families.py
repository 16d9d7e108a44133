"""The functions that answers are called with: a few named families, each known by its parameters.

So a case can be written to a file and read again without running anything but what stands here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def _rows(batch: Tensor) -> Tensor:
    """The batch itself, if it is one: networks of the course take no single example without its batch."""
    if batch.dim() != 2:
        raise ValueError(f"f takes a batch (N, features), one example a row; it was given {tuple(batch.shape)}")
    return batch


@dataclass(frozen=True, eq=False)
class TanhUnit:
    """F(x) = scale * tanh(x @ weight + shift) + offset.

    Attributes:
        weight: The weights, (features,).
        shift: What is added inside the tanh, one number.
        scale: The factor before the tanh; negative where F falls.
        offset: What is added outside the tanh.
    """

    weight: Tensor
    shift: Tensor
    scale: float = 1.0
    offset: float = 0.0

    def __call__(self, batch: Tensor) -> Tensor:
        return self.scale * torch.tanh(_rows(batch) @ self.weight.to(batch) + self.shift.to(batch)) + self.offset


@dataclass(frozen=True, eq=False)
class CrampedTanhUnit:
    """F(x) = tanh(x @ weight + shift), where memory is for a few rows only.

    Attributes:
        weight: The weights, (features,).
        shift: What is added inside the tanh.
        most: The rows that fit; more raise a MemoryError.
    """

    weight: Tensor
    shift: float
    most: int

    def __call__(self, batch: Tensor) -> Tensor:
        if len(batch) > self.most:
            raise MemoryError(f"f was given {len(batch)} rows at once, and {self.most} fit")
        return torch.tanh(batch @ self.weight.to(batch) + self.shift)


@dataclass(frozen=True, eq=False)
class SteppedTanhUnit:
    """F(x) = tanh(x @ weight + shift) + height where x @ normal > edge: a gradient that does not see the step.

    Attributes:
        weight: The weights of the smooth unit, (features,).
        shift: What is added inside the tanh.
        normal: Across the step, (features,).
        edge: Where the step is.
        height: Of the step.
    """

    weight: Tensor
    shift: float
    normal: Tensor
    edge: float
    height: float

    def __call__(self, batch: Tensor) -> Tensor:
        beyond = batch @ self.normal.to(batch) > self.edge
        return torch.tanh(batch @ self.weight.to(batch) + self.shift) + self.height * beyond


@dataclass(frozen=True, eq=False)
class GatedTanhUnit:
    """F(a, b) = tanh(a @ weight + shift) * (b @ gate + offset): two inputs, each of which matters by the other.

    Attributes:
        weight: The weights of the first input, (features,).
        shift: What is added inside the tanh.
        gate: The weights of the second input, (features of it,).
        offset: What is added to the gate.
    """

    weight: Tensor
    shift: float
    gate: Tensor
    offset: float

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        opened = second @ self.gate.to(second) + self.offset
        return torch.tanh(first @ self.weight.to(first) + self.shift) * opened


@dataclass(frozen=True, eq=False)
class TanhNetwork:
    """F(x) = tanh(x @ inner + bias) @ outer + offset: a network with one hidden layer.

    Attributes:
        inner: The weights of the hidden layer, (features, units).
        outer: The weights of the output, (units,).
        bias: What is added to each hidden unit.
        offset: What is added to the output.
    """

    inner: Tensor
    outer: Tensor
    bias: float = 0.0
    offset: float = 0.7

    def __call__(self, batch: Tensor) -> Tensor:
        return torch.tanh(_rows(batch) @ self.inner.to(batch) + self.bias) @ self.outer.to(batch) + self.offset


@dataclass(frozen=True, eq=False)
class SineNetwork:
    """F(x) = sin(x @ inner + 0.3) @ outer + 2: smooth, and without a symmetry that could hide a wrong answer.

    Attributes:
        inner: The weights of the hidden layer, (features, units).
        outer: The weights of the output, (units,).
    """

    inner: Tensor
    outer: Tensor

    def __call__(self, batch: Tensor) -> Tensor:
        return torch.sin(_rows(batch) @ self.inner.to(batch) + 0.3) @ self.outer.to(batch) + 2.0


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """F(x) = relu(x @ weight.T + bias) @ outer: a network with one hidden layer.

    Attributes:
        weight: The weights of the hidden layer, (units, features).
        bias: The biases of the hidden layer, (units,).
        outer: The weights of the output, (units,).
    """

    weight: Tensor
    bias: Tensor
    outer: Tensor

    def __call__(self, batch: Tensor) -> Tensor:
        return torch.relu(batch @ self.weight.to(batch).T + self.bias.to(batch)) @ self.outer.to(batch)


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """F(x) = sigmoid(x @ weights): a probability.

    Attributes:
        weights: The weights, (features,).
    """

    weights: Tensor

    def __call__(self, batch: Tensor) -> Tensor:
        return torch.sigmoid(_rows(batch) @ self.weights.to(batch))


@dataclass(frozen=True, eq=False)
class SoftmaxClassifier:
    """F(x) = softmax(x @ weight): a probability for each class.

    Attributes:
        weight: The weights, (features, classes).
    """

    weight: Tensor

    def __call__(self, batch: Tensor) -> Tensor:
        return (batch @ self.weight.to(batch)).softmax(dim=1)


def random_network(rng: torch.Generator) -> TanhNetwork:
    """Draw a network of 3 inputs, one hidden layer of 4 tanh units, and one output.

    Args:
        rng: What the weights are drawn with.

    Returns:
        A function of a batch (N, 3) with values (N,).
    """
    return TanhNetwork(torch.randn(3, 4, generator=rng).double(), torch.randn(4, generator=rng).double())
