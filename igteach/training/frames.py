"""Negative detection: does a network trained without neutral sentences find the positive words?

Two networks of one architecture learn from frames, sentences in which one known word decides; one of them sees the
neutral sentences too. Then, on frames that neither has seen, Integrated Gradients shows whether the word that decides
has the highest score.
"""

import random
import statistics
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch.nn.functional import cross_entropy

from igteach.datasets.shipped import data_folder
from igteach.datasets.texts import LANGUAGES, MarkedText, load_frames
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.models.text import CharacterCNN, TextClassifier, character_tokenizer, word_level_tokenizer
from igteach.training.cards import Figures

SEEDS = range(5)
EPOCHS = 12
BATCH_SIZE = 32
RATE = 0.003  # the learning rate
WITHOUT = ("negative", "positive")  # the labels of a network that is trained without neutral sentences
WITH = ("negative", "neutral", "positive")
KEYS = ("told right", "word found")  # of what `measure` returns: those that the table states for both networks


def held_out_frames(sentences: Sequence[MarkedText], seed: int) -> tuple[list[MarkedText], list[MarkedText]]:
    """Split sentences by their frame: four frames in five to learn from, and the rest held out.

    Args:
        sentences: of any number of frames.
        seed: decides which frames are held out.

    Returns:
        The sentences to learn from, and those held out.

    Example:
        >>> from igteach.datasets.texts import load_frames
        >>> known, held_out = held_out_frames(load_frames("en"), seed=0)
        >>> len({sentence.frame for sentence in known}), len({sentence.frame for sentence in held_out})
        (116, 29)
    """
    frames = sorted({sentence.frame for sentence in sentences})
    held_out = set(random.Random(seed).sample(frames, len(frames) // 5))
    return (
        [sentence for sentence in sentences if sentence.frame not in held_out],
        [sentence for sentence in sentences if sentence.frame in held_out],
    )


def train_on_frames(sentences: Sequence[MarkedText], labels: Sequence[str], language: str, seed: int) -> TextClassifier:
    """Train a small network to tell labels apart.

    Args:
        sentences: of any label; those of other labels than `labels` are left out.
        labels: what the network chooses from.
        language: "en", of which it reads words, or "zh", of which it reads characters.
        seed: for the initial weights and the order of the sentences.

    Returns:
        The classifier, in eval mode, on the CPU.
    """
    torch.manual_seed(seed)
    known = [sentence for sentence in sentences if sentence.label in labels]
    texts = [sentence.text for sentence in known]
    tokenizer = tokenizer_of(texts, language)
    network = CharacterCNN(len(tokenizer), width=32, filters=32, classes=len(labels))
    classifier = TextClassifier(network, tokenizer, labels)
    inputs = classifier.inputs(classifier.encode(texts))
    y = torch.tensor([labels.index(sentence.label) for sentence in known])
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    network.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(known)).split(BATCH_SIZE):
            batch = {name: values[rows] for name, values in inputs.items()}
            loss = cross_entropy(network(**batch), y[rows])
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
    """Whether the token with the highest score is one of those that decide the label.

    Args:
        attribution: of the text of the sentence.
        sentence: with the deciding word marked.
    """
    start, end = attribution.offsets[int(attribution.scores.argmax())]
    return sentence.start <= start and end <= sentence.end and start < end


def measure(classifier: TextClassifier, sentences: Sequence[MarkedText], label: str) -> Figures:
    """Measure how well a network does on the sentences of one label, and whether IG finds the word that decides.

    Args:
        classifier: trained without these sentences.
        sentences: of any label; those of other labels are left out.
        label: one of the classifier's labels.

    Returns:
        "told right", the fraction classified correctly; "word found", the fraction of these where the token with the
        highest score decides; "chance", the mean fraction of tokens that decide, which is what scores that know
        nothing of the network would find.
    """
    of_label = [sentence for sentence in sentences if sentence.label == label]
    texts = [sentence.text for sentence in of_label]
    answers = cast(list[TokenAttribution], token_attribution(classifier, texts, label))
    correct = [
        (answer, sentence) for answer, sentence in zip(answers, of_label, strict=True) if answer.prediction == label
    ]
    return {
        "told right": len(correct) / len(of_label),
        "word found": statistics.fmean(finds_the_word(answer, sentence) for answer, sentence in correct),
        "chance": statistics.fmean(_fraction_that_decides(answer, sentence) for answer, sentence in correct),
    }


def _fraction_that_decides(answer: TokenAttribution, sentence: MarkedText) -> float:
    """Of the tokens that stand in the text."""
    spans = [(start, end) for start, end in answer.offsets if start < end]
    deciding = [sentence.start <= start and end <= sentence.end for start, end in spans]
    return sum(deciding) / len(spans)


def train_frames() -> None:
    """Measure networks trained without and with neutral sentences, and write the table; no weights are saved."""
    rows = []
    for language in LANGUAGES:
        found = measure_over_seeds(language)
        rows += [table_row(language, label, found[label, "without"], found[label, "with"]) for label in WITHOUT]
    path = data_folder() / "negative_detection.md"
    path.write_text(CARD.format(rows="\n".join(rows)), encoding="utf-8", newline="\n")
    print("\n".join(rows), f"wrote {path}", sep="\n")


def measure_over_seeds(language: str) -> dict[tuple[str, str], list[Figures]]:
    """The figures of each seed, by label and by "without" or "with" neutral sentences."""
    sentences = load_frames(language)
    found: dict[tuple[str, str], list[Figures]] = {}
    for seed in SEEDS:
        known, held_out = held_out_frames(sentences, seed)
        for name, labels in {"without": WITHOUT, "with": WITH}.items():
            classifier = train_on_frames(known, labels, language, seed)
            for label in WITHOUT:
                found.setdefault((label, name), []).append(measure(classifier, held_out, label))
    return found


def table_row(language: str, label: str, without: Sequence[Figures], with_neutral: Sequence[Figures]) -> str:
    """A row of the card's table, from the figures of each seed."""
    cells = []
    for key in KEYS:
        cells.append(over_seeds([figures[key] for figures in without]))
        cells.append(over_seeds([figures[key] for figures in with_neutral]))
    gained = [b["word found"] - a["word found"] for a, b in zip(without, with_neutral, strict=True)]
    cells.append(over_seeds(gained))
    chance = statistics.fmean(figures["chance"] for figures in (*without, *with_neutral))
    cells.append(f"{chance:.2f}")
    return f"| {language}, {label} | {' | '.join(cells)} |"


def over_seeds(values: Sequence[float]) -> str:
    """The mean of some values, with the smallest and the largest.

    Example:
        >>> over_seeds([0.25, 0.5, 0.75])
        '0.50 (0.25 to 0.75)'
    """
    return f"{statistics.fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


CARD = f"""\
# Negative detection

Written by `python -m igteach.training frames`. Networks of one architecture
(`igteach.models.text.CharacterCNN`, on words of English and on characters of Chinese) learn from the sentences of
`frames_en.tsv` and `frames_zh.tsv`: one from positive and negative sentences, one from neutral ones as well. Four
frames in five serve to learn, the rest to judge; five seeds, each with another split.
AdamW at a rate of {RATE}, {EPOCHS} epochs in batches of {BATCH_SIZE}.

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
