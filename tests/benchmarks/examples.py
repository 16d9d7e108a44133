"""The networks of the benchmark, with examples to explain."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import igteach
from igteach.datasets.digits import load_digits
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph, open_picture
from igteach.datasets.scenes import make_scenes
from igteach.datasets.texts import load_questions
from igteach.models import digits, imagenet, scenes, text
from igteach.models.weights import WeightsUnavailable

DEVICE = igteach.device()
LARGE = ("SqueezeNet", "MiniLM", "ResNet-50")  # the bare passes outweigh what surrounds them


@dataclass(frozen=True, eq=False)
class Case:
    """An example x (1, *features) of a network, and F: the probability of a class."""

    network: nn.Module
    x: Tensor
    target: int

    @property
    def f(self) -> nn.Module:
        return igteach.probability(self.network)


def all_cases(quick: bool, count: int) -> Iterator[tuple[str, list[Case]]]:
    """Name of a network, and cases of it."""
    yield "digits CNN", _cases(digits.load(), load_digits().x_test[: min(count, 4) if quick else count])
    yield "scenes CNN", _cases(scenes.load(), make_scenes(min(count, 4) if quick else count, 0).x)
    if quick:
        return
    try:
        yield "SqueezeNet", _cases(imagenet.load(), _photographs(count))
        yield "MiniLM", _questions(count)
    except WeightsUnavailable as error:
        print(f"left out: {error}")
    yield "ViT-Tiny", _cases(_vision_transformer(), torch.rand(count, 3, 224, 224))
    if DEVICE.type != "cpu":
        yield "ResNet-50", _cases(_resnet50(), torch.rand(count, 3, 224, 224))


def _cases(network: nn.Module, x: Tensor) -> list[Case]:
    return [_case(network, one.to(DEVICE)) for one in x.split(1)]


def _case(network: nn.Module, x: Tensor) -> Case:
    with torch.no_grad():
        return Case(network, x, int(igteach.logit(network)(x).argmax()))


def _photographs(count: int) -> Tensor:
    files = sorted((Path(os.environ.get("IGTEACH_MODELS", "")).parent / "photos").glob("*.JPEG"))[:count]
    pictures = [open_picture(file) for file in files] or [load_photograph(name) for name in PHOTOGRAPHS[:count]]
    return torch.stack([imagenet.preprocess(picture) for picture in pictures])


class Embedded(nn.Module):
    """A sentence classifier as a function of one text's word embeddings, (N, tokens, width)."""

    def __init__(self, model: nn.Module, mask: Tensor):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.model(inputs_embeds=embeddings, attention_mask=self.mask.expand(len(embeddings), -1))


def _questions(count: int) -> list[Case]:
    classifier = text.load("question_types")
    inputs = [classifier.inputs(classifier.encode([question.text])) for question in load_questions()[:count]]
    with torch.no_grad():
        embeddings = [classifier.model.get_input_embeddings()(one["input_ids"]) for one in inputs]
    networks = [Embedded(classifier.model, one["attention_mask"]) for one in inputs]
    return [_case(network, x) for network, x in zip(networks, embeddings, strict=True)]


def _resnet50() -> nn.Module:
    """The shape of ResNet-50, weights at random, batch norms set by noise: for times, not for answers."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(0)
    network = ResNetForImageClassification(ResNetConfig(num_labels=1000)).to(DEVICE)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(32, 3, 224, 224, device=DEVICE))
    return network.eval()


def _vision_transformer() -> nn.Module:
    """The shape of ViT-Tiny, weights at random, as large as lets a signal through: for times, not for answers."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    width = 192
    shape = {"hidden_size": width, "num_hidden_layers": 12, "num_attention_heads": 3, "intermediate_size": 4 * width}
    config = ViTConfig(**shape, num_labels=1000, initializer_range=width**-0.5)
    return ViTForImageClassification(config).to(DEVICE).eval()
