"""Trains the text models: `python -m igteach.training.train question_types`, `sentiment_en` or `sentiment_zh`.

A program, as igteach.training.train is: it stands above the rooms, and no room imports it. The data are not shipped:
they are taken from the folder IGTEACH_DATA, or else from where their makers publish them, and checked by their hash.
"""

import csv
import hashlib
import http.client
import io
import os
import random
import re
import tarfile
import unicodedata
import urllib.request
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrize

from igteach.core.attribution import ROUGHLY_BELOW
from igteach.methods.token_attribution import TokenAttribution, token_attribution
from igteach.models.text import (
    LABELS,
    LONGEST,
    CharacterCNN,
    SentenceClassifier,
    TextClassifier,
    character_tokenizer,
    load_encoder,
)
from igteach.training.cards import About, Figures, table, write

QUESTIONS = "https://cogcomp.seas.upenn.edu/Data/QA/QC"
MOVIES = "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz"
HOTELS = "https://raw.githubusercontent.com/SophonPlus/ChineseNlpCorpus/master/datasets/ChnSentiCorp_htl_all"
SOURCES = {  # file in IGTEACH_DATA: address, or archive and member; SHA-256 of the file
    "TREC.train": (f"{QUESTIONS}/train_5500.label", "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3"),
    "TREC.test": (f"{QUESTIONS}/TREC_10.label", "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e"),
    "rt-polarity.pos": (MOVIES, "2da124ec187a9d5a29c9f04e91c540e02baed5af8868f550a26bd6fd4dbf8bf0"),
    "rt-polarity.neg": (MOVIES, "4ace77d558c3714723843f1d65b60c01e3417b208180f0728808d76ad0eeeaca"),
    "ChnSentiCorp_htl_all.csv": (
        f"{HOTELS}/ChnSentiCorp_htl_all.csv",
        "1d414b9c65caf3a836abdb4efded621968502ad3338e1a9d885ae131c86083f0",
    ),
}
PATIENCE = 30  # seconds without a sign of life from a server
RANK = 8  # of what is added to each weight of the encoder
EXPLAINED = 20  # texts whose attributions a card states

Labelled = tuple[list[str], list[str]]  # texts, and the label of each


@dataclass(frozen=True)
class Recipe:
    """How a model is trained."""

    epochs: int
    rate: float = 2e-3  # the highest
    hidden: float = 0.0  # share of the tokens, drawn anew for every batch, that are masked, or unknown without a mask
    averaged: bool = False  # whether the weights are their mean after each step, but for those of the first epoch


RECIPES = {
    "question_types": Recipe(10),
    "sentiment_en": Recipe(5, rate=1e-3, hidden=0.1, averaged=True),
    "sentiment_zh": Recipe(16, hidden=0.25),
}


def data(name: str) -> bytes:
    """The content of a file of SOURCES, from the folder IGTEACH_DATA where it lies there, else from its address.

    Raises ValueError where its SHA-256 is not the known one, and OSError where it cannot be had.
    """
    address, known = SOURCES[name]
    folder = os.environ.get("IGTEACH_DATA")
    if folder and Path(folder, name).is_file():
        content, place = Path(folder, name).read_bytes(), str(Path(folder, name))
    else:
        content, place = _download(name, address), address
    found = hashlib.sha256(content).hexdigest()
    if found != known:
        raise ValueError(f"{place} gave {name} with SHA-256 {found}, not {known}: damaged, or another edition")
    return content


def _download(name: str, address: str) -> bytes:
    """The file at the address, or in the archive there."""
    print(f"{name} is not in the folder IGTEACH_DATA: downloading {address}")
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise OSError(
            f"{address} cannot be had: {error}\nConnect to the network, or put {name} from there into a folder and set "
            "IGTEACH_DATA to it."
        ) from None
    if not address.endswith(".tar.gz"):
        return content
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = next(one for one in archive.getmembers() if Path(one.name).name == name)
            return archive.extractfile(member).read()  # type: ignore[union-attr]
    except (tarfile.TarError, EOFError, StopIteration):
        raise ValueError(f"{address} gave no archive with {name} in it: damaged, or another page") from None


def questions(name: str) -> Labelled:
    """The questions of TREC.train or TREC.test, each once, with their coarse types (Li and Roth 2002)."""
    lines = [line.split(" ", 1) for line in data(name).decode("latin-1").split("\n") if line]
    return each_once([text for _, text in lines], [kind.split(":")[0] for kind, _ in lines])


