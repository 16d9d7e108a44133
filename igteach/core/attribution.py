"""What every attribution method returns: the values, and how far they can be trusted."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

COMPLETE_BELOW = 0.01  # a residual under 1% of F(x) - F(x') counts as complete
ROUGHLY_BELOW = 0.05  # under 5%, the bar of Sundararajan, Taly and Yan (2017), as roughly complete
SMALLEST_DIFFERENCE = 1e-3  # of F and of the sum of |values|: a smaller F(x) - F(x') is not divided by


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Attributions of a batch, with the evidence for and against them. ValueError for values that are not finite."""

    values: Tensor  # shape of x; in the units of F
    f_input: Tensor  # (batch,)  F(x)
    f_baseline: Tensor | None  # (batch,)  F(x'), or None for a method without a baseline
    evaluations: int | Tensor  # gradients spent on each example; (batch,) where it differs between them
    error_estimate: Tensor | None = field(default=None, kw_only=True)  # (batch,)  L1 error over L1 norm of true values
    converged: Tensor | None = field(default=None, kw_only=True)  # (batch,)  is the estimate under the tolerance asked?

    def __post_init__(self) -> None:
        if not all_finite(self.values):
            received = (
                f"the attributions overflow {self.values.dtype}: x - baseline, or its product with the gradient, is"
            )
            raise ValueError(f"{received} too large; pass x nearer to the baseline, or x and the model in float64")

    @property
    def residual(self) -> Tensor | None:
        """(batch,) values.sum() - (F(x) - F(x')), or None for a method without a baseline."""
        if self.f_baseline is None:
            return None
        total = torch.stack([example.sum(dtype=accumulator(self.values)) for example in self.values])
        return (total - (self.f_input - self.f_baseline)).to(self.f_input.dtype)

    @property
    def relative_residual(self) -> Tensor | None:
        """(batch,) |residual| over |F(x) - F(x')|; finite also where that difference is zero."""
        if self.residual is None or self.f_baseline is None:
            return None
        l1 = l1_norm(self.values)
        f_input, f_baseline = self.f_input.to(l1), self.f_baseline.to(l1)
        scale = torch.stack([f_input.abs(), f_baseline.abs(), l1]).amax(0)
        floor = (SMALLEST_DIFFERENCE * scale).clamp_min(torch.finfo(l1.dtype).tiny)
        return (self.residual.abs() / torch.maximum((f_input - f_baseline).abs(), floor)).to(self.f_input)

    @property
    def verdict(self) -> str:
        """Whether the worst example can be trusted; a small residual alone is no proof, as errors cancel in it."""
        if self.relative_residual is None:
            return "a gradient: promises no completeness"
        worst = self.relative_residual.max().item()
        if worst >= ROUGHLY_BELOW:
            return "NOT complete: do not read it as shares of F(x) - F(x')"
        if self.error_estimate is not None and self.error_estimate.max().item() >= ROUGHLY_BELOW:
            return "adds up, but single shares are NOT settled: take more steps or samples"
        return "complete" if worst < COMPLETE_BELOW else "roughly complete"

    def __repr__(self) -> str:
        most = int(torch.as_tensor(self.evaluations).max())
        spent = f"shape {tuple(self.values.shape)}, {most} gradient{'s' * (most != 1)} an example"
        if self.converged is not None and not self.converged.all():
            spent += f", {int((~self.converged).sum())} of {len(self.converged)} NOT converged"
        if self.residual is None or self.relative_residual is None:
            return f"Attribution(no residual; {self.verdict}; {spent})"
        worst = int(self.relative_residual.argmax())
        where = f" (worst of {len(self.residual)})" if len(self.residual) > 1 else ""
        found = f"residual {self.residual[worst]:+.2g}, {self.relative_residual[worst]:.1%} of F(x) - F(x'){where}"
        if self.error_estimate is not None:
            error = self.error_estimate.max().item()
            found += ", error below 1%" if error < 0.01 else f", error about {error:.0%}"
        return f"Attribution({found}: {self.verdict}; {spent})"

    def _repr_html_(self) -> str:
        mark = {"complete": "&#10003;", "roughly complete": "&#8776;"}.get(self.verdict, "&#9888;")
        return f"<code>{mark} {self!r}</code>"


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite; needs no memory, where torch.isfinite needs a copy of the values."""
    return values.numel() == 0 or bool(torch.isfinite(torch.stack(torch.aminmax(values))).all())


def l1_norm(values: Tensor) -> Tensor:
    """(batch,) the sum of |values| of each example, in memory for one example."""
    return torch.stack([example.abs().sum(dtype=accumulator(values)) for example in values])


def accumulator(values: Tensor) -> torch.dtype:
    """float64, where the device has it."""
    return torch.float32 if values.device.type == "mps" else torch.float64
