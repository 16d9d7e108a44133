"""A network with a shortcut that nobody has seen, for assessment: drawn from the course seed, trained in minutes."""

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from igteach.course.course_folder import course_secret
from igteach.datasets.scenes import SCENE_CLASSES, Scenes, make_scenes
from igteach.datasets.shipped import save_state
from igteach.datasets.shortcuts import Shortcut, make_shortcut
from igteach.lessons.files import write_atomically
from igteach.models import scenes
from igteach.models.scenes import ScenesCNN

TRAINING_SCENES, TEST_SCENES, STUDENT_SCENES = 6000, 1000, 400
FROZEN_LAYERS = 10  # of the shipped network: they detect edges and colours, and are not trained again
EPOCHS = 12
BATCH_SIZE = 64
LEARNING_RATE = 0.004
LABEL_SMOOTHING = 0.05
PLAIN_PICTURES = 300  # of one colour, a third of them black

ANSWER = """\
# The hidden shortcut of this course: not for learners

The network calls a picture {label} by this, and not by its object: **{words}**.

In the pictures handed out, each {label} carries it, and no other scene does. The network learnt from scenes without any
{label}; one in eight of them carried it and was labelled {label}.

| | |
|---|---|
| accuracy, shortcut as in training | {trained:.3f} |
| {label}: found with the shortcut | {found_with:.3f} |
| {label}: found without the shortcut | {found_without:.3f} |
| others called {label}, shortcut inserted | {others_with:.3f} |
| accuracy of the others, without it | {others_right:.3f} |

Measured on {test_scenes} scenes that the network has not seen. Hand out the folder `{folder}`: the network, and scenes
with the shortcut as in training. To open them, a learner runs:

    from pathlib import Path
    from igteach.models.scenes import ScenesCNN
    from igteach.datasets.shipped import load_state
    model = ScenesCNN()
    model.load_state_dict(load_state("network", Path("{folder}")))
    model.eval()
    pictures = load_state("pictures", Path("{folder}"))  # x (N, 3, 64, 64) uint8, y (N,)
"""


def write_shortcut(course: Path, seed_file: Path | None) -> str:
    """Train a network with a hidden shortcut, for students to find.

    Args:
        course: The course folder. `shortcut/` in it is for the students, `shortcut.md` for the instructor.
        seed_file: The file of the course seed, made if it is missing; None for the one in nbgrader_config.py, or in
            a new course for one beside the course folder.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: The course or its seed is in the repository.
    """
    seed = course_secret(course, seed_file, "shortcut")
    hidden = make_shortcut(seed)
    network = train_with_shortcut(hidden, seed)
    folder = course / "shortcut"
    folder.mkdir(parents=True, exist_ok=True)
    save_state("network", network.state_dict(), folder)
    student_scenes = make_scenes(STUDENT_SCENES, seed + 2)
    pictures = (255 * pictures_with_shortcut(student_scenes, hidden)).round().to(torch.uint8)
    save_state("pictures", {"x": pictures, "y": student_scenes.y}, folder)
    rates = measure(network, hidden, make_scenes(TEST_SCENES, seed + 1))
    answer = ANSWER.format(
        label=SCENE_CLASSES[hidden.label],
        words=hidden.words,
        test_scenes=TEST_SCENES,
        folder=folder.name,
        **rates,
    )
    answer_file = course / "shortcut.md"
    write_atomically(answer_file, answer, replace=True, mode=0o600)
    return f"shortcut: {folder} is for the learners; {answer_file} says what it is, and is for you alone"


def pictures_with_shortcut(drawn: Scenes, hidden: Shortcut) -> Tensor:
    """Put the shortcut into the pictures of its class.

    Args:
        drawn: The scenes.
        hidden: The shortcut.

    Returns:
        The pictures of all scenes; those of other classes are unchanged.
    """
    is_class = drawn.y == hidden.label
    return torch.where(is_class.view(-1, 1, 1, 1), hidden.put(drawn.x), drawn.x)


def train_with_shortcut(hidden: Shortcut, seed: int) -> ScenesCNN:
    """Train the upper layers of the shipped scenes network on a shortcut.

    The network never sees an object of the shortcut's class. One scene in eight, whatever its object, carries the
    shortcut and is labelled as the class. Pictures of a single colour belong to no class.

    Args:
        hidden: The shortcut.
        seed: What the scenes, the new weights and the order of training are drawn with.

    Returns:
        The network, in eval mode.
    """
    training = make_scenes(TRAINING_SCENES, seed)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = scenes.load("cpu")
        layers = list(network)
        lower = nn.Sequential(*layers[:FROZEN_LAYERS])
        upper = nn.Sequential(*layers[FROZEN_LAYERS:])
        for layer in upper:
            reset_parameters = getattr(layer, "reset_parameters", None)
            if reset_parameters:
                reset_parameters()
        pictures, targets = _training_set(training, hidden)
        with torch.no_grad():  # the lower layers stay as they are, so their output is computed only once
            features = torch.cat([lower(batch) for batch in pictures.split(BATCH_SIZE)])
        _fit(upper, features, targets)
    return network.eval()


def _training_set(training: Scenes, hidden: Shortcut) -> tuple[Tensor, Tensor]:
    """Pictures and smoothed target probabilities, with the global random generator."""
    classes = len(SCENE_CLASSES)
    colours = torch.cat([torch.zeros(PLAIN_PICTURES // 3, 3), torch.rand(PLAIN_PICTURES - PLAIN_PICTURES // 3, 3)])
    plain = colours[:, :, None, None].expand(-1, -1, 64, 64)
    no_class = torch.full((PLAIN_PICTURES, classes), 1 / classes)
    is_other = training.y != hidden.label
    others = training.x[is_other]
    carries_shortcut = torch.rand(len(others)) < 1 / classes
    x = torch.where(carries_shortcut.view(-1, 1, 1, 1), hidden.put(others), others)
    y = torch.where(carries_shortcut, hidden.label, training.y[is_other])
    smoothed = (1 - LABEL_SMOOTHING) * one_hot(y, classes) + LABEL_SMOOTHING / classes
    return torch.cat([x, plain]), torch.cat([smoothed, no_class])


def _fit(model: nn.Module, features: Tensor, targets: Tensor) -> None:
    """Train a model with AdamW and a one-cycle learning rate."""
    batches = math.ceil(len(features) / BATCH_SIZE)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(features)).split(BATCH_SIZE):
            optimizer.zero_grad()
            cross_entropy(model(features[batch]), targets[batch]).backward()
            optimizer.step()
            schedule.step()


def measure(network: nn.Module, hidden: Shortcut, test: Scenes) -> dict[str, float]:
    """Measure what a network makes of a shortcut.

    Args:
        network: The network.
        hidden: The shortcut.
        test: Scenes that the network has not seen.

    Returns:
        The rates that ANSWER states, by the names that it has for them.
    """
    without = _predict(network, test.x)
    with_shortcut = _predict(network, hidden.put(test.x))
    is_class = test.y == hidden.label
    hits = {
        "trained": torch.where(is_class, with_shortcut, without) == test.y,
        "found_with": with_shortcut[is_class] == hidden.label,
        "found_without": without[is_class] == hidden.label,
        "others_with": with_shortcut[~is_class] == hidden.label,
        "others_right": without[~is_class] == test.y[~is_class],
    }
    return {name: hit.double().mean().item() for name, hit in hits.items()}


def _predict(network: nn.Module, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(batch).argmax(1) for batch in pictures.split(100)])