def training_questions() -> Labelled:
    """The questions of TREC.train without those that are also in TREC.test."""
    tested = set(map(plain, questions("TREC.test")[0]))
    kept = [(text, label) for text, label in zip(*questions("TREC.train"), strict=True) if plain(text) not in tested]
    return [text for text, _ in kept], [label for _, label in kept]


def movie_sentences() -> Labelled:
    """Sentences of movie reviews, each once (Pang and Lee 2005)."""
    texts: list[str] = []
    labels: list[str] = []
    for name, label in (("rt-polarity.neg", "negative"), ("rt-polarity.pos", "positive")):
        lines = [line.strip() for line in data(name).decode("latin-1").split("\n") if line.strip()]
        texts, labels = texts + lines, labels + [label] * len(lines)
    return each_once(texts, labels)


def hotel_reviews() -> Labelled:
    """Reviews of hotels in Chinese, without those that mostly repeat another (Tan, ChnSentiCorp)."""
    rows = list(csv.DictReader(io.StringIO(data("ChnSentiCorp_htl_all.csv").decode("utf-8-sig"))))
    texts, labels = each_once([r["review"] for r in rows], [LABELS["sentiment_zh"][int(r["label"])] for r in rows])
    known: set[str] = set()
    kept = []
    for number, text in enumerate(texts):
        letters = plain(text)
        pieces = {letters[i : i + 20] for i in range(max(1, len(letters) - 19))}
        if 2 * len(pieces & known) <= len(pieces):
            kept.append(number)
        known |= pieces
    return [texts[i] for i in kept], [labels[i] for i in kept]


def each_once(texts: Sequence[str], labels: Sequence[str]) -> Labelled:
    """The texts that differ in their letters, without empty ones and those that come with more than one label."""
    first: dict[str, int] = {}
    seen: dict[str, set[str]] = {}
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        first.setdefault(plain(text), number)
        seen.setdefault(plain(text), set()).add(label)
    kept = [number for letters, number in first.items() if letters and len(seen[letters]) == 1]
    return [texts[i] for i in kept], [labels[i] for i in kept]


def plain(text: str) -> str:
    """The letters and digits alone, all small."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def split_tenth(texts: Sequence[str], labels: Sequence[str], seed: int = 0) -> tuple[Labelled, Labelled]:
    """Nine tenths, and the tenth that is held out; every label gives its share, and always the same texts."""
    from sklearn.model_selection import train_test_split

    x, x_test, y, y_test = train_test_split(texts, labels, test_size=0.1, stratify=labels, random_state=seed)
    return (x, y), (x_test, y_test)


class LowRank(nn.Module):
    """A weight (out, in) plus the product of two thin matrices, which alone is trained. Hu et al. (2021)."""

    def __init__(self, weight: Tensor, rank: int):
        super().__init__()
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def add_low_rank(encoder: Any, rank: int) -> None:
    """Freezes a BERT but for the biases and norms of its layers, and a LowRank change of each weight there."""
    encoder.requires_grad_(False)
    for layer in list(encoder.encoder.modules()):
        if isinstance(layer, nn.LayerNorm):
            layer.requires_grad_()
        elif isinstance(layer, nn.Linear):
            layer.bias.requires_grad_()
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def changes(model: nn.Module) -> dict[str, Tensor]:
    """What was trained of a model, by the names that igteach.models.text.change takes."""
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    return {re.sub(r"\.parametrizations\.(\w+)\.0\.", r".\1.", name): value.detach() for name, value in trained.items()}


def fit(classifier: TextClassifier, texts: Labelled, recipe: Recipe) -> None:
    """Trains the model with AdamW in batches of 32, and leaves it in eval mode."""
    x, y = texts[0], torch.tensor([classifier.labels.index(label) for label in texts[1]])
    parameters = [value for value in classifier.model.parameters() if value.requires_grad]
    means, steps_averaged = [value.detach().clone() for value in parameters], 0
    optimizer = torch.optim.AdamW(parameters, recipe.rate)
    schedule = rates(optimizer, recipe, recipe.epochs * len(batches(x, random.Random(0))))
    shuffle = random.Random(0)
    for epoch in range(recipe.epochs):
        classifier.model.train()
        for rows in batches(x, shuffle):
            with torch.autocast("cpu", torch.bfloat16):
                logits = classifier.logits(read(classifier, [x[i] for i in rows], recipe.hidden))
            loss = cross_entropy(logits.float(), y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            if recipe.averaged and epoch:
                steps_averaged += 1
                for mean, value in zip(means, parameters, strict=True):
                    mean.lerp_(value.detach(), 1 / steps_averaged)
    if steps_averaged:
        for mean, value in zip(means, parameters, strict=True):
            value.data.copy_(mean)
    classifier.model.eval()


def rates(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> Any:
    """The schedule that `how_trained` describes: the rate rises for a tenth of the steps, and falls in the end."""
    if not recipe.averaged:
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.rate, steps, pct_start=0.1, anneal_strategy="linear"
        )
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(10 * step / steps, 1, max((1 - step / steps) / 0.6, 0.15))
    )


def read(classifier: TextClassifier, texts: list[str], hidden: float) -> dict[str, Tensor]:
    """What the model takes of the texts, a share of the tokens hidden."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that long texts are cut
        encoding = classifier.encode(texts)
    inputs, tokenizer = classifier.inputs(encoding), classifier.tokenizer
    if hidden:
        draw = (torch.rand(inputs["input_ids"].shape) < hidden) & (encoding["special_tokens_mask"] == 0)
        mask = tokenizer.unk_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id
        inputs["input_ids"].masked_fill_(draw, mask)
    return inputs


