"""How fast the error of Integrated Gradients falls with the gradients spent, by rule.

    python tests/benchmarks/steps.py [--examples 60]

Class probabilities, where F moves on a short stretch of the path: held-out digits on the shipped network against black,
and random ReLU networks. Each cell is the median and the 90th percentile of the L1 error relative to the L1 norm of
the truth, which 8,192 midpoint steps give. A warped rule of n steps evaluates F at n/2 + 3 more places, without
gradients; an evaluation costs about a third of a gradient.
"""

import argparse

import torch
from error_estimates import DENSE, FAMILIES, Case, digits, load_digits, measure
from torch import nn

import igteach
from igteach.core.quadrature import RULES

STEPS = (8, 16, 25, 50, 100, 200)


def digits_cases(count: int) -> list[Case]:
    """The held-out digits at hand, spread over the set."""
    pictures = load_digits().x_test.double()
    network = digits.load("cpu").double().requires_grad_(False)
    return [known("digits", network, x[None]) for x in pictures[:: max(1, len(pictures) // count)][:count]]


def random_cases(count: int) -> list[Case]:
    makers = FAMILIES["MLP, probability"], FAMILIES["CNN, probability"]
    made = (makers[i % 2](300_000 + i) for i in range(count))
    return [known("random", network.double().requires_grad_(False), x.double()) for network, x, _ in made]


def known(family: str, network: nn.Module, x: torch.Tensor) -> Case:
    target, f = int(network(x).argmax()), igteach.probability(network)
    truth = igteach.integrated_gradients(f, x, 0.0, target, steps=DENSE).values
    return Case(family, f, x, torch.zeros_like(x), target, truth)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=60)
    count = parser.parse_args().examples
    torch.set_num_threads(1)
    for title, cases in (("digits CNN", digits_cases(count)), ("random networks", random_cases(count))):
        print(f"{title}, probability: median / 90th percentile of the error over {len(cases)} examples")
        print(f"{'gradients':15s}" + "".join(f"{steps:>16d}" for steps in STEPS))
        for rule in (*RULES, "warped"):
            cells = []
            for steps in STEPS:
                errors = torch.tensor([measure(case, rule=rule, steps=steps)[0] for case in cases])
                cells.append(f"{errors.median():.4f} / {errors.quantile(0.9):.4f}")
            print(f"{rule:15s}" + "".join(f"{cell:>16s}" for cell in cells))


if __name__ == "__main__":
    main()
