"""Trains the shipped networks: `python -m igteach.training.train NAME` writes weights, their sum and a card to `data/`.

A program that stands above the rooms: it measures with the course's own methods, and no room imports it.
"""

import argparse
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from igteach.core.attribution import ROUGHLY_BELOW
from igteach.core.functions import Function, logit, probability
from igteach.datasets.digits import hold_out_fifth, load_digits
from igteach.datasets.patients import load_patients
from igteach.methods.gradients import gradient, gradient_times_input
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.digits import DigitsCNN, DigitsMLP
from igteach.models.patients import PatientsMLP, fold_standardisation
from igteach.training.cards import About, Figures, table, write
from igteach.training.train_autoencoder import train_autoencoder
from igteach.training.train_frames import train_frames
from igteach.training.train_scenes import train_scenes, train_shortcut
from igteach.training.train_text import MODELS as TEXT_MODELS

BATCH = 128
FASTEST = 0.01  # the learning rate at its peak
SMOOTHING = 0.05  # of the labels
NOISE = 0.1  # standard deviation on the inputs, at most
NEUTRAL = 0.1  # weight of the black picture, which belongs to no class
FLATNESS = 0.3  # weight of the slope in the flat network's loss
PAINTED = 8  # pixels painted black to see whether they mattered
PATIENTS = {"epochs": 60, "batch": 64, "rate": 0.01, "decay": 0.3, "noise": 0.3, "smoothing": 0.02}

RECIPE = (
    f"Adam with a one-cycle learning rate up to {FASTEST}, batches of {BATCH}, Gaussian noise of at most {NOISE} on "
    f"the inputs, labels smoothed by {SMOOTHING}, and in every batch a black picture, weight {NEUTRAL}, whose right "
    "answer is 1/10 for each class: black is made neutral. Seed 0. The program looks at the held-out fifth only to "
    "measure; by hand, two first trials of the pair were read on it, and the settings kept were then compared on "
    "training digits alone."
)


def train_digits() -> None:
    """Writes the digits CNN."""
    digits = load_digits()
    torch.manual_seed(0)
    network = fit(DigitsCNN(), digits.x_train, digits.y_train, epochs=60)
    figures = table({"value": measure(network, digits.x_test, digits.y_test)})
    how = f"Trained on the {len(digits.y_train):,} digits that are not held out, for 60 epochs. {RECIPE}"
    write("digits", "digits", network, "Digits CNN", how, figures, ABOUT_DIGITS)
    print(figures)


def train_saturation() -> None:
    """Writes the plain and the flat network of the lesson on saturation."""
    digits = load_digits()
    x, y, x_check, y_check = hold_out_fifth(digits.x_train, digits.y_train)
    networks = {}
    for name, flatness in {"plain": 0.0, "flat": FLATNESS}.items():
        torch.manual_seed(0)
        networks[name] = fit(DigitsMLP(), x, y, epochs=300, flatness=flatness)
    scale = match_confidence(networks["flat"], confidence(networks["plain"], x_check), x_check)
    figures = table({name: measure(network, digits.x_test, digits.y_test) for name, network in networks.items()})

    how = (
        f"Trained on {len(y):,} digits, for 300 epochs; {len(y_check)} more, also outside the held-out fifth, "
        f"served to match the confidence of the pair. {RECIPE}"
    )
    penalty = (
        f" Its loss has one more term, {FLATNESS} times the mean of ||gradient|| ||x|| / (F(x) - F(black)), once with "
        "F the logit of the right class and once with its log odds. Afterwards its last layer was multiplied by "
        f"{scale:.3f}, so that both networks are equally sure of themselves."
    )
    write(
        "saturation_plain", "saturation", networks["plain"], "Saturation: the plain network", how, figures, ABOUT_DIGITS
    )
    write(
        "saturation_flat",
        "saturation",
        networks["flat"],
        "Saturation: the flat network",
        how + penalty,
        figures,
        ABOUT_DIGITS,
    )
    print(figures)