def batches(texts: Sequence[str], shuffle: random.Random, size: int = 32) -> list[list[int]]:
    """The numbers of the texts in batches of about equal lengths, in random order."""
    order = list(range(len(texts)))
    shuffle.shuffle(order)
    found = []
    for start in range(0, len(order), 20 * size):
        near = sorted(order[start : start + 20 * size], key=lambda i: len(texts[i]))
        found += [near[i : i + size] for i in range(0, len(near), size)]
    shuffle.shuffle(found)
    return found


def measure(classifier: TextClassifier, texts: Labelled) -> Figures:
    """What a card states, on texts with their labels; ABOUT says what each figure is."""
    x, y = texts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that long texts are cut
        p = classifier.probabilities(x)
    right = p.argmax(1) == torch.tensor([classifier.labels.index(label) for label in y])
    known = Counter(y)
    found = {
        f"{label} found": right[[i for i, true in enumerate(y) if true == label]].double().mean().item()
        for label in classifier.labels
    }
    explained = [
        one for text in x[:EXPLAINED] if isinstance(one := token_attribution(classifier, text), TokenAttribution)
    ]
    complete = [float(one.evidence.relative_residual.item() < ROUGHLY_BELOW) for one in explained]  # type: ignore[union-attr]
    return {
        "accuracy": right.double().mean().item(),
        "the commonest label": max(known.values()) / len(y),
        **found,
        "mean confidence": p.amax(1).double().mean().item(),
        "IG complete": sum(complete) / len(complete),
    }


def train_question_types() -> None:
    """Writes the model of question types."""
    texts = training_questions()
    how = (
        f"Trained on {len(texts[0]):,} of the 5,452 questions of TREC.train: each once, without those that are also in "
        f"TREC.test. {CHANGED} {how_trained('question_types')} The settings were chosen on a tenth of the "
        "training questions; the questions of TREC.test were asked once, for the figures below."
    )
    train_encoder("question_types", texts, questions("TREC.test"), how)


def train_sentiment_en() -> None:
    """Writes the model of English sentiment."""
    texts, test = split_tenth(*movie_sentences())
    how = (
        f"Trained on {len(texts[0]):,} sentences; {len(test[0]):,}, a tenth of each label, were held out. {CHANGED} "
        f"{how_trained('sentiment_en')} On a tenth of the training sentences this did better than the weights of the "
        "last step, and than a rate of 0.002 that falls to zero, with every token seen. The held-out sentences were "
        "asked once for this recipe, and once for the one before; the goal, 84%, is missed."
    )
    train_encoder("sentiment_en", texts, test, how)


def train_encoder(name: str, texts: Labelled, test: Labelled, how: str) -> None:
    """Trains on the encoder, and writes what was trained and its card."""
    torch.manual_seed(0)
    classifier = encoder_classifier(name)
    fit(classifier, texts, RECIPES[name])
    figures = table({"value": measure(classifier, test)})
    write(name, name, classifier.model, TITLES[name], how, figures, ABOUT[name], changes(classifier.model))
    print(figures)


