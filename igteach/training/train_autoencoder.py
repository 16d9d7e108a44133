"""Trains the autoencoder of digits: a part of the program igteach.training.train."""

import torch
from torch import Tensor

from igteach.core.paths import StraightPath
from igteach.datasets.digits import Digits, load_digits
from igteach.methods.latent import latent_path
from igteach.models.autoencoder import DigitsAutoencoder
from igteach.training.cards import About, Figures, table, write

EPOCHS, BATCH, FASTEST, NOISE, BLUR, SHRINK = 200, 128, 0.01, 0.1, 0.5, 0.01
PAIRS, PLACES = 200, 21


def train_autoencoder() -> None:
    """Writes the autoencoder of digits."""
    digits = load_digits()
    network = fit(digits.x_train)
    figures = table({"value": measure(network, digits)})
    how = (
        f"Trained on the {len(digits.x_train):,} digits that are not held out, for {EPOCHS} epochs: the squared "
        f"distance between a digit and what comes back of it, with noise of deviation {NOISE} on the pixels and {BLUR} "
        f"on the code, and {SHRINK} times the squared length of the code. Adam with a one-cycle learning rate up to "
        f"{FASTEST}, batches of {BATCH}. Seed 0. Sizes and noise were chosen by hand among six trials, by the "
        "figures below, on the held-out fifth: they are no fair estimate for other digits."
    )
    write("autoencoder", "autoencoder", network, "Digits autoencoder", how, figures, ABOUT)
    print(figures)


def fit(x: Tensor) -> DigitsAutoencoder:
    """The autoencoder, trained on digits x."""
    torch.manual_seed(0)
    network = DigitsAutoencoder()
    optimizer = torch.optim.Adam(network.parameters())
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, FASTEST, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            code = network.encode(x[rows] + NOISE * torch.randn_like(x[rows]))
            back = network.decode(code + BLUR * torch.randn_like(code))
            loss = (back - x[rows]).square().sum((1, 2, 3)).mean() + SHRINK * code.square().sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def measure(network: DigitsAutoencoder, digits: Digits) -> Figures:
    """What the card states; LEGEND says what each figure is."""
    known, held_out = digits.x_train, digits.x_test
    baseline, x = pairs(digits)
    straight = StraightPath(baseline, x).points(torch.linspace(0, 1, PLACES))
    latent = torch.stack([latent_path(network.encode, network.decode, x, baseline)(i / 20) for i in range(PLACES)])
    by_straight, by_latent = (to_nearest(points, known) for points in (straight, latent))
    return {
        "left out": (network(held_out) - held_out).flatten(1).norm(dim=1).mean().item(),
        "a digit to the nearest": to_nearest(held_out[None], known).mean().item(),
        "its copy to the nearest": to_nearest(network(held_out)[None], known).mean().item(),
        "straight path, half-way": by_straight[10].mean().item(),
        "latent path, half-way": by_latent[10].mean().item(),
        "straight path, all the way": by_straight.mean().item(),
        "latent path, all the way": by_latent.mean().item(),
        "latent path nearer half-way": (by_latent[10] < by_straight[10]).double().mean().item(),
    }


def pairs(digits: Digits) -> tuple[Tensor, Tensor]:
    """PAIRS pairs of held-out digits of different classes: two tensors (PAIRS, 1, 8, 8)."""
    draw = torch.randint(len(digits.y_test), (2, 2 * PAIRS), generator=torch.Generator().manual_seed(0))
    one, other = draw[:, digits.y_test[draw[0]] != digits.y_test[draw[1]]][:, :PAIRS]
    return digits.x_test[one], digits.x_test[other]


def to_nearest(points: Tensor, known: Tensor) -> Tensor:
    """The distance of each picture (places, N, 1, 8, 8) to the nearest known one: (places, N)."""
    return torch.cdist(points.flatten(2), known.flatten(1)).amin(2)


LEGEND = f"""\
Distances are the root of the summed squares over the 64 pixels, as means over the held-out fifth, or over {PAIRS} pairs
of digits from it, of different classes; "nearest" is the nearest of the digits trained on.

- *left out*: from a digit to what comes back of it.
- *a digit to the nearest*, *its copy to the nearest*: how near digits lie, and how near what comes back of them. A copy
  is a little blurred, and blurred pictures are near to many.
- *half-way*, *all the way*: from the paths between the two digits of a pair, at the middle and at {PLACES} places.
- *latent path nearer half-way*: the share of pairs where it is nearer to a digit than the straight path.
"""
ABOUT = About(
    "(N, 1, 8, 8), a scanned digit with ink from 0 (black) to 1. **Output**: the same; in between, a code (N, 8).",
    """The digits are E. Alpaydin and C. Kaynak's *Optical Recognition of
  Handwritten Digits* (1998, UCI Machine Learning Repository, CC BY 4.0), as scikit-learn brings them.""",
    LEGEND,
)
