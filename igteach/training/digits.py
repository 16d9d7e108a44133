"""Trains the networks that read digits: the CNN, and the pair of the lesson on saturation."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from igteach.core.functions import Function, logit, probability
from igteach.datasets.digits import hold_out_fifth, load_digits
from igteach.methods.gradients import gradient, gradient_times_input
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.digits import DigitsCNN, DigitsMLP
from igteach.training.cards import About, Card, Figures, fraction_complete, table, write

BATCH_SIZE = 128
PEAK_RATE = 0.01  # the highest learning rate of the one-cycle schedule
SMOOTHING = 0.05  # of the labels
NOISE = 0.1  # standard deviation of the noise on the inputs, at most
NEUTRAL = 0.1  # weight in the loss of the black picture, which belongs to no class
FLATNESS = 0.3  # weight of the slope in the flat network's loss
BLACKENED = 8  # pixels that are blacked out to see whether they mattered

RECIPE = (
    f"Adam with a one-cycle learning rate up to {PEAK_RATE}, batches of {BATCH_SIZE}, Gaussian noise of at most "
    f"{NOISE} on the inputs, labels smoothed by {SMOOTHING}, and in every batch a black picture, weight {NEUTRAL}, "
    "whose right answer is 1/10 for each class: black is made neutral. Seed 0. The program looks at the held-out fifth "
    "only to measure; by hand, two first trials of the pair were read on it, and the settings kept were then compared "
    "on training digits alone."
)


def train_digits() -> None:
    """Write the digits CNN."""
    digits = load_digits()
    torch.manual_seed(0)
    network = fit(DigitsCNN(), digits.x_train, digits.y_train, epochs=60)
    figures = table({"value": measure(network, digits.x_test, digits.y_test)})
    how = f"Trained on the {len(digits.y_train):,} digits that are not held out, for 60 epochs. {RECIPE}"
    write(Card("digits", "digits", "Digits CNN", how, figures, ABOUT), network)
    print(figures)


def train_saturation() -> None:
    """Write the plain and the flat network of the lesson on saturation."""
    digits = load_digits()
    x, y, x_check, y_check = hold_out_fifth(digits.x_train, digits.y_train)
    torch.manual_seed(0)
    plain = fit(DigitsMLP(), x, y, epochs=300)
    torch.manual_seed(0)
    flat = fit(DigitsMLP(), x, y, epochs=300, flatness=FLATNESS)
    factor = match_confidence(flat, mean_confidence(plain, x_check), x_check)
    columns = {
        "plain": measure(plain, digits.x_test, digits.y_test),
        "flat": measure(flat, digits.x_test, digits.y_test),
    }
    figures = table(columns)

    how = (
        f"Trained on {len(y):,} digits, for 300 epochs; {len(y_check)} more, also outside the held-out fifth, "
        f"served to match the confidence of the pair. {RECIPE}"
    )
    penalty = (
        f" Its loss has one more term, {FLATNESS} times the mean of ||gradient|| ||x|| / (F(x) - F(black)), once with "
        "F the logit of the right class and once with its log odds. Afterwards its last layer was multiplied by "
        f"{factor:.3f}, so that both networks are equally sure of themselves."
    )
    title = "Saturation: the plain network"
    write(Card("saturation_plain", "saturation", title, how, figures, ABOUT), plain)
    title = "Saturation: the flat network"
    write(Card("saturation_flat", "saturation", title, how + penalty, figures, ABOUT), flat)
    print(figures)


def fit(network: nn.Module, x: Tensor, y: Tensor, epochs: int, flatness: float = 0.0) -> nn.Module:
    """Train a network on digits.

    Args:
        network: (N, 1, 8, 8) to (N, 10) logits, as initialised; it is changed.
        x: (N, 1, 8, 8), ink in [0, 1].
        y: (N,), the digits.
        epochs: how often it sees each digit.
        flatness: weight in the loss of the slope at the inputs.

    Returns:
        The same network, in eval mode.
    """
    batches = -(-len(x) // BATCH_SIZE)  # rounded up
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=epochs * batches)
    black, no_class = torch.zeros_like(x[:1]), torch.full((1, 10), 0.1)
    for epoch in range(epochs):
        warm_up = min(1.0, epoch / (0.3 * epochs))
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
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
    """The mean of ||grad F|| ||x|| / (F(x) - F(0)), summed over two choices of F: the logit and the log odds of y.

    Args:
        network: (N, 1, 8, 8) to (N, 10) logits.
        x: (N, 1, 8, 8), ink in [0, 1].
        y: (N,), the digits.

    Returns:
        A scalar, through which gradients reach the parameters of the network.
    """
    x = x.detach().requires_grad_()
    total = x.new_zeros(())
    at_input = _logit_and_log_odds(network(x), y)
    at_black = _logit_and_log_odds(network(0 * x), y)
    for f_input, f_black in zip(at_input, at_black, strict=True):
        (grad,) = torch.autograd.grad(f_input.sum(), x, create_graph=True)
        rise = (f_input - f_black).clamp_min(1.0)  # before F has learnt to rise, the ratio would explode
        total = total + (grad.flatten(1).norm(dim=1) * x.flatten(1).norm(dim=1) / rise).mean()
    return total


def _logit_and_log_odds(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Both (N,), of the classes y."""
    of_y = logits.gather(1, y[:, None])[:, 0]
    of_the_others = logits.scatter(1, y[:, None], -torch.inf).logsumexp(1)
    return of_y, of_y - of_the_others


