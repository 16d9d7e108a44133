"""Trains the text models: question types, and the sentiment of English sentences and of Chinese reviews.

The data are not shipped. They are read from the folder IGTEACH_DATA or downloaded from where their authors publish
them, and either way their SHA-256 is checked.
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
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrize

from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.models.text import (
    LABELS,
    LONGEST,
    CharacterCNN,
    SentenceClassifier,
    TextClassifier,
    character_tokenizer,
    load_encoder,
)
from igteach.training.cards import About, Card, Figures, fraction_complete, table, write

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
TIMEOUT = 30  # seconds to wait for a server that sends nothing
RANK = 8  # of what is added to each weight of the encoder
EXPLAINED = 20  # texts whose attributions a card speaks of
BATCH_SIZE = 32
SHINGLE = 20  # characters; reviews that have many such strings in common repeat one another

Labelled = tuple[list[str], list[str]]  # texts, and the label of each


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        epochs: how often it sees each text.
        rate: the highest learning rate.
        hidden: fraction of the tokens, random in each batch, that are replaced by the mask token, or by the unknown
            token where the tokenizer has no mask.
        averaged: whether the weights are the mean over all steps after the first epoch.
    """

    epochs: int
    rate: float = 2e-3
    hidden: float = 0.0
    averaged: bool = False


RECIPES = {
    "question_types": Recipe(10),
    "sentiment_en": Recipe(5, rate=1e-3, hidden=0.1, averaged=True),
    "sentiment_zh": Recipe(16, hidden=0.25),
}


def data(name: str) -> bytes:
    """Read a file of SOURCES from the folder IGTEACH_DATA or, where it is not there, from its address.

    Args:
        name: of the file, a key of SOURCES.

    Returns:
        The content of the file.

    Raises:
        OSError: the file is not in the folder and cannot be downloaded.
        ValueError: its SHA-256 is not the known one.
    """
    address, known = SOURCES[name]
    folder = os.environ.get("IGTEACH_DATA")
    if folder and Path(folder, name).is_file():
        origin = str(Path(folder, name))
        content = Path(folder, name).read_bytes()
    else:
        origin = address
        content = _download(name, address)
    found = hashlib.sha256(content).hexdigest()
    if found != known:
        raise ValueError(f"{origin} gave {name} with SHA-256 {found}, not {known}: damaged, or another edition")
    return content


def _download(name: str, address: str) -> bytes:
    """The file at the address, or in the archive there."""
    print(f"{name} is not in the folder IGTEACH_DATA: downloading {address}")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            content = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise OSError(
            f"{address} cannot be downloaded: {error}\nConnect to the network, or put {name} from there into a folder "
            "and set IGTEACH_DATA to it."
        ) from None
    if not address.endswith(".tar.gz"):
        return content
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = next(entry for entry in archive.getmembers() if Path(entry.name).name == name)
            return archive.extractfile(member).read()  # type: ignore[union-attr]
    except (tarfile.TarError, EOFError, StopIteration):
        raise ValueError(f"{address} gave no archive with {name} in it: damaged, or another page") from None


def questions(name: str) -> Labelled:
    """The questions of TREC.train or TREC.test, each once, with their coarse types.

    Source: X. Li and D. Roth (2002), Learning Question Classifiers, https://aclanthology.org/C02-1150/
    """
    texts, labels = [], []
    for line in _lines(name):
        types, _, question = line.partition(" ")
        texts.append(question)
        labels.append(types.split(":")[0])
    return each_once(texts, labels)


def training_questions() -> Labelled:
    """The questions of TREC.train without those that are also in TREC.test."""
    tested = {plain(question) for question in questions("TREC.test")[0]}
    texts, labels = questions("TREC.train")
    return _choose(texts, labels, [number for number, text in enumerate(texts) if plain(text) not in tested])


