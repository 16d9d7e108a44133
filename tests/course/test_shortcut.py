"""The hidden shortcut of a course: another seed, another network; nothing of it in the repository."""

import pytest
import torch

from igteach.course import shortcut
from igteach.course.commands import main
from igteach.datasets.scenes import make_scenes
from igteach.datasets.shipped import load_state
from igteach.datasets.shortcuts import make_shortcut
from igteach.lessons.lesson import root
from igteach.models import scenes
from igteach.models.scenes import ScenesCNN


@pytest.fixture
def quick(monkeypatch):
    for name, value in {
        "TRAINING_SCENES": 64,
        "EPOCHS": 2,
        "TEST_SCENES": 40,
        "STUDENT_SCENES": 16,
        "PLAIN_PICTURES": 6,
    }.items():
        monkeypatch.setattr(shortcut, name, value)


def written(course, digit):
    seed = course.with_suffix(".my-seed")
    course.mkdir()
    seed.write_text(digit * 64)
    assert main(["shortcut", str(course), "--seed", str(seed)]) == 0
    network = ScenesCNN()
    network.load_state_dict(load_state("network", course / "shortcut"))
    return (course / "shortcut.md").read_text(), network, load_state("pictures", course / "shortcut")


def test_the_command_writes_a_network_and_pictures_which_differ_by_seed(tmp_path, quick):
    answer, network, pictures = written(tmp_path / "one", "a")
    again, same, _ = written(tmp_path / "again", "a")
    other, changed, others = written(tmp_path / "other", "b")
    assert answer == again
    assert torch.equal(network[-1].weight, same[-1].weight)
    assert not torch.equal(network[-1].weight, changed[-1].weight)
    assert answer != other
    assert pictures["x"].shape == (16, 3, 64, 64)
    assert pictures["x"].dtype == torch.uint8
    assert not torch.equal(pictures["x"], others["x"])
    names = {path.name for path in (tmp_path / "one" / "shortcut").iterdir()}
    assert names == {"network.safetensors", "pictures.safetensors", "SHA256SUMS"}


def test_only_the_class_carries_it_in_what_is_handed_out():
    hidden, drawn = make_shortcut(3), make_scenes(16, 0)
    changed = (shortcut.pictures_with_shortcut(drawn, hidden) != drawn.x).flatten(1).any(1)
    assert torch.equal(changed, drawn.y == hidden.label)


def test_the_upper_layers_are_new_and_the_lower_ones_as_shipped(quick):
    shipped, state = scenes.load("cpu"), torch.get_rng_state()
    network = shortcut.train_with_shortcut(make_shortcut(0), 5)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(network[8].weight, shipped[8].weight)
    assert not torch.equal(network[10].weight, shipped[10].weight)


def test_what_the_answer_states_is_what_a_network_does():
    class Cheat(torch.nn.Module):
        """Answers the class where the picture is as bright as the shortcut makes it, else another."""

        def forward(self, x):
            return torch.stack(
                [(x[:, 0, 0, 0] > 2).float() if k == hidden.label else 0.5 + 0 * x[:, 0, 0, 0] for k in range(8)], 1
            )

    hidden = make_shortcut(3)
    cover = torch.zeros(64, 64)
    cover[0, 0] = 1
    hidden = type(hidden)(hidden.kind, hidden.words, hidden.label, cover, torch.full((3, 64, 64), 3.0))
    found = shortcut.measure(Cheat(), hidden, make_scenes(40, 0))
    assert found["found_with"] == found["others_with"] == 1
    assert found["found_without"] == 0


@pytest.mark.parametrize("inside", ["course", "seed"])
def test_neither_course_nor_seed_may_lie_in_the_repository(inside, tmp_path, quick, capsys):
    course, seed = (root() if inside == name else tmp_path for name in ("course", "seed"))
    assert main(["shortcut", str(course / "new"), "--seed", str(seed / "new.seed")]) == 1
    assert "must not be in the repository" in capsys.readouterr().err
    assert not (root() / "new").exists()