def fit(network: nn.Module, x: Tensor, y: Tensor, epochs: int, flatness: float = 0.0) -> nn.Module:
    """The network, trained on x and y; with `flatness` above 0 its slope at the inputs is punished as well."""
    batches = -(-len(x) // BATCH)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, FASTEST, total_steps=epochs * batches)
    black, no_class = torch.zeros_like(x[:1]), torch.full((1, 10), 0.1)
    for epoch in range(epochs):
        warm_up = min(1.0, epoch / (0.3 * epochs))
        for rows in torch.randperm(len(x)).split(BATCH):
            noisy = x[rows] + NOISE * torch.rand(len(rows), 1, 1, 1) * torch.randn_like(x[rows])
            loss = cross_entropy(network(noisy), y[rows], label_smoothing=SMOOTHING)
            loss = loss + NEUTRAL * cross_entropy(network(black), no_class)
            if flatness:
                loss = loss + flatness * warm_up * mean_slope(network, noisy, y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def mean_slope(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean of ||grad F|| ||x|| / (F(x) - F(0)), summed over F = logit and F = log odds of y; differentiable."""
    x = x.detach().requires_grad_()
    total = x.new_zeros(())
    for f, f_black in zip(_logit_and_odds(network(x), y), _logit_and_odds(network(0 * x), y), strict=True):
        (grad,) = torch.autograd.grad(f.sum(), x, create_graph=True)
        rise = (f - f_black).clamp_min(1.0)  # while F has not learnt to rise, the ratio would explode
        total = total + (grad.flatten(1).norm(dim=1) * x.flatten(1).norm(dim=1) / rise).mean()
    return total


def _logit_and_odds(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    right = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf).logsumexp(1)
    return right, right - others


@torch.no_grad()
def match_confidence(network: nn.Module, wanted: float, x: Tensor) -> float:
    """The factor on the last layer by which the network's mean confidence on x becomes `wanted`; applied to it."""
    logits = network(x)
    low, high = 0.01, 100.0
    for _ in range(60):
        factor = (low * high) ** 0.5
        sure = (factor * logits).softmax(1).amax(1).mean().item()
        low, high = (factor, high) if sure < wanted else (low, factor)
    for parameter in list(network.children())[-1].parameters():
        parameter.mul_(factor)
    return factor


def confidence(network: nn.Module, x: Tensor) -> float:
    """The mean probability of the class that the network chooses."""
    with torch.no_grad():
        return network(x).softmax(1).amax(1).mean().item()


LEGEND = f"""\
Measured on the held-out fifth; x' is the black picture, F belongs to the predicted class.

- *black picture*: the highest probability that any class gets for x'.
- *slope*: the median of ||gradient|| ||x - x'|| / |F(x) - F(x')|, which no scaling of F changes.
- *IG complete*: the share of digits where Integrated Gradients (64 midpoint steps) adds up within 5%.
- *left after*: the mean probability left once {PAINTED} inked pixels are painted black: those of the most IG, of the
  largest |gradient|, with the most ink, or any. The last two take no network to find.
"""


def measure(network: nn.Module, x: Tensor, y: Tensor) -> Figures:
    """What a card states, on digits x with labels y; LEGEND says what each figure is."""
    with torch.no_grad():
        predicted = network(x).argmax(1)
    p, ink = probability(network), x.flatten(1)
    saliency = gradient(p, x, target=predicted).values.flatten(1).abs()
    shares = integrated_gradients(p, x, target=predicted).values.flatten(1)
    any_order = torch.rand(ink.shape, generator=torch.Generator().manual_seed(0))
    return {
        "accuracy": (predicted == y).double().mean().item(),
        "mean confidence": confidence(network, x),
        "black picture": confidence(network, torch.zeros_like(x[:1])),
        "slope of the probability": median_slope(p, x, predicted),
        "slope of the logit": median_slope(logit(network), x, predicted),
        "IG complete, probability": complete(p, x, predicted),
        "IG complete, logit": complete(logit(network), x, predicted),
        "left after most IG": left_after_painting(p, x, predicted, shares),
        "left after largest gradient": left_after_painting(p, x, predicted, saliency * (ink > 0)),
        "left after most ink": left_after_painting(p, x, predicted, ink),
        "left after any ink": left_after_painting(p, x, predicted, any_order * (ink > 0)),
    }


def median_slope(f: Function, x: Tensor, target: Tensor) -> float:
    """The median of ||grad F|| ||x|| / |F(x) - F(0)|."""
    slopes, shares = gradient(f, x, target=target), gradient_times_input(f, x, target=target)
    rise = (shares.f_input - cast(Tensor, shares.f_baseline)).abs()
    return (slopes.values.flatten(1).norm(dim=1) * x.flatten(1).norm(dim=1) / rise).median().item()


def complete(f: Function, x: Tensor, target: Tensor | None, baseline: Tensor | None = None) -> float:
    """The share of examples whose IG has a residual under 5%."""
    residual = cast(Tensor, integrated_gradients(f, x, baseline, target).relative_residual)
    return (residual < ROUGHLY_BELOW).double().mean().item()


def left_after_painting(p: Function, x: Tensor, target: Tensor, score: Tensor) -> float:
    """The mean probability once the PAINTED pixels of the highest score (N, pixels) are painted black."""
    black = score.topk(PAINTED, dim=1).indices
    painted = x.flatten(1).scatter(1, black, 0.0).view_as(x)
    with torch.no_grad():
        return p(painted).gather(1, target[:, None]).mean().item()


def train_patients() -> None:
    """Writes the network that judges patients."""
    patients = load_patients()
    torch.manual_seed(0)
    network = fit_patients(PatientsMLP(), patients.x_train, patients.y_train)
    figures = table({"value": measure_patients(network, patients.x_test, patients.y_test, patients.x_train)})
    how = (
        f"Trained on the {len(patients.y_train)} patients that are not held out, standardised by their mean and "
        "deviation, which were folded into the first layer afterwards: the network takes measurements as they were "
        "taken. AdamW with a learning rate of {rate} and a weight decay of {decay}, {epochs} epochs in batches of "
        "{batch}, Gaussian noise of {noise} deviations on the inputs, labels smoothed by {smoothing}. Seed 0. The "
        "program looks at the held-out fifth only to measure; the settings were compared by five-fold cross-validation "
        "on training patients alone. No patient was made neutral."
    ).format(**PATIENTS)
    write("patients", "patients", network, "Patients MLP", how, figures, ABOUT_PATIENTS)
    print(figures)


def fit_patients(network: PatientsMLP, x: Tensor, y: Tensor) -> PatientsMLP:
    """The network, trained on patients x and y; it takes x as it came."""
    mean, deviation = x.mean(0), x.std(0)
    x = (x - mean) / deviation
    soft = PATIENTS["smoothing"] + (1 - 2 * PATIENTS["smoothing"]) * y
    optimizer = torch.optim.AdamW(network.parameters(), PATIENTS["rate"], weight_decay=PATIENTS["decay"])
    for _ in range(int(PATIENTS["epochs"])):
        for rows in torch.randperm(len(x)).split(int(PATIENTS["batch"])):
            noisy = x[rows] + PATIENTS["noise"] * torch.randn_like(x[rows])
            loss = binary_cross_entropy_with_logits(network(noisy)[:, 0], soft[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    fold_standardisation(cast(nn.Linear, network[0]), mean, deviation)
    return network.eval()


def measure_patients(network: nn.Module, x: Tensor, y: Tensor, known: Tensor) -> Figures:
    """What the card states, on patients x with labels y; the mean and median patient are those of `known`."""
    p, malignant = probability(network), y == 1
    mean, median = known.mean(0, keepdim=True), known.median(0, keepdim=True).values
    with torch.no_grad():
        sure = p(x)[:, 0]
        right = (sure > 0.5) == malignant
        of_mean, of_median = p(mean).item(), p(median).item()
    return {
        "accuracy": right.double().mean().item(),
        "malignant found": right[malignant].double().mean().item(),
        "benign found": right[~malignant].double().mean().item(),
        "mean confidence": torch.maximum(sure, 1 - sure).mean().item(),
        "mean patient": of_mean,
        "median patient": of_median,
        "IG complete, probability": complete(p, x, None, mean),
        "IG complete, log odds": complete(logit(network), x, None, mean),
    }


ABOUT_DIGITS = About(
    "(N, 1, 8, 8), a scanned digit with ink from 0 (black) to 1. **Output**: (N, 10) logits, one a digit.",
    """The digits are E. Alpaydin and C. Kaynak's *Optical Recognition of
  Handwritten Digits* (1998, UCI Machine Learning Repository, CC BY 4.0), as scikit-learn brings them.""",
    LEGEND,
)
ABOUT_PATIENTS = About(
    "(N, 30), measurements as they were taken. **Output**: (N, 1) log odds of malignant, against benign.",
    """The table is *Breast Cancer Wisconsin (Diagnostic)* by
  W. Wolberg, O. Mangasarian, N. Street and W. Street (1993, UCI Machine Learning Repository, CC BY 4.0), as
  scikit-learn brings it.
- **Not for use on people**: a few hundred patients of one hospital, and measurements of thirty years ago.""",
    """\
Measured on the held-out fifth; F is the probability, or the log odds, of malignant.

- *malignant found*, *benign found*: the share of malignant (benign) patients that the network calls so.
- *mean patient*, *median patient*: the probability of malignant for the mean (median) of the training patients.
- *IG complete*: the share of patients where Integrated Gradients (64 midpoint steps, against the mean patient) adds up
  within 5%.
""",
)


MODELS: dict[str, Callable[[], None]] = {
    "digits": train_digits,
    "saturation": train_saturation,
    "autoencoder": train_autoencoder,
    "patients": train_patients,
    "scenes": train_scenes,
    "shortcut": train_shortcut,
    "frames": train_frames,
    **TEXT_MODELS,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m igteach.training.train", description="Train a shipped network.")
    parser.add_argument("name", choices=MODELS)
    name = parser.parse_args().name
    torch.set_num_threads(1)  # sums in one order: the same machine writes the same bytes
    MODELS[name]()


if __name__ == "__main__":
    main()
