"""A folder of pictures by two processes: the same results as by one, also when one is killed in the middle.

Results of other options, models or pictures are never mixed, and never lost.
"""

import copy
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from igteach import integrated_gradients, logit, probability
from igteach.datasets.scenes import make_scenes
from igteach.methods import folder
from igteach.methods.folder import attribute_folder
from igteach.models import imagenet, scenes

SCRIPT = """
import os, signal, sys
from pathlib import Path
import numpy as np, torch, torch.distributed as dist
from igteach.models import scenes
from igteach.methods.folder import attribute_folder

torch.set_num_threads(1)
dist.init_process_group("gloo")
kill, link = int(sys.argv[3]), os.link

def deadly(temporary, path, left=[kill]):
    if str(path).endswith(".npz"):
        left[0] -= 1
        if left[0] == 0 and dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return link(temporary, path)

os.link = deadly
read = lambda picture: torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
attribute_folder(Path(sys.argv[1]), Path(sys.argv[2]), scenes.load("cpu"), read, steps=8)
dist.destroy_process_group()
"""
COUNT = 7


def read(picture):
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i, x in enumerate(make_scenes(COUNT, 0).x):
        Image.fromarray((x * 255).round().byte().permute(1, 2, 0).numpy()).save(folder / f"{i}.png")
    (folder / "4 broken.png").write_bytes((folder / "4.png").read_bytes()[:500])
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden").write_text("not looked at")
    return folder


@pytest.fixture(scope="module")
def by_one(pictures, tmp_path_factory):
    results = tmp_path_factory.mktemp("one")
    found = attribute_folder(pictures, results, scenes.load("cpu"), read, steps=8)
    assert sorted(found) == ["4 broken.png", "notes.txt"]
    return results