def movie_sentences() -> Labelled:
    """Sentences of movie reviews, each once.

    Source: B. Pang and L. Lee (2005), Seeing Stars, https://aclanthology.org/P05-1015/
    """
    negative = [line.strip() for line in _lines("rt-polarity.neg") if line.strip()]
    positive = [line.strip() for line in _lines("rt-polarity.pos") if line.strip()]
    return each_once(negative + positive, ["negative"] * len(negative) + ["positive"] * len(positive))


def _lines(name: str) -> list[str]:
    """Those of a file in Latin-1 that are not empty; it may hold characters that `splitlines` would split at."""
    return [line for line in data(name).decode("latin-1").split("\n") if line]


def hotel_reviews() -> Labelled:
    """Reviews of hotels in Chinese, without those that mostly repeat earlier ones.

    Source: Tan Songbo, ChnSentiCorp, https://github.com/SophonPlus/ChineseNlpCorpus
    """
    rows = list(csv.DictReader(io.StringIO(data("ChnSentiCorp_htl_all.csv").decode("utf-8-sig"))))
    names = LABELS["sentiment_zh"]
    texts, labels = each_once([row["review"] for row in rows], [names[int(row["label"])] for row in rows])
    known: set[str] = set()
    chosen = []
    for number, text in enumerate(texts):
        letters = plain(text)
        shingles = {letters[i : i + SHINGLE] for i in range(max(1, len(letters) - SHINGLE + 1))}
        if 2 * len(shingles & known) <= len(shingles):
            chosen.append(number)
        known |= shingles
    return _choose(texts, labels, chosen)


def each_once(texts: Sequence[str], labels: Sequence[str]) -> Labelled:
    """Leave out duplicates, empty texts and texts that have more than one label.

    Args:
        texts: two are the same if they have the same letters and digits, whatever their case.
        labels: one for each text.

    Returns:
        The first of each group of duplicates, and its label.

    Example:
        >>> each_once(["Good!", "good", "Bad", "so so", "So so"], ["+", "+", "-", "+", "-"])
        (['Good!', 'Bad'], ['+', '-'])
    """
    first: dict[str, int] = {}
    labels_of: dict[str, set[str]] = {}
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        first.setdefault(plain(text), number)
        labels_of.setdefault(plain(text), set()).add(label)
    return _choose(
        texts, labels, [number for letters, number in first.items() if letters and len(labels_of[letters]) == 1]
    )


def _choose(texts: Sequence[str], labels: Sequence[str], numbers: Sequence[int]) -> Labelled:
    """The texts of these numbers, and their labels."""
    return [texts[number] for number in numbers], [labels[number] for number in numbers]


def plain(text: str) -> str:
    """The letters and digits of a text, in lower case.

    Example:
        >>> plain("So-so, 2 of 5!")
        'soso2of5'
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def split_tenth(texts: Sequence[str], labels: Sequence[str], seed: int = 0) -> tuple[Labelled, Labelled]:
    """Split texts into nine tenths to learn from and a held-out tenth, stratified by label.

    Args:
        texts: any number of them.
        labels: one for each text.
        seed: the same seed gives the same split.

    Returns:
        The texts to learn from with their labels, and those held out with theirs.

    Example:
        >>> (x, y), (x_test, y_test) = split_tenth(list("abcdefghijklmnopqrst"), ["+", "-"] * 10)
        >>> len(x), sorted(y_test)
        (18, ['+', '-'])
    """
    from sklearn.model_selection import train_test_split

    x, x_test, y, y_test = train_test_split(texts, labels, test_size=0.1, stratify=labels, random_state=seed)
    return (x, y), (x_test, y_test)


class LowRank(nn.Module):
    """A parametrisation: a fixed weight (out, in) plus the product of two thin matrices, which alone are trained.

    Source: E. Hu et al. (2021), LoRA, https://arxiv.org/abs/2106.09685
    """

    def __init__(self, weight: Tensor, rank: int):
        super().__init__()
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with the product added."""
        return weight + self.up @ self.down


