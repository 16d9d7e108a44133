"""How honest and how sharp the error estimate of a refined answer is, where the truth is known.

    python tests/benchmarks/error_estimates.py [--cases 40] [--families LSTM ...] [--out docs/benchmarks/estimates]

Writes measured.json, with a part for each family, and README.md, the tables of all of them. A run of some families
leaves the parts of the others as they are. Costly families take long: ask for fewer cases there.
"""

import argparse
import json
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import examples
import torch
from examples import Case
from torch import Tensor, nn
from ways import remembering

import igteach
from igteach.core.attribution import Attribution
from igteach.core.functions import Logit
from igteach.models.weights import WeightsUnavailable

TOLERANCES = (0.05, 0.01)
DENSE, EQUAL = 8192, 729  # midpoint steps
FINE: dict[str, Any] = {"tolerance": 2e-3, "max_evaluations": 4096}
COSTLY = {"max_evaluations": 1024}  # for the truth of EfficientNet-Lite0 and SmolLM2
FROM_ZERO = {"max_evaluations": 243}
EXPLAINED = f"""# How honest the error estimate is

Written by `python tests/benchmarks/error_estimates.py`. Each example is attributed twice, with a tolerance of
{TOLERANCES[0]} (the first four columns after the cases) and of {TOLERANCES[1]} (the next four). Honest: the fraction of
examples whose true error is at most the estimate. Then the medians of estimate / true error, of the gradients spent,
and of the true error, an L1 distance from the true attributions relative to their L1 norm.

The truth is exact for the logits of small networks of ReLUs, {DENSE} equal steps for other small networks, and for the
large ones a refined answer with a tolerance of {FINE["tolerance"]}, or as far as {FINE["max_evaluations"]} gradients
lead ({COSTLY["max_evaluations"]} for EfficientNet-Lite0 and SmolLM2). The last column compares it with a truth found in
another way, {EQUAL} equal steps for the large networks and a refined answer for the small ones. A truth whose residual
is small, and which disagrees, is right: there the equal steps wander.

The goal is honest in 95% and sharp, a median ratio of at most 3. Networks with kinks (ReLU, max pooling) have sharp
estimates. On smooth ones (tanh, GELU, transformers) the answer is better than it says: it integrates the parabola
through neighbouring nodes, an order better than the estimate, which has to allow for a jump between any two nodes.

The margins of refined answers were chosen on other random MLPs and CNNs than those of the table. On those they were
chosen on, honesty looks better than it is.
"""
ZERO_EXPLAINED = f"""A transformer without biases keeps embeddings of zero at zero through all its norm layers, each
of which amplifies by up to 1 / sqrt(eps). So F climbs a cliff at alphas that no step reaches, and the answer has to say
that it is not settled; here after {FROM_ZERO["max_evaluations"]} gradients."""


@dataclass(frozen=True, eq=False)
class Known(Case):
    """A case whose attributions are known, and by how much another way to find them disagrees (None: not asked)."""

    family: str
    truth: Tensor
    residual: float
    disagreement: float | None = None


class Transformer(nn.Module):
    """Word vectors (N, 6, 16) to four classes; `positions` is the size of what it adds to tell their places."""

    def __init__(self, positions: float):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, activation="gelu", batch_first=True)
        self.positions = nn.Parameter(positions * torch.randn(6, 16))
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return 7.5 * self.head(self.encoder(x + self.positions).mean(1))


