"""A folder of pictures by two processes: the same results as by one, also when one is killed in the middle."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from igteach import integrated_gradients, probability
from igteach.datasets.scenes import make_scenes
from igteach.methods.folder import attribute_folder
from igteach.models import scenes

SCRIPT = """
import os, signal, sys
from pathlib import Path
import numpy as np, torch, torch.distributed as dist
from igteach.models import scenes
from igteach.methods.folder import attribute_folder

torch.set_num_threads(1)
dist.init_process_group("gloo")
kill, replace = int(sys.argv[3]), Path.replace

def deadly(self, path, left=[kill]):
    left[0] -= 1
    if left[0] == 0 and dist.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, path)

Path.replace = deadly
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