def train_sentiment_zh() -> None:
    """Writes the model of Chinese sentiment."""
    texts, test = split_tenth(*hotel_reviews())
    torch.manual_seed(0)
    classifier = character_classifier(texts[0])
    fit(classifier, texts, RECIPES["sentiment_zh"])
    how = (
        f"Trained on {len(texts[0]):,} reviews; {len(test[0]):,}, a tenth of each label, were held out; a review of "
        f"which more than half occurs in others is in neither. {how_trained('sentiment_zh')} On two "
        "tenths of the training reviews, hiding fewer or none, more and wider filters, the mean of a filter's finds "
        "beside the strongest, a mean of the weights over the second half of the time, embeddings made of which "
        "characters stand together, and answers of a linear model of pairs of characters to learn from did no better. "
        "The held-out reviews were asked once, for the figures below; the goal, 89%, is missed."
    )
    characters = classifier.tokenizer.convert_ids_to_tokens(range(2, len(classifier.tokenizer)))
    state = {**classifier.model.state_dict(), "characters": torch.tensor([ord(one) for one in characters])}
    figures = table({"value": measure(classifier, test)})
    name = "sentiment_zh"
    write(name, name, classifier.model, TITLES[name], how, figures, ABOUT[name], state)
    print(figures)


def how_trained(name: str) -> str:
    """How a model was trained, in words."""
    recipe = RECIPES[name]
    falls = "falls to 15% of that in the last three fifths" if recipe.averaged else "then falls to zero"
    how = (
        f"AdamW at a rate that rises to {recipe.rate} for a tenth of the time and {falls}, {recipe.epochs} epochs in "
        "batches of 32, in bfloat16. Seed 0."
    )
    if recipe.hidden:
        how += f" {recipe.hidden:.0%} of the tokens, others in every batch, were hidden while training."
    if recipe.averaged:
        how += " The weights are their mean over the steps after the first epoch (Izmailov et al. 2018)."
    return how


def encoder_classifier(name: str) -> TextClassifier:
    """The encoder with a low-rank change and a new head, to be trained."""
    encoder, tokenizer = load_encoder()
    add_low_rank(encoder, RANK)
    return TextClassifier(SentenceClassifier(encoder, len(LABELS[name])), tokenizer, LABELS[name])


def character_classifier(texts: Sequence[str]) -> TextClassifier:
    """A new model that knows the characters of at least 3 of the texts."""
    read = character_tokenizer("").backend_tokenizer.normalizer.normalize_str
    count = Counter(character for text in texts for character in set(read(text)) if not character.isspace())
    tokenizer = character_tokenizer("".join(sorted(one for one, times in count.items() if times >= 3)))
    return TextClassifier(CharacterCNN(len(tokenizer)), tokenizer, LABELS["sentiment_zh"])


CHANGED = (
    "The encoder stays as it was released but for the biases and norms of its layers and a change of rank "
    f"{RANK} of each of their weights (Hu et al. 2021): those are shipped, and the head."
)
TITLES = {
    "question_types": "Question types",
    "sentiment_en": "Sentiment of English sentences",
    "sentiment_zh": "Sentiment of Chinese reviews",
}
LEGEND = f"""\
- *the commonest label*: what always answering with it would reach.
- *NAME found*: the share of the texts of this label that get it.
- *IG complete*: the share of the first {EXPLAINED} of these texts where the scores that `igteach.token_attribution`
  gives add up within 5%.
"""
ENCODED = """text, read by the tokenizer of all-MiniLM-L6-v2. **Output**: logits, one a label.
- **Stands on**: all-MiniLM-L6-v2 (W. Wang et al. 2020; N. Reimers and I. Gurevych 2019; Apache 2.0), 22,713,216
  parameters, as released; it is not in this file. The number above is of what was trained, which is added to it."""
ABOUT = {
    "question_types": About(
        ENCODED,
        """The questions are X. Li and D. Roth's (2002), of
  <https://cogcomp.seas.upenn.edu/Data/QA/QC>; they are not shipped.""",
        "Measured on the 500 questions of TREC.test.\n\n" + LEGEND,
    ),
    "sentiment_en": About(
        ENCODED,
        """The sentences are B. Pang and L. Lee's (2005), of
  <https://www.cs.cornell.edu/people/pabo/movie-review-data>; they are not shipped.""",
        "Measured on the held-out tenth.\n\n" + LEGEND,
    ),
    "sentiment_zh": About(
        f"text: each character but white space is a token; the first {LONGEST} count. **Output**: (N, 2) logits.",
        """The reviews are ChnSentiCorp's, by Tan Songbo, of
  <https://github.com/SophonPlus/ChineseNlpCorpus>; they are not shipped.""",
        "Measured on the held-out tenth.\n\n" + LEGEND,
    ),
}
MODELS = {
    "question_types": train_question_types,
    "sentiment_en": train_sentiment_en,
    "sentiment_zh": train_sentiment_zh,
}