class Recurrent(nn.Module):
    """A sequence (N, 12, 8) to four classes, by an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 24, batch_first=True)
        self.head = nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        return 10 * self.head(self.lstm(2 * x)[0][:, -1])


class SteepSigmoid(nn.Module):
    """A step of random steepness, somewhere on the way; six features to one number."""

    def __init__(self) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.rand(6) / 3)
        self.steepness = 10 ** (1 + 2 * torch.rand(()).item())
        self.place = 0.1 + 0.8 * torch.rand(()).item()

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.steepness * (x @ self.direction - self.place * self.direction.sum()))


def mlp() -> tuple[nn.Module, tuple[int, ...]]:
    features, width = int(torch.randint(4, 40, ())), int(torch.randint(8, 64, ()))
    widths = [features] + [width] * int(torch.randint(1, 4, ()))
    hidden = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 4)), (features,)


def cnn() -> tuple[nn.Module, tuple[int, ...]]:
    width = int(torch.randint(3, 9, ()))
    pool = nn.MaxPool2d(2) if torch.rand(()) < 0.5 else nn.AvgPool2d(2)
    unit = nn.LeakyReLU(0.1) if torch.rand(()) < 0.3 else nn.ReLU()
    first, second = nn.Conv2d(2, width, 3, padding=1), nn.Conv2d(width, width, 3)
    return nn.Sequential(first, nn.ReLU(), pool, second, unit, nn.Flatten(), nn.Linear(4 * width, 4)), (2, 8, 8)


def transformer() -> tuple[nn.Module, tuple[int, ...]]:
    return Transformer(float(torch.rand(())) + 0.1), (6, 16)


def lstm() -> tuple[nn.Module, tuple[int, ...]]:
    return Recurrent(), (12, 8)


def random_case(make: Callable[[], tuple[nn.Module, tuple[int, ...]]], score: Any, seed: int) -> Case:
    """A random network with weights large enough to make it sure of itself, an input, and a baseline."""
    torch.manual_seed(seed)
    network, shape = make()
    for parameter in network.parameters():
        if parameter.dim() > 1 and make in (mlp, cnn):
            nn.init.kaiming_normal_(parameter)
    x = (1 + torch.rand(())) * torch.randn(1, *shape)
    return case_of(network, x, torch.zeros_like(x) if torch.rand(()) < 0.5 else torch.randn_like(x), score)


def digit_case(score: Any, seed: int) -> Case:
    """The shipped network on a held-out digit against black."""
    pictures = examples.load_digits().x_test
    x = pictures[torch.randint(len(pictures), (1,), generator=torch.Generator().manual_seed(seed))]
    return case_of(examples.digits.load("cpu"), x, torch.zeros_like(x), score)


def steep_case(seed: int) -> Case:
    torch.manual_seed(seed)
    x = torch.ones(1, 6).double()
    return Case(SteepSigmoid().double().requires_grad_(False), x, torch.zeros_like(x), None)


def case_of(network: nn.Module, x: Tensor, baseline: Tensor, score: Any) -> Case:
    network, x = network.double().eval().requires_grad_(False), x.double()
    return Case(score(network), x, baseline.double(), int(network(x).argmax()))


def by_seed(make: Callable[[int], Case], first_seed: int) -> Callable[[int], Iterator[Case]]:
    """As many cases of random networks as are asked for."""
    return lambda count: map(make, range(first_seed, first_seed + count))


def halves(logit: Callable[[int], Case], probability: Callable[[int], Case], seed: int) -> Any:
    """Half of the cases with logits, half with probabilities."""
    return by_seed(lambda number: (logit if number % 2 else probability)(number), seed)


SMALL: dict[str, Callable[[int], Case]] = {
    "MLP, logit": partial(random_case, mlp, igteach.logit),
    "CNN, logit": partial(random_case, cnn, igteach.logit),
    "digits CNN, logit": partial(digit_case, igteach.logit),
    "MLP, probability": partial(random_case, mlp, igteach.probability),
    "CNN, probability": partial(random_case, cnn, igteach.probability),
    "digits CNN, probability": partial(digit_case, igteach.probability),
    "transformer, probability": partial(random_case, transformer, igteach.probability),
}
FAMILIES: dict[str, Callable[[int], Iterable[Case]]] = {
    "random MLPs": halves(SMALL["MLP, logit"], SMALL["MLP, probability"], 9_200_000),
    "random CNNs": halves(SMALL["CNN, logit"], SMALL["CNN, probability"], 9_300_000),
    "digits CNN": halves(SMALL["digits CNN, logit"], SMALL["digits CNN, probability"], 2_200_000),
    "scenes CNN": examples.scenes_cnn,
    "EfficientNet-Lite0": examples.efficientnet_lite0,
    "random ViT": examples.vision_transformer,
    "random transformers": by_seed(SMALL["transformer, probability"], 2_300_000),
    "MiniLM, from pad": examples.minilm,
    "MiniLM, from zero": lambda count: examples.minilm(count, "zero"),
    "SmolLM2, from end-of-text": examples.smollm2,
    "SmolLM2, from the mean": lambda count: examples.smollm2(count, "mean"),
    "random LSTMs": by_seed(partial(random_case, lstm, igteach.probability), 2_400_000),
    "steep sigmoids": by_seed(steep_case, 2_500_000),
}
FROM_ZERO_FAMILY = "SmolLM2, from zero"


def answer(case: Case, **options: Any) -> Attribution:
    return igteach.integrated_gradients(case.f, case.x, case.baseline, case.target, **options)


def known(case: Case, family: str, dense: int = DENSE, *, check: bool = False) -> Known:
    """A case with its truth: exact for logits of small networks, else of `dense` equal steps; of large ones, refined.

    A check compares a refined truth with that of EQUAL equal steps, and the others with a refined one.
    """
    other: dict[str, Any] = FINE
    if case.x.dtype != torch.float64:
        budget = COSTLY if family.startswith(("EfficientNet", "SmolLM2")) else {}
        truth, other = answer(case, **FINE | budget), {"steps": EQUAL}
    elif type(case.f) is Logit:
        truth = igteach.exact_integrated_gradients(case.f.model, case.x, case.baseline, case.target)
    else:
        truth = answer(case, steps=dense)
    residual = (truth.residual.abs() / truth.values.abs().sum()).item()
    disagreement = relative_l1(answer(case, **other).values, truth.values) if check else None
    return Known(**vars(case), family=family, truth=truth.values, residual=residual, disagreement=disagreement)


def cases(seed: int, count: int, dense: int = DENSE) -> Iterator[Known]:
    """`count` cases of each family of small networks, with their truth."""
    for number, (family, make) in enumerate(SMALL.items()):
        for i in range(count):
            yield known(make(100_000 * seed + 1000 * number + i), family, dense)


def relative_l1(values: Tensor, truth: Tensor) -> float:
    return ((values - truth).abs().sum() / truth.abs().sum()).item()


def measure(case: Known, **options: Any) -> tuple[float, float]:
    """The true relative L1 error, and the estimate of it."""
    found = answer(case, **options)
    return relative_l1(found.values, case.truth), found.error_estimate.item()


def summary(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The share of cases in which the error is under the estimate, the median of estimate / error, the median error."""
    errors, estimates = torch.tensor(pairs, dtype=torch.float64).T
    return (errors <= estimates).double().mean().item(), (estimates / errors).median().item(), errors.median().item()


