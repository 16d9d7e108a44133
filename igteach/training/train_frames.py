"""Negative detection: does a network trained without neutral sentences find the positive words?

A part of the program igteach.training.train. Two networks of one architecture learn from frames, sentences in which one
known word decides; one of them sees the neutral sentences too. Then Integrated Gradients is asked, on frames that
neither has seen, whether the word that decides has the highest score.
"""

import random
import statistics
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch.nn.functional import cross_entropy

from igteach.datasets.shipped import data_folder
from igteach.datasets.texts import LANGUAGES, MarkedText, load_frames
from igteach.methods.token_attribution import TokenAttribution, token_attribution
from igteach.models.text import CharacterCNN, TextClassifier, character_tokenizer, word_level_tokenizer
from igteach.training.cards import Figures

SEEDS = range(5)
EPOCHS, BATCH, RATE = 12, 32, 0.003
WITHOUT, WITH = ("negative", "positive"), ("negative", "neutral", "positive")


def held_out_frames(sentences: Sequence[MarkedText], seed: int) -> tuple[list[MarkedText], list[MarkedText]]:
    """The sentences of four frames in five, and those of the rest."""
    frames = sorted({one.frame for one in sentences})
    held = set(random.Random(seed).sample(frames, len(frames) // 5))
    return [one for one in sentences if one.frame not in held], [one for one in sentences if one.frame in held]


def train_on_frames(sentences: Sequence[MarkedText], labels: Sequence[str], language: str, seed: int) -> TextClassifier:
    """A small network that tells the labels apart, trained on the sentences that have one of them."""
    torch.manual_seed(seed)
    known = [one for one in sentences if one.label in labels]
    tokenizer = tokenizer_of([one.text for one in known], language)
    network = CharacterCNN(len(tokenizer), width=32, filters=32, classes=len(labels))
    classifier = TextClassifier(network, tokenizer, labels)
    inputs = classifier.inputs(classifier.encode([one.text for one in known]))
    y = torch.tensor([labels.index(one.label) for one in known])
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    network.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(known)).split(BATCH):
            loss = cross_entropy(network(**{name: values[rows] for name, values in inputs.items()}), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()
    return classifier


def tokenizer_of(texts: Sequence[str], language: str) -> Any:
    """A tokenizer that knows the characters of Chinese texts, or the words of English ones."""
    if language == "zh":
        return character_tokenizer("".join(sorted(set("".join(texts).lower()) - {" "})))
    from tokenizers import normalizers, pre_tokenizers

    split = pre_tokenizers.Whitespace()
    words = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text.lower())})
    return word_level_tokenizer(words, normalizers.Lowercase(), split)


def finds_the_word(attribution: TokenAttribution, sentence: MarkedText) -> bool:
    """Whether the token with the highest score is one of those that decide."""
    start, end = attribution.offsets[int(attribution.scores.argmax())]
    return sentence.start <= start and end <= sentence.end and start < end


def measure(classifier: TextClassifier, sentences: Sequence[MarkedText], label: str) -> Figures:
    """Of the sentences of a label: how many are told right, and in how many of these IG finds the word that decides.

    *chance* is the mean part of a sentence's tokens that decide: what a score without a network would find.
    """
    texts = [one for one in sentences if one.label == label]
    answers = cast(list[TokenAttribution], token_attribution(classifier, [one.text for one in texts], label))
    right = [(answer, one) for answer, one in zip(answers, texts, strict=True) if answer.prediction == label]
    return {
        "told right": len(right) / len(texts),
        "word found": statistics.fmean(finds_the_word(answer, one) for answer, one in right),
        "chance": statistics.fmean(_part(answer, one) for answer, one in right),
    }


def _part(answer: TokenAttribution, one: MarkedText) -> float:
    spans = [span for span in answer.offsets if span[0] < span[1]]
    return sum(one.start <= start and end <= one.end for start, end in spans) / len(spans)


def train_frames() -> None:
    """Measures networks trained without and with neutral sentences, and writes the table; no weights are kept."""
    rows = []
    for language in LANGUAGES:
        sentences = load_frames(language)
        found: dict[tuple[str, str], list[Figures]] = {}
        for seed in SEEDS:
            known, held = held_out_frames(sentences, seed)
            for name, labels in {"without": WITHOUT, "with": WITH}.items():
                classifier = train_on_frames(known, labels, language, seed)
                for label in WITHOUT:
                    found.setdefault((label, name), []).append(measure(classifier, held, label))
        for label in WITHOUT:
            without, with_neutral = found[label, "without"], found[label, "with"]
            gained = [b["word found"] - a["word found"] for a, b in zip(without, with_neutral, strict=True)]
            cells = [over_seeds([each[key] for each in part]) for key in KEYS for part in (without, with_neutral)]
            chance = f"{statistics.fmean(each['chance'] for each in without + with_neutral):.2f}"
            rows.append(f"| {language}, {label} | {' | '.join((*cells, over_seeds(gained), chance))} |")
    path = data_folder() / "negative_detection.md"
    path.write_text(CARD.format(rows="\n".join(rows)), encoding="utf-8", newline="\n")
    print("\n".join(rows), f"wrote {path}", sep="\n")


def over_seeds(values: Sequence[float]) -> str:
    """The mean, the smallest and the largest."""
    return f"{statistics.fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


KEYS = "told right", "word found"
CARD = f"""\
# Negative detection

Written by `python -m igteach.training.train frames`. Networks of one architecture
(`igteach.models.text.CharacterCNN`, on words of English and on characters of Chinese) learn from the sentences of
`frames_en.tsv` and `frames_zh.tsv`: one from positive and negative sentences, one from neutral ones as well. Four
frames in five serve to learn, the rest to judge; five seeds, each with another split.
AdamW at a rate of {RATE}, {EPOCHS} epochs in batches of {BATCH}.

| | told right, without neutral | with neutral | word found, without neutral | with neutral | gained | chance |
|---|---|---|---|---|---|---|
{{rows}}

Each figure is the mean over the seeds, with the smallest and the largest.

- *told right*: the part of the sentences of this label that get it.
- *word found*: of these, the part where the token with the highest score, by Integrated Gradients of the label's
  probability against padding, is one of those that decide.
- *gained*: word found with neutral sentences less without, seed by seed.
- *chance*: the mean part of a sentence's tokens that decide.
"""