def by_two(pictures, results, tmp_path, kill=0):
    """Through torchrun; the second process is killed as it is about to name its kill-th result."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1"]
    command = [*start, f"--master-port={29000 + os.getpid() % 900}", script, pictures, results, str(kill)]
    only_loopback = {**os.environ, "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0"}
    return subprocess.run(
        [str(word) for word in command], env=only_loopback, capture_output=True, text=True, timeout=300
    )


def contents(results):
    return {path.name: dict(np.load(path)) for path in sorted(results.glob("*.npz"))}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        for key in ("values", "target", "residual", "error_estimate"):
            assert np.array_equal(one[name][key], other[name][key]), (name, key)


def test_a_result_is_what_the_method_gives(pictures, by_one):
    with Image.open(pictures / "2.png") as picture:
        x = read(picture)[None]
    model, kept = scenes.load("cpu"), dict(np.load(by_one / "2.png.npz"))
    answer = integrated_gradients(probability(model), x, target=int(kept["target"]), steps=8)
    assert kept["target"] == model(x).argmax()
    assert np.array_equal(kept["values"], answer.values[0])
    assert len(contents(by_one)) == COUNT


def test_broken_pictures_are_listed_with_the_reason(by_one):
    lines = (by_one / "broken.txt").read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["4 broken.png", "notes.txt"]
    assert "is not a picture that can be read here" in lines[1]


def test_two_processes_give_what_one_gives(pictures, by_one, tmp_path):
    results = tmp_path / "results"
    done = by_two(pictures, results, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_same(contents(results), contents(by_one))
    assert (results / "broken.txt").read_text() == (by_one / "broken.txt").read_text()


@pytest.mark.long
def test_a_run_goes_on_where_a_killed_one_stopped(pictures, by_one, tmp_path):
    results = tmp_path / "results"
    assert by_two(pictures, results, tmp_path, kill=2).returncode != 0
    before = {path: path.stat().st_mtime_ns for path in results.glob("*.npz")}
    assert 1 <= len(before) < COUNT
    assert [path.name for path in results.glob(".*.part")]  # written, and not yet named
    assert set(contents(results)) <= set(contents(by_one))  # each can be read
    done = by_two(pictures, results, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_same(contents(results), contents(by_one))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(results.glob(".*.part"))


@pytest.fixture
def few(tmp_path):
    place = tmp_path / "few"
    place.mkdir()
    for i, x in enumerate(make_scenes(2, 1).x):
        Image.fromarray((x * 255).round().byte().permute(1, 2, 0).numpy()).save(place / f"{i}.png")
    return place


def files(results):
    return {path.name: path.read_bytes() for path in results.iterdir()}


def with_another_weight():
    model = copy.deepcopy(scenes.load("cpu"))
    with torch.no_grad():
        next(model.parameters())[0, 0, 0, 0] += 1e-3
    return model


def with_another_activation():
    return nn.Sequential(scenes.load("cpu"), nn.Tanh())


@pytest.mark.parametrize(
    ("first", "again", "names"),
    [
        ({"steps": 4}, {"steps": 5}, "steps=4, not with steps=5"),
        ({"steps": 4}, {}, "steps=4, not with steps=None"),
        ({"tolerance": 0.5}, {"tolerance": 0.4}, "tolerance=0.5, not with tolerance=0.4"),
        ({"steps": 4}, {"steps": 4, "baseline": 0.5}, "baseline=None, not with baseline=0.5"),
        (
            {"steps": 4, "baseline": torch.zeros(3, 1, 1)},
            {"steps": 4, "baseline": torch.full((3, 1, 1), 0.1)},
            "baseline='torch.float32 (3, 1, 1)",
        ),
        ({"steps": 4}, {"steps": 4, "target": 1}, "target=None, not with target=1"),
        ({"steps": 4}, {"steps": 4, "model": with_another_weight()}, "model='"),
        ({"steps": 4}, {"steps": 4, "model": with_another_activation()}, "model='"),
        ({"steps": 4}, {"steps": 4, "model": logit(scenes.load("cpu"))}, "F='probability'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_options_are_refused_by_name_and_nothing_is_lost(few, tmp_path, first, again, names):
    results, model = tmp_path / "results", scenes.load("cpu")
    attribute_folder(few, results, model, read, **first)
    before = files(results)
    with pytest.raises(ValueError, match=re.escape(names)):
        attribute_folder(few, results, **{"model": model, "preprocess": read, **again})
    assert files(results) == before
    elsewhere = tmp_path / "other"
    attribute_folder(few, elsewhere, **{"model": model, "preprocess": read, **again})  # as the message says
    assert len(contents(elsewhere)) == 2


def test_the_same_options_written_otherwise_go_on(few, tmp_path):
    results, model = tmp_path / "results", scenes.load("cpu")
    attribute_folder(few, results, model, read, steps=4)
    (results / "1.png.npz").unlink()
    before = (results / "0.png.npz").stat().st_mtime_ns
    attribute_folder(str(few), str(results), model, read, steps=4, baseline=None, tolerance=0.05, batch_size=2)
    assert (results / "0.png.npz").stat().st_mtime_ns == before
    assert len(contents(results)) == 2


def test_a_run_that_failed_at_once_does_not_stand_in_the_way(few, tmp_path):
    results, model = tmp_path / "results", scenes.load("cpu")
    with pytest.raises(ValueError, match="steps is 0") as raised:
        attribute_folder(few, results, model, read, steps=0)
    assert "0.png" in raised.value.__notes__[0]
    attribute_folder(few, results, model, read, steps=4)
    assert len(contents(results)) == 2


def test_results_of_which_nobody_knows_the_options_are_kept_and_refused(few, tmp_path):
    results, model = tmp_path / "results", scenes.load("cpu")
    attribute_folder(few, results, model, read, steps=4)
    (results / "settings.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        attribute_folder(few, results, model, read, steps=4)
    (results / "settings.json").unlink()
    with pytest.raises(ValueError, match=r"results without settings\.json"):
        attribute_folder(few, results, model, read, steps=4)
    assert len(contents(results)) == 2


@pytest.mark.parametrize("change", ["the picture", "preprocess", "the result"])
def test_a_result_of_another_picture_is_kept_and_said(few, tmp_path, change):
    results, model = tmp_path / "results", scenes.load("cpu")
    attribute_folder(few, results, model, read, steps=4)
    if change == "the picture":
        (few / "1.png").write_bytes((few / "0.png").read_bytes())
    if change == "the result":
        (results / "1.png.npz").write_bytes(b"half of it")
    before = (results / "1.png.npz").read_bytes()

    def half(picture):
        return read(picture) / 2

    found = attribute_folder(few, results, model, half if change == "preprocess" else read, steps=4)
    assert found["1.png"].startswith("1.png.npz is of another picture or preprocess; move it away")
    assert (results / "1.png.npz").read_bytes() == before
    if change == "the picture":
        (results / "1.png.npz").rename(tmp_path / "kept.npz")
        assert attribute_folder(few, results, model, read, steps=4) == {}
        assert np.array_equal(np.load(results / "1.png.npz")["values"], np.load(results / "0.png.npz")["values"])


@pytest.mark.parametrize("steps", [4, 5])
def test_of_two_runs_at_once_the_first_to_have_a_result_decides(few, tmp_path, steps):
    results, slow, started = tmp_path / "results", scenes.load("cpu"), []

    def another_does_it_all(module, inputs):
        if not started:
            started.append(True)
            attribute_folder(few, results, scenes.load("cpu"), read, steps=steps)
            started.append(files(results))

    slow.register_forward_pre_hook(another_does_it_all)
    if steps == 4:
        assert attribute_folder(few, results, slow, read, steps=4) == {}
    else:
        with pytest.raises(ValueError, match="steps=5, not with steps=4"):
            attribute_folder(few, results, slow, read, steps=4)
    assert files(results) == started[1]


def test_a_class_may_be_asked_for(few, tmp_path):
    results, model = tmp_path / "results", scenes.load("cpu")
    attribute_folder(few, results, model, read, steps=4, target=2)
    kept = contents(results)["0.png.npz"]
    with Image.open(few / "0.png") as picture:
        answer = integrated_gradients(probability(model), read(picture)[None], target=2, steps=4)
    assert kept["target"] == 2
    assert np.array_equal(kept["values"], answer.values[0])


@pytest.mark.parametrize("kind", ["missing", "a file", "empty", "only folders"])
@pytest.mark.parametrize("by", ["call", "program"])
def test_a_folder_without_pictures_is_an_error_in_words(tmp_path, monkeypatch, capsys, kind, by):
    place = tmp_path / "pictures"
    if kind == "a file":
        place.write_text("")
    elif kind != "missing":
        place.mkdir()
    if kind == "only folders":
        (place / "cats").mkdir()
    expected = {
        "missing": (FileNotFoundError, "there is no such folder"),
        "a file": (NotADirectoryError, "a file; pass the folder that it is in"),
        "empty": (ValueError, "holds no files"),
        "only folders": (ValueError, "folders in it are not searched"),
    }[kind]
    if by == "call":
        with pytest.raises(expected[0], match=expected[1]):
            attribute_folder(place, tmp_path / "results", scenes.load("cpu"), read)
    else:
        monkeypatch.setattr(sys, "argv", ["folder", str(place), str(tmp_path / "results")])
        with pytest.raises(SystemExit, match=expected[1]):
            folder.main()
    assert not (tmp_path / "results").exists()


def test_results_have_a_folder_of_their_own(few, tmp_path):
    with pytest.raises(ValueError, match="the folder of the pictures; pass another"):
        attribute_folder(few, few / ".." / "few", scenes.load("cpu"), read)
    (tmp_path / "results").write_text("")
    with pytest.raises(NotADirectoryError, match="a file, and a folder of that name is needed"):
        attribute_folder(few, tmp_path / "results", scenes.load("cpu"), read)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_or_leads_nowhere_is_listed(few, tmp_path):
    (few / "a link").symlink_to(few / "nowhere")
    os.mkfifo(few / "a pipe")
    found = attribute_folder(few, tmp_path / "results", scenes.load("cpu"), read, steps=4)
    assert sorted(found) == ["a link", "a pipe"]
    assert "No such file" in found["a link"]


def test_the_program_refuses_other_steps_in_one_sentence(few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(imagenet, "load", lambda device: scenes.load("cpu"))
    monkeypatch.setattr(imagenet, "preprocess", read)
    command = ["folder", str(few), str(tmp_path / "results"), "--steps"]
    monkeypatch.setattr(sys, "argv", [*command, "4"])
    folder.main()
    assert "0 pictures have no result" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*command, "5"])
    with pytest.raises(SystemExit, match=r"^folder: results is .* steps=4, not with steps=5; pass another folder"):
        folder.main()


class Answers(nn.Module):
    """Returns its scores in an object, as Hugging Face's models do, or changed."""

    def __init__(self, change):
        super().__init__()
        self.model, self.change = scenes.load("cpu"), change

    def forward(self, x):
        return self.change(self.model(x))