def judged(case: Case, family: str, check: bool) -> dict[str, Any]:
    """What is known of a case's truth, and of its answer for each of TOLERANCES."""
    if case.x.dtype != torch.float64:
        case = remembering(case)
    right, answers = known(case, family, check=check), {}
    for tolerance in TOLERANCES:
        found = answer(case, tolerance=tolerance)
        answers[str(tolerance)] = {
            "error": relative_l1(found.values, right.truth),
            "estimate": found.error_estimate.item(),
            "gradients": int(found.evaluations[0]),
            "converged": bool(found.converged[0]),
        }
    return {"residual": right.residual, "disagreement": right.disagreement, "answers": answers}


def from_zero(case: Case) -> dict[str, Any]:
    """What is said of an answer from embeddings of zero, where a truth is out of reach."""
    found = answer(case, **FROM_ZERO)
    residual = (found.residual.abs() / (found.f_input - found.f_baseline).abs()).item()
    return {"residual": residual, "estimate": found.error_estimate.item(), "converged": bool(found.converged[0])}


def family_row(name: str, found: list[dict[str, Any]]) -> str:
    cells = [name, str(len(found))]
    for tolerance in map(str, TOLERANCES):
        answers = [each["answers"][tolerance] for each in found]
        under, ratio, error = summary([(each["error"], each["estimate"]) for each in answers])
        spent = statistics.median(each["gradients"] for each in answers)
        cells += [f"{math.floor(100 * under)}%", f"{ratio:.1f}", f"{spent:.0f}", f"{error:.2%}"]
    apart = [each["disagreement"] for each in found if each["disagreement"] is not None]
    cells += [f"{max(each['residual'] for each in found):.1e}"]
    cells += [f"{statistics.median(apart):.1e}, {max(apart):.1e} ({len(apart)} cases)" if apart else "not asked"]
    return "| " + " | ".join(cells) + " |"