def add_low_rank(encoder: Any, rank: int) -> None:
    """Freeze a BERT except for the biases and norms of its layers, and make each of their weights a LowRank."""
    encoder.requires_grad_(False)
    for layer in list(encoder.encoder.modules()):
        if isinstance(layer, nn.LayerNorm):
            layer.requires_grad_()
        elif isinstance(layer, nn.Linear):
            layer.bias.requires_grad_()
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def trained_state(model: nn.Module) -> dict[str, Tensor]:
    """What was trained of a model, by the names that `igteach.models.text.load_trained` takes.

    Args:
        model: its parameters that require a gradient were trained.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> _ = layer.weight.requires_grad_(False)
        >>> list(trained_state(layer))
        ['bias']
    """
    state = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            state[re.sub(r"\.parametrizations\.(\w+)\.0\.", r".\1.", name)] = value.detach()
    return state


def fit(classifier: TextClassifier, texts: Labelled, recipe: Recipe) -> None:
    """Train a classifier with AdamW; it is left in eval mode.

    Args:
        classifier: the parameters of its model that require a gradient are trained.
        texts: with a label each, one of the classifier's.
        recipe: how.
    """
    x, y = texts[0], torch.tensor([classifier.labels.index(label) for label in texts[1]])
    parameters = [value for value in classifier.model.parameters() if value.requires_grad]
    mean = RunningMean(parameters)
    optimizer = torch.optim.AdamW(parameters, recipe.rate)
    steps_per_epoch = len(batches(x, random.Random(0)))
    schedule = rates(optimizer, recipe, recipe.epochs * steps_per_epoch)
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
            if recipe.averaged and epoch > 0:
                mean.update()
    if recipe.averaged and recipe.epochs > 1:
        mean.apply()
    classifier.model.eval()


class RunningMean:
    """The mean of parameters over the steps of training.

    Source: P. Izmailov et al. (2018), Averaging Weights Leads to Wider Optima, https://arxiv.org/abs/1803.05407
    """

    def __init__(self, parameters: Sequence[Tensor]):
        self.parameters = parameters
        self.means = [value.detach().clone() for value in parameters]
        self.steps = 0

    def update(self) -> None:
        """Take the parameters as they are now into the mean."""
        self.steps += 1
        for mean, value in zip(self.means, self.parameters, strict=True):
            mean.lerp_(value.detach(), 1 / self.steps)

    def apply(self) -> None:
        """Set the parameters to their mean."""
        for mean, value in zip(self.means, self.parameters, strict=True):
            value.data.copy_(mean)


def rates(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> Any:
    """The schedule that `how_trained` describes: the rate rises for a tenth of the steps, and falls in the end."""
    if not recipe.averaged:
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.rate, steps, pct_start=0.1, anneal_strategy="linear"
        )

    def fraction_of_the_rate(step: int) -> float:
        rising = 10 * step / steps
        falling = (1 - step / steps) / 0.6
        return min(rising, 1, max(falling, 0.15))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, fraction_of_the_rate)


