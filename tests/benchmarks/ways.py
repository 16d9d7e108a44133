"""The ways to attribute that are compared, how long each takes, and how far from the truth each is."""

import statistics
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import torch
from captum.attr import IntegratedGradients
from examples import DEVICE, Case
from torch import Tensor, nn

import igteach

Way = Callable[[Case], Any]


def ours(case: Case, **options: Any) -> Tensor:
    return igteach.integrated_gradients(case.f, case.x, case.baseline, case.target, **options).values


def captum(case: Case, steps: int, batch: int | None = None) -> Tensor:
    """Captum's Integrated Gradients, by its default rule (Gauss-Legendre), all steps at once or in batches."""
    method = IntegratedGradients(case.f)
    return method.attribute(case.x, case.baseline, case.target, n_steps=steps, internal_batch_size=batch)


def bare(case: Case, gradients: int, batch: int | list[int]) -> None:
    """The passes that so many gradients and F at both ends need, and nothing else; `batch` as torch.split takes it."""
    parameters = [parameter for parameter in case.f.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    for alphas in ((torch.arange(gradients, device=DEVICE) + 0.5) / gradients).split(batch):
        points = torch.lerp(case.baseline, case.x, alphas.view(-1, *[1] * (case.x.dim() - 1))).requires_grad_()
        torch.autograd.grad(score(case, points).sum(), points)
    with torch.no_grad():
        score(case, torch.cat([case.baseline, case.x]))
    for parameter in parameters:
        parameter.requires_grad_(True)


def score(case: Case, points: Tensor) -> Tensor:
    """F at each row."""
    out = case.f(points)
    return out if case.target is None else out[:, case.target]


def clock() -> float:
    """Seconds: of this thread on a CPU, which others may share; by the wall where a device computes."""
    if DEVICE.type == "cpu":
        return time.thread_time()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def interleaved(ways: dict[str, Way], cases: Sequence[Case], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round; a round is all ways in turn, on the next case. One more warms up."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = clock()
            way(cases[number % len(cases)])
            if number:
                found[name].append(clock() - start)
    return found


def ratio(times: dict[str, list[float]], way: str, peer: str) -> dict[str, float]:
    """The median over the rounds of one way's time over another's, and the lower and upper quartile."""
    ratios = [a / b for a, b in zip(times[way], times[peer], strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"value": median, "low": low, "high": high}


def relative_l1(values: Tensor, truth: Tensor) -> float:
    return ((values - truth).abs().sum() / truth.abs().sum()).item()


class Remembering(nn.Module):
    """F, which finds the gradient of a row once: so that answers whose nodes are the same cost their passes once."""

    def __init__(self, case: Case):
        super().__init__()
        self.f, self.case, self.seen = case.f, case, dict[bytes, tuple[Tensor, Tensor]]()

    def forward(self, points: Tensor) -> Tensor:
        if not points.requires_grad:
            return score(self.case, points)
        keys = [sha256(row.cpu().numpy()).digest() for row in points.detach()]
        new = [i for i, key in enumerate(keys) if key not in self.seen]
        if new:
            some = points.detach()[new].requires_grad_()
            values = score(self.case, some)
            gradients = torch.autograd.grad(values.sum(), some)[0]
            self.seen |= dict(zip([keys[i] for i in new], zip(values.detach(), gradients, strict=True), strict=True))
        values, gradients = map(torch.stack, zip(*(self.seen[key] for key in keys), strict=True))
        return values + ((points - points.detach()) * gradients).flatten(1).sum(1)


def remembering(case: Case) -> Case:
    """The same case with an F that remembers its gradients; never for a measurement of time."""
    return Case(Remembering(case), case.x, case.baseline, None)