def failures(name: str, found: list[dict[str, Any]]) -> Iterator[str]:
    """The answers whose error is above their estimate, and why."""
    for number, each in enumerate(found):
        for tolerance, given in each["answers"].items():
            error, estimate = given["error"], given["estimate"]
            if error <= estimate:
                continue
            if error - estimate <= (each["disagreement"] or 0):
                why = "the truth is not known more finely than that"
            elif error <= 1.5 * estimate:
                why = "jumps that happened to lie further from the middle of their gaps than most do"
            else:
                why = "something between two nodes that left no trace at them"
            yield f"- {name}, number {number}, tolerance {tolerance}: {error:.2%}, estimated at {estimate:.2%}: {why}."


def page(measured: dict[str, list[dict[str, Any]]]) -> str:
    """README.md."""
    families = {name: found for name, found in measured.items() if name != FROM_ZERO_FAMILY}
    head = " | ".join(["honest", "estimate / error", "gradients", "error"] * len(TOLERANCES))
    lines = [EXPLAINED, f"| family | cases | {head} | residual of the truth | its disagreement: median, largest |"]
    lines += ["|---|" + "---:|" * (len(TOLERANCES) * 4 + 3)]
    lines += [family_row(name, found) for name, found in families.items()]
    lines += ["", "## Where the error was above the estimate", ""]
    lines += [line for name, found in families.items() for line in failures(name, found)] or ["Nowhere."]
    if FROM_ZERO_FAMILY in measured:
        lines += ["", "## " + FROM_ZERO_FAMILY, "", ZERO_EXPLAINED, ""]
        lines += ["| prompt | converged | error estimate | residual / (F(x) - F(x')) |", "|---:|---|---:|---:|"]
        for number, each in enumerate(measured[FROM_ZERO_FAMILY]):
            converged = "yes" if each["converged"] else "no"
            lines.append(f"| {number} | {converged} | {each['estimate']:.0%} | {each['residual']:.0%} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    names = [*FAMILIES, FROM_ZERO_FAMILY]
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=40, help="of each family; there are 10 of SmolLM2")
    parser.add_argument("--checks", type=int, default=40, help="truths of each family found in another way, too")
    parser.add_argument("--families", nargs="+", choices=names, default=names, metavar="FAMILY")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/estimates"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "measured.json"
    for name in options.families:
        try:
            if name == FROM_ZERO_FAMILY:
                found = [from_zero(case) for case in examples.smollm2(options.cases, "zero")]
            else:
                drawn = enumerate(FAMILIES[name](options.cases))
                found = [judged(case, name, number < options.checks) for number, case in drawn]
        except WeightsUnavailable as error:
            print(f"{name} is left out: {error}")
            continue
        measured = json.loads(file.read_text()) if file.exists() else {}
        measured[name] = found
        file.write_text(json.dumps({each: measured[each] for each in names if each in measured}, indent=1) + "\n")
        print(name if name == FROM_ZERO_FAMILY else family_row(name, found), flush=True)
    (options.out / "README.md").write_text(page(json.loads(file.read_text())))


if __name__ == "__main__":
    main()