def read(classifier: TextClassifier, texts: list[str], hidden: float) -> dict[str, Tensor]:
    """What the model takes of the texts, a fraction `hidden` of the tokens replaced at random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that long texts are truncated
        encoding = classifier.encode(texts)
    inputs, tokenizer = classifier.inputs(encoding), classifier.tokenizer
    if hidden:
        chosen = (torch.rand(inputs["input_ids"].shape) < hidden) & (encoding["special_tokens_mask"] == 0)
        mask = tokenizer.unk_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id
        inputs["input_ids"].masked_fill_(chosen, mask)
    return inputs


def batches(texts: Sequence[str], shuffle: random.Random) -> list[list[int]]:
    """The numbers of the texts in batches of about equal lengths, in random order."""
    order = list(range(len(texts)))
    shuffle.shuffle(order)
    found = []
    for start in range(0, len(order), 20 * BATCH_SIZE):
        by_length = sorted(order[start : start + 20 * BATCH_SIZE], key=lambda number: len(texts[number]))
        found += [by_length[i : i + BATCH_SIZE] for i in range(0, len(by_length), BATCH_SIZE)]
    shuffle.shuffle(found)
    return found


def measure(classifier: TextClassifier, texts: Labelled) -> Figures:
    """Measure what a card states.

    Args:
        classifier: in eval mode.
        texts: held-out texts with their labels.

    Returns:
        The figures by name; LEGEND explains each.
    """
    x, y = texts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that long texts are truncated
        p = classifier.probabilities(x)
    correct = p.argmax(1) == torch.tensor([classifier.labels.index(label) for label in y])
    figures = {
        "accuracy": correct.double().mean().item(),
        "the commonest label": max(Counter(y).values()) / len(y),
    }
    for label in classifier.labels:
        rows = [number for number, true_label in enumerate(y) if true_label == label]
        figures[f"{label} found"] = correct[rows].double().mean().item()
    figures["mean confidence"] = p.amax(1).double().mean().item()
    answers = [cast(TokenAttribution, token_attribution(classifier, text)) for text in x[:EXPLAINED]]
    figures["IG complete"] = sum(fraction_complete(answer.evidence) for answer in answers) / len(answers)
    return figures


def train_question_types() -> None:
    """Write the model of question types."""
    texts = training_questions()
    how = (
        f"Trained on {len(texts[0]):,} of the 5,452 questions of TREC.train: each once, without those that are also in "
        f"TREC.test. {CHANGED} {how_trained('question_types')} The settings were chosen on a tenth of the "
        "training questions; the questions of TREC.test were asked once, for the figures below."
    )
    train_encoder("question_types", texts, questions("TREC.test"), how)


def train_sentiment_en() -> None:
    """Write the model of English sentiment."""
    texts, test = split_tenth(*movie_sentences())
    how = (
        f"Trained on {len(texts[0]):,} sentences; {len(test[0]):,}, a tenth of each label, were held out. {CHANGED} "
        f"{how_trained('sentiment_en')} On a tenth of the training sentences this did better than the weights of the "
        "last step, and than a rate of 0.002 that falls to zero, with every token seen. The held-out sentences were "
        "asked once for this recipe, and once for the one before; the goal, 84%, is missed."
    )
    train_encoder("sentiment_en", texts, test, how)


def train_encoder(name: str, texts: Labelled, test: Labelled, how: str) -> None:
    """Train the changes of the encoder, and write them and their card."""
    torch.manual_seed(0)
    classifier = encoder_classifier(name)
    fit(classifier, texts, RECIPES[name])
    figures = table({"value": measure(classifier, test)})
    write(Card(name, name, TITLES[name], how, figures, ABOUT[name]), classifier.model, trained_state(classifier.model))
    print(figures)


def train_sentiment_zh() -> None:
    """Write the model of Chinese sentiment."""
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
    state = classifier.model.state_dict()
    state["characters"] = torch.tensor([ord(character) for character in characters])
    figures = table({"value": measure(classifier, test)})
    name = "sentiment_zh"
    write(Card(name, name, TITLES[name], how, figures, ABOUT[name]), classifier.model, state)
    print(figures)


def how_trained(name: str) -> str:
    """How a model was trained, in words for its card."""
    recipe = RECIPES[name]
    falls = "then falls to zero"
    if recipe.averaged:
        falls = "falls to 15% of that in the last three fifths"
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
    """The encoder with low-rank changes and a new head, to be trained."""
    encoder, tokenizer = load_encoder()
    add_low_rank(encoder, RANK)
    return TextClassifier(SentenceClassifier(encoder, len(LABELS[name])), tokenizer, LABELS[name])


def character_classifier(texts: Sequence[str]) -> TextClassifier:
    """A new model, to be trained, that knows the characters which occur in at least 3 of the texts."""
    normalise = character_tokenizer("").backend_tokenizer.normalizer.normalize_str
    texts_with: Counter[str] = Counter()
    for text in texts:
        texts_with.update(character for character in set(normalise(text)) if not character.isspace())
    frequent = sorted(character for character, count in texts_with.items() if count >= 3)
    tokenizer = character_tokenizer("".join(frequent))
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