@torch.no_grad()
def match_confidence(network: nn.Module, wanted: float, x: Tensor) -> float:
    """Scale the last layer of a network until its mean confidence is the one that is wanted.

    Args:
        network: to logits; its last layer is changed.
        wanted: the mean probability of the predicted class, between 0 and 1.
        x: (N, ...), the inputs over which the mean is taken.

    Returns:
        The factor by which the last layer was multiplied, found by bisection between 0.01 and 100.

    Example:
        >>> network, x = nn.Sequential(nn.Linear(4, 3)), torch.rand(20, 4)
        >>> factor = match_confidence(network, 0.6, x)
        >>> round(mean_confidence(network, x), 4)
        0.6
    """
    logits = network(x)
    low, high = 0.01, 100.0
    for _ in range(60):
        factor = (low * high) ** 0.5
        confidence = (factor * logits).softmax(1).amax(1).mean().item()
        if confidence < wanted:
            low = factor
        else:
            high = factor
    for parameter in list(network.children())[-1].parameters():
        parameter.mul_(factor)
    return factor


def mean_confidence(network: nn.Module, x: Tensor) -> float:
    """The mean over x of the probability of the predicted class."""
    with torch.no_grad():
        return network(x).softmax(1).amax(1).mean().item()


LEGEND = f"""\
Measured on the held-out fifth; x' is the black picture, F belongs to the predicted class.

- *black picture*: the highest probability that any class gets for x'.
- *slope*: the median of ||gradient|| ||x - x'|| / |F(x) - F(x')|, which no scaling of F changes.
- *IG complete*: the share of digits where Integrated Gradients (64 midpoint steps) adds up within 5%.
- *left after*: the mean probability left once {BLACKENED} inked pixels are painted black: those of the most IG, of the
  largest |gradient|, with the most ink, or any. The last two take no network to find.
"""


def measure(network: nn.Module, x: Tensor, y: Tensor) -> Figures:
    """Measure what a card states.

    Args:
        network: (N, 1, 8, 8) to (N, 10) logits.
        x: (N, 1, 8, 8), held-out digits with ink in [0, 1].
        y: (N,), their labels.

    Returns:
        The figures by name; LEGEND explains each.
    """
    with torch.no_grad():
        predicted = network(x).argmax(1)
    p, ink = probability(network), x.flatten(1)
    saliency = gradient(p, x, target=predicted).values.flatten(1).abs()
    ig = integrated_gradients(p, x, target=predicted, steps=64)
    ig_of_logit = integrated_gradients(logit(network), x, target=predicted, steps=64)
    random_order = torch.rand(ink.shape, generator=torch.Generator().manual_seed(0))
    return {
        "accuracy": (predicted == y).double().mean().item(),
        "mean confidence": mean_confidence(network, x),
        "black picture": mean_confidence(network, torch.zeros_like(x[:1])),
        "slope of the probability": median_slope(p, x, predicted),
        "slope of the logit": median_slope(logit(network), x, predicted),
        "IG complete, probability": fraction_complete(ig),
        "IG complete, logit": fraction_complete(ig_of_logit),
        "left after most IG": left_after_blackening(p, x, predicted, ig.values.flatten(1)),
        "left after largest gradient": left_after_blackening(p, x, predicted, saliency * (ink > 0)),
        "left after most ink": left_after_blackening(p, x, predicted, ink),
        "left after any ink": left_after_blackening(p, x, predicted, random_order * (ink > 0)),
    }


def median_slope(f: Function, x: Tensor, target: Tensor) -> float:
    """The median over x of ||grad F|| ||x|| / |F(x) - F(0)|.

    Args:
        f: F, from (N, ...) to (N, classes).
        x: (N, ...).
        target: (N,), the class that F is of in each row.

    Returns:
        The median; scaling F does not change it.

    Example:
        >>> x = torch.eye(3)
        >>> median_slope(lambda x: 7 * x, x, target=torch.arange(3))
        1.0
    """
    slopes = gradient(f, x, target=target)
    products = gradient_times_input(f, x, target=target)
    rise = (products.f_input - cast(Tensor, products.f_baseline)).abs()
    return (slopes.values.flatten(1).norm(dim=1) * x.flatten(1).norm(dim=1) / rise).median().item()


def left_after_blackening(p: Function, x: Tensor, target: Tensor, scores: Tensor) -> float:
    """The mean probability that remains once the pixels with the highest scores are blacked out.

    Args:
        p: probabilities, from (N, 1, 8, 8) to (N, classes).
        x: (N, 1, 8, 8), ink in [0, 1].
        target: (N,), the classes.
        scores: (N, 64), of which the BLACKENED highest in each row count.

    Returns:
        The mean over x of the probability of the target.

    Example:
        >>> x = torch.ones(2, 1, 8, 8)
        >>> p = lambda x: x.flatten(1).mean(1, keepdim=True)
        >>> left_after_blackening(p, x, torch.zeros(2, dtype=torch.long), scores=torch.rand(2, 64))
        0.875
    """
    highest = scores.topk(BLACKENED, dim=1).indices
    blackened = x.flatten(1).scatter(1, highest, 0.0).view_as(x)
    with torch.no_grad():
        return p(blackened).gather(1, target[:, None]).mean().item()


ABOUT = About(
    "(N, 1, 8, 8), a scanned digit with ink from 0 (black) to 1. **Output**: (N, 10) logits, one a digit.",
    """The digits are E. Alpaydin and C. Kaynak's *Optical Recognition of
  Handwritten Digits* (1998, UCI Machine Learning Repository, CC BY 4.0), as scikit-learn brings them.""",
    LEGEND,
)
