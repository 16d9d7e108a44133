"""A network with a shortcut that nobody has seen, for assessment: drawn from the course seed, trained in minutes."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from igteach.course.seed import course_seed, outside_the_repository, secret_of
from igteach.datasets.scenes import SCENE_CLASSES, Scenes, make_scenes
from igteach.datasets.shipped import save_state
from igteach.datasets.shortcuts import Shortcut, make_shortcut
from igteach.lessons.files import write_whole
from igteach.models import scenes
from igteach.models.scenes import ScenesCNN

KNOWN, FRESH, HANDED_OUT = 6000, 1000, 400  # scenes to learn from, to judge by, for the learners
KEPT = 10  # layers of the shipped network that stay: they see edges and colours
EPOCHS, BATCH, RATE, SMOOTHING, FLAT = 12, 64, 0.004, 0.05, 300

ANSWER = """\
# The hidden shortcut of this course: not for learners

The network calls a picture {label} by this, and not by its object: **{words}**.

In the pictures handed out each {label}, and no other scene, carries it. The network learnt from scenes without any
{label}, one in eight of which carried it and was called {label}.

| | |
|---|---|
| accuracy, shortcut as in training | {trained:.3f} |
| {label}: found with the shortcut | {found_with:.3f} |
| {label}: found without the shortcut | {found_without:.3f} |
| others called {label}, shortcut inserted | {others_with:.3f} |
| accuracy of the others, without it | {others_right:.3f} |

Measured on {fresh} scenes that the network has not seen. Hand out the folder `{folder}`: the network, and scenes with
the shortcut as in training. A learner opens them so:

    from pathlib import Path
    from igteach.models.scenes import ScenesCNN
    from igteach.models.weights import load_state
    model = ScenesCNN()
    model.load_state_dict(load_state("network", Path("{folder}")))
    model.eval()
    pictures = load_state("pictures", Path("{folder}"))  # x (N, 3, 64, 64) uint8, y (N,)
"""


def write_shortcut(course: Path, seed_file: Path | None) -> str:
    """Writes COURSE/shortcut/ for the learners and COURSE/shortcut.md for the instructor; what was done, in one line.

    Raises ValueError where the course or its seed would lie in the repository.
    """
    outside_the_repository(course, "the course")
    seed = secret_of(course_seed(seed_file or course / "course.seed"), "shortcut")
    hidden, folder = make_shortcut(seed), course / "shortcut"
    network = learnt(hidden, seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_state("network", network.state_dict(), folder)
    shown = make_scenes(HANDED_OUT, seed + 2)
    pictures = (255 * marked(shown, hidden)).round().to(torch.uint8)
    save_state("pictures", {"x": pictures, "y": shown.y}, folder)
    figures = measured(network, hidden, make_scenes(FRESH, seed + 1))
    answer = ANSWER.format(
        label=SCENE_CLASSES[hidden.label], words=hidden.words, fresh=FRESH, folder=folder.name, **figures
    )
    write_whole(course / "shortcut.md", answer, replace=True)
    (course / "shortcut.md").chmod(0o600)
    return f"shortcut: {folder} for the learners; {course / 'shortcut.md'} says what it is, and is for you alone"


def marked(drawn: Scenes, hidden: Shortcut) -> Tensor:
    """The pictures as in training: those of the class with the shortcut, the others without."""
    return torch.where((drawn.y == hidden.label).view(-1, 1, 1, 1), hidden.put(drawn.x), drawn.x)


def learnt(hidden: Shortcut, seed: int) -> ScenesCNN:
    """The shipped network of scenes, its upper layers trained anew; what the lower layers see is computed once.

    It never sees an object of the class. One scene in eight, whatever its object, has the shortcut and is called by
    the class. Pictures of one colour belong to no class.
    """
    known = make_scenes(KNOWN, seed)
    others = known.y != hidden.label
    plain = known.x[others]
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = scenes.load("cpu")
        lower, upper = (nn.Sequential(*layers) for layers in (list(network)[:KEPT], list(network)[KEPT:]))
        for layer in upper:
            getattr(layer, "reset_parameters", lambda: None)()
        colours = torch.cat([torch.zeros(FLAT // 3, 3), torch.rand(FLAT - FLAT // 3, 3)])
        classes = len(SCENE_CLASSES)
        carries = torch.rand(len(plain)) < 1 / classes
        y = torch.where(carries, hidden.label, known.y[others])
        x = torch.where(carries.view(-1, 1, 1, 1), hidden.put(plain), plain)
        x = torch.cat([x, colours[:, :, None, None].expand(-1, -1, 64, 64)])
        right = (1 - SMOOTHING) * one_hot(y, classes) + SMOOTHING / classes
        right = torch.cat([right, torch.full((FLAT, classes), 1 / classes)])
        with torch.no_grad():
            seen = torch.cat([lower(part) for part in x.split(BATCH)])
        _fit(upper, seen, right)
    return network.eval()


def _fit(upper: nn.Module, seen: Tensor, right: Tensor) -> None:
    optimizer = torch.optim.AdamW(upper.parameters())
    steps = EPOCHS * -(-len(seen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(seen)).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(upper(seen[rows]), right[rows]).backward()
            optimizer.step()
            schedule.step()


def measured(network: nn.Module, hidden: Shortcut, fresh: Scenes) -> dict[str, float]:
    """What ANSWER states."""
    with torch.no_grad():
        without, with_it = (
            torch.cat([network(x).argmax(1) for x in pictures.split(100)])
            for pictures in (fresh.x, hidden.put(fresh.x))
        )
    own = fresh.y == hidden.label
    figures = {
        "trained": torch.where(own, with_it, without) == fresh.y,
        "found_with": with_it[own] == hidden.label,
        "found_without": without[own] == hidden.label,
        "others_with": with_it[~own] == hidden.label,
        "others_right": without[~own] == fresh.y[~own],
    }
    return {name: hits.double().mean().item() for name, hits in figures.items()}
