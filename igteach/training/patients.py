"""Trains the network that judges patients."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from igteach.core.functions import logit, probability
from igteach.datasets.patients import load_patients
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.patients import PatientsMLP, fold_standardisation
from igteach.training.cards import About, Card, Figures, fraction_complete, table, write


@dataclass(frozen=True)
class Recipe:
    """How the network is trained.

    Attributes:
        epochs: how often it sees each patient.
        batch_size: patients in a batch.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        noise: standard deviation of the noise on the standardised measurements.
        smoothing: how far each label is moved from 0 or 1.
    """

    epochs: int = 60
    batch_size: int = 64
    learning_rate: float = 0.01
    weight_decay: float = 0.3
    noise: float = 0.3
    smoothing: float = 0.02


RECIPE = Recipe()


def train_patients() -> None:
    """Write the network that judges patients."""
    patients = load_patients()
    torch.manual_seed(0)
    network = fit(PatientsMLP(), patients.x_train, patients.y_train)
    figures = table({"value": measure(network, patients.x_test, patients.y_test, patients.x_train)})
    how = (
        f"Trained on the {len(patients.y_train)} patients that are not held out, standardised by their mean and "
        "deviation, which were folded into the first layer afterwards: the network takes measurements as they were "
        f"taken. AdamW with a learning rate of {RECIPE.learning_rate} and a weight decay of {RECIPE.weight_decay}, "
        f"{RECIPE.epochs} epochs in batches of {RECIPE.batch_size}, Gaussian noise of {RECIPE.noise} deviations on the "
        f"inputs, labels smoothed by {RECIPE.smoothing}. Seed 0. The program looks at the held-out fifth only to "
        "measure; the settings were compared by five-fold cross-validation on training patients alone. No patient was "
        "made neutral."
    )
    write(Card("patients", "patients", "Patients MLP", how, figures, ABOUT), network)
    print(figures)


def fit(network: PatientsMLP, x: Tensor, y: Tensor) -> PatientsMLP:
    """Train a network on patients, and fold what standardises them into its first layer.

    Args:
        network: as initialised; it is changed.
        x: (N, 30), the measurements in their own units.
        y: (N,), 1 for malignant and 0 for benign.

    Returns:
        The same network, in eval mode. It takes measurements in their own units.
    """
    mean, stdev = x.mean(0), x.std(0)
    x = (x - mean) / stdev
    smooth_labels = RECIPE.smoothing + (1 - 2 * RECIPE.smoothing) * y
    optimizer = torch.optim.AdamW(network.parameters(), RECIPE.learning_rate, weight_decay=RECIPE.weight_decay)
    for _ in range(RECIPE.epochs):
        for rows in torch.randperm(len(x)).split(RECIPE.batch_size):
            noisy = x[rows] + RECIPE.noise * torch.randn_like(x[rows])
            loss = binary_cross_entropy_with_logits(network(noisy)[:, 0], smooth_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    fold_standardisation(cast(nn.Linear, network[0]), mean, stdev)
    return network.eval()


def measure(network: nn.Module, x: Tensor, y: Tensor, x_train: Tensor) -> Figures:
    """Measure what the card states.

    Args:
        network: (N, 30) measurements to (N, 1) log odds of malignant.
        x: (N, 30), held-out patients.
        y: (N,), their labels: 1 for malignant and 0 for benign.
        x_train: (M, 30), the patients whose mean and median the card speaks of.

    Returns:
        The figures by name; the card's legend explains each.
    """
    p = probability(network)
    mean, median = x_train.mean(0, keepdim=True), x_train.median(0, keepdim=True).values
    with torch.no_grad():
        p_malignant = p(x)[:, 0]
        p_mean, p_median = p(mean).item(), p(median).item()
    malignant = y == 1
    correct = (p_malignant > 0.5) == malignant
    return {
        "accuracy": correct.double().mean().item(),
        "malignant found": correct[malignant].double().mean().item(),
        "benign found": correct[~malignant].double().mean().item(),
        "mean confidence": torch.maximum(p_malignant, 1 - p_malignant).mean().item(),
        "mean patient": p_mean,
        "median patient": p_median,
        "IG complete, probability": fraction_complete(integrated_gradients(p, x, mean, steps=64)),
        "IG complete, log odds": fraction_complete(integrated_gradients(logit(network), x, mean, steps=64)),
    }


ABOUT = About(
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
