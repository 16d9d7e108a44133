"""The networks of the benchmark, each with examples to explain."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import igteach
from igteach.datasets.digits import load_digits
from igteach.datasets.photographs import PHOTOGRAPHS, load_photograph, open_picture
from igteach.datasets.scenes import make_scenes
from igteach.datasets.texts import load_questions
from igteach.methods.token_attribution import token_baseline
from igteach.models import digits, imagenet, scenes, text
from igteach.models.smollm2 import load as load_smollm2

DEVICE = igteach.device()
CONTRASTS = (  # a prompt, the token that should come next, and another
    ("When Mary and John left, John waved to", " Mary", " John"),
    ("When Anna and Paul met, Anna smiled at", " Paul", " Anna"),
    ("The capital of France is", " Paris", " Rome"),
    ("The capital of Italy is the city of", " Rome", " Paris"),
    ("The opposite of hot is", " cold", " warm"),
    ("The keys to the cabinet", " are", " is"),
    ("The key to the cabinets", " is", " are"),
    ("Two plus two is", " four", " five"),
    ("My sister lost", " her", " his"),
    ("Grass is green, and the sky is", " blue", " green"),
)


@dataclass(frozen=True, eq=False)
class Case:
    """An example x (1, *features), where its path begins, and F: of a class, or of one number a row."""

    f: nn.Module
    x: Tensor
    baseline: Tensor
    target: int | None


def digits_cnn(count: int) -> list[Case]:
    """Held-out digits against black."""
    return likeliest(digits.load(), load_digits().x_test[:count])


def scenes_cnn(count: int) -> list[Case]:
    """Drawn scenes against black."""
    return likeliest(scenes.load(), make_scenes(count, 0).x)


def efficientnet_lite0(count: int) -> list[Case]:
    """Photographs against black, and beyond those their mirror images."""
    files = sorted((Path(os.environ.get("IGTEACH_DATA", "")).parent / "photos").glob("*.JPEG"))
    pictures = [*map(load_photograph, PHOTOGRAPHS), *map(open_picture, files)]
    x = torch.stack([imagenet.preprocess(picture) for picture in pictures[:count]])
    x = torch.cat([x, x.flip(-1)])[:count]
    return likeliest(imagenet.load(), x, imagenet.normalise(torch.zeros(())))


def minilm(count: int, baseline: str = "pad") -> list[Case]:
    """Questions, by the type of their answer, against embeddings of a token."""
    classifier, cases = text.load("question_types"), list[Case]()
    for question in load_questions()[:count]:
        inputs = classifier.inputs(classifier.encode([question.text]))
        with torch.no_grad():
            x = classifier.model.get_input_embeddings()(inputs["input_ids"])
        network = Embedded(classifier.model, inputs["attention_mask"])
        cases += likeliest(network, x, token_baseline(baseline, classifier, x))
    return cases


def smollm2(count: int, baseline: str = "end of text") -> list[Case]:
    """Prompts, by the logit of one next token less that of another, against embeddings that are all the same."""
    smollm = load_smollm2()
    table = smollm.model.get_input_embeddings().weight.detach()
    starts = {"end of text": table[smollm.tokenizer.eos_token_id], "mean": table.mean(0), "zero": table[0] * 0}
    cases = list[Case]()
    for prompt, *answers in CONTRASTS[:count]:
        tokens = smollm.tokenizer(prompt, return_tensors="pt")["input_ids"].to(DEVICE)
        likely, unlikely = (smollm.tokenizer(answer)["input_ids"][0] for answer in answers)
        x = table[tokens]
        cases.append(Case(Contrast(smollm.model, likely, unlikely), x, starts[baseline].expand_as(x), None))
    return cases


def vision_transformer(count: int) -> list[Case]:
    """The shape of ViT-Tiny, weights at random and large enough to let a signal through, on scenes against black."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    width = 192
    shape = {"hidden_size": width, "num_hidden_layers": 12, "num_attention_heads": 3, "intermediate_size": 4 * width}
    config = ViTConfig(**shape, image_size=64, patch_size=8, num_labels=10, initializer_range=width**-0.5)
    return likeliest(ViTForImageClassification(config).to(DEVICE).eval(), make_scenes(count, 0).x)


FAMILIES: dict[str, Callable[[int], list[Case]]] = {
    "digits CNN": digits_cnn,
    "scenes CNN": scenes_cnn,
    "EfficientNet-Lite0": efficientnet_lite0,
    "MiniLM": minilm,
    "random ViT": vision_transformer,
    "SmolLM2": smollm2,
}


class Embedded(nn.Module):
    """A sentence classifier as a function of one text's word embeddings, (N, tokens, width)."""

    def __init__(self, model: nn.Module, mask: Tensor):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.model(inputs_embeds=embeddings, attention_mask=self.mask.expand(len(embeddings), -1))


class Contrast(nn.Module):
    """The logit of one next token less that of another, of a prompt's word embeddings (N, tokens, width)."""

    def __init__(self, model: nn.Module, likely: int, unlikely: int):
        super().__init__()
        self.model, self.likely, self.unlikely = model, likely, unlikely

    def forward(self, embeddings: Tensor) -> Tensor:
        logits = self.model(inputs_embeds=embeddings, use_cache=False, logits_to_keep=1).logits[:, -1]
        return logits[:, self.likely] - logits[:, self.unlikely]


def likeliest(network: nn.Module, x: Tensor, baseline: Tensor | float = 0.0) -> list[Case]:
    """Cases of a classifier: the probability of the class that it finds likeliest."""
    f, cases = igteach.probability(network), list[Case]()
    starts: Sequence[Tensor] = torch.as_tensor(baseline).expand_as(x).split(1)
    for one, start in zip(x.to(DEVICE).split(1), starts, strict=True):
        with torch.no_grad():
            cases.append(Case(f, one, start.to(DEVICE), int(igteach.logit(network)(one).argmax())))
    return cases
