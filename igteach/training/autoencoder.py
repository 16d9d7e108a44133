"""Trains the autoencoder of digits."""

import torch
from torch import Tensor

from igteach.core.paths import StraightPath
from igteach.datasets.digits import Digits, load_digits
from igteach.methods.latent import latent_path
from igteach.models.autoencoder import DigitsAutoencoder
from igteach.training.cards import About, Card, Figures, table, write
from igteach.training.steps import take_step

EPOCHS = 200
BATCH_SIZE = 128
PEAK_RATE = 0.01  # the highest learning rate of the one-cycle schedule
NOISE = 0.1  # standard deviation of the noise on the pixels
BLUR = 0.5  # standard deviation of the noise on the code
SHRINK = 0.01  # weight in the loss of the squared length of the code
PAIRS = 200  # pairs of digits that the card measures paths between
POINTS = 21  # on each path
HALF_WAY = POINTS // 2


def train_autoencoder() -> None:
    """Write the autoencoder of digits."""
    digits = load_digits()
    network = fit(digits.x_train)
    figures = table({"value": measure(network, digits)})
    how = (
        f"Trained on the {len(digits.x_train):,} digits that are not held out, for {EPOCHS} epochs: the squared "
        f"distance between a digit and what comes back of it, with noise of deviation {NOISE} on the pixels and {BLUR} "
        f"on the code, and {SHRINK} times the squared length of the code. Adam with a one-cycle learning rate up to "
        f"{PEAK_RATE}, batches of {BATCH_SIZE}. Seed 0. Sizes and noise were chosen by hand among six trials, by the "
        "figures below, on the held-out fifth: they are no fair estimate for other digits."
    )
    write(Card("autoencoder", "autoencoder", "Digits autoencoder", how, figures, ABOUT), network)
    print(figures)


def fit(x: Tensor) -> DigitsAutoencoder:
    """Train an autoencoder on digits.

    Args:
        x: (N, 1, 8, 8), ink in [0, 1].

    Returns:
        The network, in eval mode.
    """
    torch.manual_seed(0)
    network = DigitsAutoencoder()
    optimizer = torch.optim.Adam(network.parameters())
    steps = EPOCHS * -(-len(x) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            code = network.encode(x[rows] + NOISE * torch.randn_like(x[rows]))
            copies = network.decode(code + BLUR * torch.randn_like(code))
            loss = (copies - x[rows]).square().sum((1, 2, 3)).mean() + SHRINK * code.square().sum(1).mean()
            take_step(loss, optimizer, schedule)
    return network.eval()


@torch.no_grad()
def measure(network: DigitsAutoencoder, digits: Digits) -> Figures:
    """Measure what the card states.

    Args:
        network: the autoencoder.
        digits: those it was trained on, and those held out.

    Returns:
        The figures by name; LEGEND explains each.
    """
    known, held_out = digits.x_train, digits.x_test
    baseline, x = pairs(digits)
    straight = StraightPath(baseline, x).points(torch.linspace(0, 1, POINTS))
    point_at = latent_path(network.encode, network.decode, x, baseline)
    latent = torch.stack([point_at(i / (POINTS - 1)) for i in range(POINTS)])
    from_straight, from_latent = to_nearest(straight, known), to_nearest(latent, known)
    latent_is_nearer = from_latent[HALF_WAY] < from_straight[HALF_WAY]
    return {
        "left out": (network(held_out) - held_out).flatten(1).norm(dim=1).mean().item(),
        "a digit to the nearest": to_nearest(held_out[None], known).mean().item(),
        "its copy to the nearest": to_nearest(network(held_out)[None], known).mean().item(),
        "straight path, half-way": from_straight[HALF_WAY].mean().item(),
        "latent path, half-way": from_latent[HALF_WAY].mean().item(),
        "straight path, all the way": from_straight.mean().item(),
        "latent path, all the way": from_latent.mean().item(),
        "latent path nearer half-way": latent_is_nearer.double().mean().item(),
    }


def pairs(digits: Digits) -> tuple[Tensor, Tensor]:
    """Pairs of held-out digits of different classes, always the same: two tensors (PAIRS, 1, 8, 8)."""
    drawn = torch.randint(len(digits.y_test), (2, 2 * PAIRS), generator=torch.Generator().manual_seed(0))
    classes = digits.y_test[drawn]
    first, second = drawn[:, classes[0] != classes[1]][:, :PAIRS]
    return digits.x_test[first], digits.x_test[second]


def to_nearest(points: Tensor, known: Tensor) -> Tensor:
    """The Euclidean distance of each picture to the nearest known one.

    Args:
        points: (places, N, 1, 8, 8).
        known: (M, 1, 8, 8).

    Returns:
        (places, N).

    Example:
        >>> to_nearest(torch.full((1, 1, 1, 8, 8), 0.5), known=torch.zeros(3, 1, 8, 8))
        tensor([[4.]])
    """
    return torch.cdist(points.flatten(2), known.flatten(1)).amin(2)


LEGEND = f"""\
Distances are the root of the summed squares over the 64 pixels, as means over the held-out fifth, or over {PAIRS} pairs
of digits from it, of different classes; "nearest" is the nearest of the digits trained on.

- *left out*: from a digit to what comes back of it.
- *a digit to the nearest*, *its copy to the nearest*: how near digits lie, and how near what comes back of them. A copy
  is a little blurred, and blurred pictures are near to many.
- *half-way*, *all the way*: from the paths between the two digits of a pair, at the middle and at {POINTS} places.
- *latent path nearer half-way*: the share of pairs where it is nearer to a digit than the straight path.
"""
ABOUT = About(
    "(N, 1, 8, 8), a scanned digit with ink from 0 (black) to 1. **Output**: the same; in between, a code (N, 8).",
    """The digits are E. Alpaydin and C. Kaynak's *Optical Recognition of
  Handwritten Digits* (1998, UCI Machine Learning Repository, CC BY 4.0), as scikit-learn brings them.""",
    LEGEND,
)
