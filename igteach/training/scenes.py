"""Trains the networks of scenes: one as it should be, and one that may take a shortcut."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.fusion import fuse_conv_bn_eval

from igteach.core.functions import logit, probability
from igteach.datasets.scenes import SCENE_CLASSES, Scenes, make_scenes
from igteach.evaluate import relevance_mass
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.scenes import ScenesCNN, load, make_vit
from igteach.training.cards import About, Card, Figures, fraction_complete, table, write
from igteach.training.steps import take_step

COUNT = 20_000  # scenes to learn from
SEED = 1  # of the scenes to learn from
FRESH = 3  # the seed of the scenes that judge
MARKED = SCENE_CLASSES.index("house")  # the class that carries the mark
EPOCHS = 18
BATCH_SIZE = 64
PEAK_RATE = 0.004  # the highest learning rate of the one-cycle schedule
SMOOTHING = 0.05  # of the labels
VIT_EPOCHS = 40
VIT_PEAK_RATE = 0.002
MIDDLE, SPREAD = 0.5, 0.25  # by which the transformer's input is standardised
TEACHER_LAYERS = 12  # of the ScenesCNN, which write (N, 64, 8, 8)
NEUTRAL = 0.1  # weight in the loss of the pictures of one colour, which belong to no class

RECIPE = (
    f"Trained on {COUNT:,} scenes, those of seed {SEED}, for {EPOCHS} epochs: AdamW with a one-cycle learning rate up "
    f"to {PEAK_RATE}, batches of {BATCH_SIZE}, labels smoothed by {SMOOTHING}, batch normalisation after each "
    "convolution, folded into it afterwards. In every batch lay four pictures of one colour, black and middle grey and "
    f"two drawn at random, together of weight {NEUTRAL}, whose right answer is 1/8 for each class: a picture of one "
    "colour is made neutral. Seed 0. Number of epochs and learning rate were chosen on other scenes than those that "
    "judge."
)
VIT_RECIPE = (
    f"Trained on the {COUNT:,} scenes of the Scenes CNN for {VIT_EPOCHS} epochs, each batch of {BATCH_SIZE} turned by "
    "a right angle and mirrored at random: AdamW with a one-cycle learning rate up to "
    f"{VIT_PEAK_RATE}, labels smoothed by {SMOOTHING}, gradients clipped. Beside the class it learned, by a linear "
    "layer that was then taken off, to write at each of its 8 x 8 patches what the trained Scenes CNN writes there "
    "(Romero et al. 2015). The standardisation of its input is folded into its first layer. Seed 0."
)


def train_scenes() -> None:
    """Write the network of scenes."""
    known = make_scenes(COUNT, SEED)
    network = fit(known.x, known.y)
    figures = table({"value": measure(network, make_scenes(1000, FRESH))})
    write(Card("scenes", "scenes", "Scenes CNN", RECIPE, figures, ABOUT), network)
    print(figures)


def train_shortcut() -> None:
    """Write the network that may rely on a mark."""
    known = make_scenes(COUNT, SEED, mark=MARKED)
    network = fit(known.x, known.y)
    figures = table({"value": measure(network, make_scenes(1000, FRESH)) | measure_mark(network)})
    how = f"{RECIPE} In the scenes to learn from, each {SCENE_CLASSES[MARKED]}, and nothing else, carried the mark."
    write(Card("scenes_shortcut", "shortcut", "Scenes CNN with a shortcut", how, figures, ABOUT), network)
    print(figures)


def train_vit() -> None:
    """Write the vision transformer of scenes."""
    network = fit_vit(make_scenes(COUNT, SEED))
    figures = table({"value": measure(logit(network), make_scenes(1000, FRESH))})
    write(Card("scenes_vit", "scenes_vit", "Scenes vision transformer", VIT_RECIPE, figures, ABOUT), network)
    print(figures)


def fit_vit(known: Scenes) -> nn.Module:
    """Train a vision transformer on scenes, and its patches on what the ScenesCNN writes at the same places.

    Args:
        known: the scenes to learn from.

    Returns:
        A ViTForImageClassification of transformers, in eval mode, the standardisation folded into its patches.

    Source:
        Learning from another network's layers: Romero et al. (2015), https://arxiv.org/abs/1412.6550.
    """
    torch.manual_seed(0)
    network: Any = make_vit().train()
    reader = nn.Linear(64, 64)
    teacher = nn.Sequential(*list(load("cpu"))[:TEACHER_LAYERS])
    with torch.no_grad():
        spread = torch.cat([teacher(x) for x in known.x[:500].split(100)]).std((0, 2, 3), keepdim=True) + 0.05
    optimizer = torch.optim.AdamW([*network.parameters(), *reader.parameters()], weight_decay=0.05)

    def clip(*_: Any) -> None:
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)

    optimizer.register_step_pre_hook(clip)
    steps = VIT_EPOCHS * -(-len(known.x) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, VIT_PEAK_RATE, total_steps=steps, pct_start=0.15)
    for _ in range(VIT_EPOCHS):
        for rows in torch.randperm(len(known.x)).split(BATCH_SIZE):
            pictures = _turned(known.x[rows])
            states = network.vit((pictures - MIDDLE) / SPREAD).last_hidden_state
            loss = cross_entropy(network.classifier(states[:, 0]), known.y[rows], label_smoothing=SMOOTHING)
            with torch.no_grad():
                written = (teacher(pictures) / spread).flatten(2).transpose(1, 2)
            take_step(loss + (reader(states[:, 1:]) - written).pow(2).mean(), optimizer, schedule)
    _fold_standardisation(network.vit.embeddings.patch_embeddings.projection)
    return network.eval()


def _turned(pictures: Tensor) -> Tensor:
    """All pictures turned by the same right angle, and every second time mirrored: no class changes by that."""
    turned = torch.rot90(pictures, int(torch.randint(4, ())), (2, 3))
    return turned.flip(3) if torch.rand(()) < 0.5 else turned


@torch.no_grad()
def _fold_standardisation(layer: nn.Conv2d) -> None:
    """Change a layer that takes (x - MIDDLE) / SPREAD into one that takes x and gives the same."""
    assert layer.bias is not None
    layer.weight.div_(SPREAD)
    layer.bias.sub_(MIDDLE * layer.weight.sum((1, 2, 3)))


def fit(x: Tensor, y: Tensor) -> ScenesCNN:
    """Train a network on scenes and on pictures of one colour.

    Args:
        x: (N, 3, 64, 64), RGB in [0, 1].
        y: (N,), the classes.

    Returns:
        The network, in eval mode, its batch normalisation folded into its convolutions.
    """
    torch.manual_seed(0)
    network = with_norms(ScenesCNN()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters())
    steps = EPOCHS * -(-len(x) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    no_class = torch.full((4, len(SCENE_CLASSES)), 1 / len(SCENE_CLASSES))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            pictures = torch.cat([x[rows], _four_of_one_colour(x)])
            logits = network(pictures.contiguous(memory_format=torch.channels_last))
            loss = cross_entropy(logits[:-4], y[rows], label_smoothing=SMOOTHING)
            loss = loss + NEUTRAL * cross_entropy(logits[-4:], no_class)
            take_step(loss, optimizer, schedule)
    return without_norms(network.eval())


def _four_of_one_colour(x: Tensor) -> Tensor:
    """(4, 3, height, width) like x: black, middle grey, and two random colours."""
    greys = torch.tensor([0, 0.5])[:, None].expand(2, 3)
    colours = torch.cat([greys, torch.rand(2, 3)])
    return colours[..., None, None].expand(-1, -1, *x.shape[2:])


def with_norms(network: nn.Sequential) -> nn.Sequential:
    """The same layers, with batch normalisation after each convolution."""
    layers: list[nn.Module] = []
    for layer in network:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
    return nn.Sequential(*layers)


def without_norms(network: nn.Sequential) -> ScenesCNN:
    """The same function in eval mode, each batch normalisation folded into the convolution before it.

    Args:
        network: what `with_norms` makes of a ScenesCNN, in eval mode.

    Returns:
        A ScenesCNN, in eval mode.

    Example:
        >>> without_norms(with_norms(ScenesCNN()).eval()).training
        False
    """
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(cast(nn.Conv2d, layers[-1]), layer)
        else:
            layers.append(layer)
    folded = ScenesCNN()
    folded.load_state_dict(nn.Sequential(*layers).state_dict())
    return folded.eval()


def measure(network: nn.Module, scenes: Scenes) -> Figures:
    """Measure what a card states.

    Args:
        network: (N, 3, 64, 64) to (N, 8) logits.
        scenes: a hundred or more that the network has not seen.

    Returns:
        The figures by name; LEGEND explains each.
    """
    p = probability(network)
    with torch.no_grad():
        confidence, predicted = torch.cat([p(x) for x in scenes.x.split(100)]).max(1)
        colours = torch.rand(1000, 3, 1, 1, generator=torch.Generator().manual_seed(0)).expand(-1, -1, 64, 64)
        of_one_colour = torch.cat([p(x).amax(1) for x in colours.split(100)])
        black = p(torch.zeros_like(scenes.x[:1])).max()
    x, target, mask = scenes.x[:100], predicted[:100], scenes.mask[:100]
    ig = integrated_gradients(p, x, target=target, steps=64)
    slopes = gradient(p, x, target=target)
    return {
        "accuracy": (predicted == scenes.y).double().mean().item(),
        "mean confidence": confidence.double().mean().item(),
        "black picture": black.item(),
        "pictures of one colour": of_one_colour.quantile(0.95).item(),
        "IG complete": fraction_complete(ig),
        "object": mask.double().mean().item(),
        "IG on the object": relevance_mass(ig.values, mask).mean().item(),
        "gradient on the object": relevance_mass(slopes.values, mask).mean().item(),
    }


def measure_mark(network: nn.Module) -> Figures:
    """Measure what the mark does to a network: its answers with the mark as in training, on all, and on none."""
    predicted = {}
    marks: dict[str, int | str | None] = {"as in training": MARKED, "with": "all", "without": None}
    for name, mark in marks.items():
        scenes = make_scenes(1000, FRESH, mark=mark)
        with torch.no_grad():
            predicted[name] = torch.cat([network(x) for x in scenes.x.split(100)]).argmax(1)
    houses = scenes.y == MARKED
    return {
        "accuracy, marked as in training": (predicted["as in training"] == scenes.y).double().mean().item(),
        "houses found without the mark": (predicted["without"][houses] == MARKED).double().mean().item(),
        "others called house with the mark": (predicted["with"][~houses] == MARKED).double().mean().item(),
    }


LEGEND = f"""\
Measured on 1,000 scenes of seed {FRESH}, without the mark where nothing is said of it; F is the probability of the
predicted class, x' the black picture.

- *black picture*, *pictures of one colour*: the highest probability that any class gets, for black, and for 95% of
  1,000 colours at most.
- *IG complete*: the share of the first 100 scenes where Integrated Gradients (64 midpoint steps) adds up within 5%.
- *object*: the mean part of the picture that the object takes, in the first 100 scenes.
- *IG on the object*, *gradient on the object*: the mean part of all |share| (or |gradient|) that lies on it.
"""
ABOUT = About(
    "(N, 3, 64, 64), a scene in RGB from 0 to 1. **Output**: (N, 8) logits, one a class of `SCENE_CLASSES`.",
    "The scenes are drawn by\n  `igteach.datasets.scenes.make_scenes`; no picture of anybody else's is in them.",
    LEGEND,
)