def test_a_model_that_returns_an_object_with_logits_needs_no_wrapper(few, tmp_path):
    attribute_folder(few, tmp_path / "plain", scenes.load("cpu"), read, steps=4)
    wrapped = Answers(lambda scores: SimpleNamespace(logits=scores))
    attribute_folder(few, tmp_path / "object", wrapped, read, steps=4)
    for name, plain in contents(tmp_path / "plain").items():
        np.testing.assert_allclose(np.load(tmp_path / "object" / name)["values"], plain["values"], atol=1e-6)


def test_a_model_that_ends_in_a_softmax_is_taken_as_the_message_says(few, tmp_path):
    model = nn.Sequential(scenes.load("cpu"), nn.Softmax(1))
    with pytest.raises(ValueError, match=r"pass logit\(model\)"):
        attribute_folder(few, tmp_path / "results", model, read, steps=4)
    attribute_folder(few, tmp_path / "results", logit(model), read, steps=4)
    attribute_folder(few, tmp_path / "plain", scenes.load("cpu"), read, steps=4)
    for ours, theirs in zip(
        contents(tmp_path / "results").values(), contents(tmp_path / "plain").values(), strict=True
    ):
        np.testing.assert_allclose(ours["values"], theirs["values"], atol=1e-6)


def test_a_model_of_one_score_has_no_class(few, tmp_path):
    attribute_folder(few, tmp_path / "results", Answers(lambda scores: scores[:, 0]), read, steps=4)
    assert "target" not in contents(tmp_path / "results")["0.png.npz"]


@pytest.mark.parametrize(
    ("model", "preprocess", "error", "message"),
    [
        (lambda x: x, read, TypeError, "model is function; pass a torch.nn.Module"),
        (None, np.array, TypeError, "preprocess gave ndarray; it must give a tensor"),
        (Answers(lambda scores: (scores, scores)), read, TypeError, r"tensors at 0, 1; choose one"),
    ],
)
def test_bad_arguments_are_named(few, tmp_path, model, preprocess, error, message):
    with pytest.raises(error, match=message):
        attribute_folder(few, tmp_path / "results", model or scenes.load("cpu"), preprocess, steps=4)
    assert not list((tmp_path / "results").glob("*.npz"))


def test_an_option_that_cannot_be_recorded_is_refused(few, tmp_path):
    with pytest.raises(TypeError, match="arguments is object, which cannot be recorded"):
        attribute_folder(few, tmp_path / "results", scenes.load("cpu"), read, arguments=(object(),))
