"""A model that continues a text, and the tokenizer that makes its tokens: any causal language model of Hugging Face."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.validation import check_count, check_modes
from igteach.models.text import check_reads_tokens, find_logits

Chat = Sequence[Mapping[str, str]]  # messages, each with a role and a content
Prompt = str | Chat
A_CHAT = "[{'role': 'user', 'content': 'some text'}]"
MARKS = "\ufdd0", "\ufdd1"  # characters that no text has, by Unicode
CONTENT = re.compile(r"\S(.*\S)?", re.DOTALL)  # without the space around it, which a template may take away
CONTINUES = "one that continues a text, such as one of AutoModelForCausalLM"


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """A prompt as a model reads it.

    Attributes:
        text: the prompt; of a chat what its template makes of it.
        ids: (1, tokens), on the model's device.
        tokens: the tokens, as the text has them.
        offsets: where each stands: it is text[start:end]; empty for a token that the tokenizer added.
        words: the number of the word that each token belongs to; None for one that the tokenizer added.
        is_written: (tokens,), which were written by a person: not special tokens, nor a chat's template.
    """

    text: str
    ids: Tensor
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]
    is_written: Tensor


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A model that predicts the next token, and the tokenizer that makes its tokens.

    Attributes:
        model: a causal language model of Hugging Face, in eval mode; or any nn.Module with get_input_embeddings() that
            takes input_ids and gives logits (N, tokens, vocabulary), or an object with `.logits`.
        tokenizer: a fast one of Hugging Face, which knows where in the text each token stands.

    Raises:
        TypeError: the model or the tokenizer lacks what is needed here.

    Example:
        >>> from igteach.models import lookup
        >>> lookup.load("cpu").likeliest("k3 v7 k1 v2 k3", 1)[0][0]
        'v7'
    """

    model: Any
    tokenizer: Any

    def __post_init__(self) -> None:
        check_reads_tokens(self.model, self.tokenizer)

    def encode(self, prompt: Prompt, name: str = "prompt") -> EncodedPrompt:
        """Turn a prompt into tokens.

        Args:
            prompt: a text; or a chat, a list of messages such as {"role": "user", "content": "Hello"}, which the
                tokenizer's chat template writes out, up to where the answer begins.
            name: of the argument, in an error.

        Returns:
            The tokens of the prompt.

        Raises:
            TypeError: the prompt is neither.
            ValueError: it has no tokens or too many, or holds half a character; or it is a chat, and the tokenizer has
                no template for it; or the model has no embedding of a token.
        """
        if isinstance(prompt, str):
            check_characters(prompt, name)
            text, spans = prompt, [(0, len(prompt))]
        else:
            text, spans = self._written_out(prompt, name)
        encoding = self.tokenizer(
            text,
            add_special_tokens=isinstance(prompt, str),  # a template writes them out itself
            return_offsets_mapping=True,
            verbose=False,
        )
        ids, special = encoding["input_ids"], {*self.tokenizer.all_special_ids} - {self.tokenizer.unk_token_id}
        if not ids:
            raise ValueError(f"{name} is {text!r}: nothing in it that the tokenizer reads; pass a word or more")
        if self.longest and len(ids) > self.longest:
            raise ValueError(f"{name} has {len(ids)} tokens, and the model reads {self.longest}; pass a shorter one")
        self._check_in_table(ids, name)
        offsets = tuple((start, end) for start, end in encoding["offset_mapping"])
        is_written = [
            token not in special and any(start < last and first < end for first, last in spans)
            for token, (start, end) in zip(ids, offsets, strict=True)
        ]
        named = self.tokenizer.convert_ids_to_tokens(ids)
        return EncodedPrompt(
            text=text,
            ids=torch.tensor([ids], device=self.device),
            tokens=tuple(text[start:end] or name for (start, end), name in zip(offsets, named, strict=True)),
            offsets=offsets,
            words=tuple(encoding.word_ids()),
            is_written=torch.tensor(is_written, device=self.device),
        )

    def _written_out(self, chat: Any, name: str) -> tuple[str, list[tuple[int, int]]]:
        """A chat by the tokenizer's template, and where in it the contents of the messages are."""
        if not isinstance(chat, list | tuple) or not chat:
            what = f"an empty {type(chat).__name__}" if isinstance(chat, list | tuple) else type(chat).__name__
            raise TypeError(f"{name} is {what}; pass a str, or a chat: {A_CHAT}")
        for message in chat:
            if not isinstance(message, Mapping):
                raise TypeError(f"{name} is a chat with {type(message).__name__} in it; pass messages: {A_CHAT}")
            for key in ("role", "content"):
                if not isinstance(message.get(key), str):
                    found = type(message[key]).__name__ if key in message else "missing"
                    raise TypeError(f"{name} has a message whose {key!r} is {found}; pass each as in {A_CHAT}")
            check_characters(message["content"], f"a message of {name}")
        if self.tokenizer.chat_template is None:
            raise ValueError(f"{name} is a chat, and the tokenizer has no chat_template; pass a str, or set one")
        text = self._by_template(chat, name)
        first, last = MARKS
        marked = [{**each, "content": CONTENT.sub(rf"{first}\g<0>{last}", each["content"], count=1)} for each in chat]
        plain, spans = _unmarked(self._by_template(marked, name))
        return text, spans if plain == text else []  # of a template that does more than put contents in their places

    def _by_template(self, chat: Sequence[Mapping[str, str]], name: str) -> str:
        try:
            text: str = self.tokenizer.apply_chat_template([*chat], tokenize=False, add_generation_prompt=True)
        except ImportError:  # of jinja2
            raise
        except Exception as error:  # whatever a template raises
            raise ValueError(
                f"{name} is a chat that the tokenizer's chat_template refuses: {error}; pass one that it takes, or a "
                "str"
            ) from error
        return text

    def _check_in_table(self, ids: Sequence[int], name: str) -> None:
        """Raises ValueError for a token of which the model has no embedding."""
        rows, last = getattr(self.model.get_input_embeddings(), "weight", None), max(ids)
        if isinstance(rows, Tensor) and last >= len(rows):
            raise ValueError(
                f"{name} has {self.tokenizer.convert_ids_to_tokens(last)!r}, which is token {last}, and the "
                f"{type(self.model).__name__} has embeddings for {len(rows)}; pass the model's own tokenizer, or call "
                "model.model.resize_token_embeddings(len(model.tokenizer))"
            )

    @property
    def longest(self) -> int | None:
        """How many tokens the model reads at most; None if its config does not say."""
        configured = getattr(getattr(self.model, "config", None), "max_position_embeddings", None)
        return configured if isinstance(configured, int) and configured > 0 else None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = next(self.model.parameters()).device
        return device

    def token(self, text: int | str, name: str = "target") -> int:
        """The number of one token.

        Args:
            text: the token as text, with the space before it where it begins a word; or its number.
            name: of the argument, in an error.

        Returns:
            Its number.

        Raises:
            TypeError: text is neither.
            ValueError: the text is not one token, or holds half a character; or the vocabulary has no such token, or
                the model no embedding of it.
        """
        vocabulary = len(self.tokenizer)
        if isinstance(text, int) and not isinstance(text, bool):
            if not 0 <= text < vocabulary:
                raise ValueError(f"{name} is {text}, and the vocabulary has {vocabulary} tokens; count from 0")
            ids = [text]
        elif isinstance(text, str):
            check_characters(text, name)
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        else:
            raise TypeError(f"{name} is {type(text).__name__}; pass a token as a str, or its number as an int")
        if len(ids) != 1:
            raise ValueError(f"{name} is {text!r}, {self._not_one(str(text), ids, name)}")
        if ids[0] == self.tokenizer.unk_token_id and text not in (self.tokenizer.unk_token, ids[0]):
            raise ValueError(
                f"{name} is {text!r}, which the vocabulary does not have; pass a token that it has, such as those that "
                "model.likeliest(prompt) gives"
            )
        self._check_in_table(ids, name)
        return int(ids[0])

    def _not_one(self, text: str, ids: Sequence[int], name: str) -> str:
        """What to say of a text that is no token, or several."""
        if not ids:
            return "which has no token in it; pass a token as a str, or its number as an int"
        pieces = [self.tokenizer.decode([each]) for each in ids]
        with_space = f" {text}"
        if len(self.tokenizer(with_space, add_special_tokens=False)["input_ids"]) == 1:
            return f"which is {len(ids)} tokens, {pieces}; {with_space!r}, with the space before it, is one: pass that"
        several = " (token_attribution takes all of them as continuation=...)" if name == "target" else ""
        return f"which is {len(ids)} tokens, {pieces}; pass one of them{several}"

    def logits(self, ids: Tensor, last: int = 1) -> Tensor:
        """What the model says of the tokens that may come next.

        Args:
            ids: (N, tokens).
            last: of how many places, counted from the end.

        Returns:
            (N, last, vocabulary): at each place the logits of the token after it.

        Raises:
            TypeError: the model gives no logits.
            ValueError: they are NaN, or not one row for each place.
        """
        out: Tensor = NextLogits(self.model, last)(ids)
        if bool(out.isnan().any()):
            raise ValueError(
                f"model is a {type(self.model).__name__}, whose logits are NaN; look for NaN or infinity in its "
                "weights, and if they are float16, call model.model.float()"
            )
        return out

    @torch.no_grad()
    def likeliest(self, prompt: Prompt, count: int = 5) -> list[tuple[str, float]]:
        """The tokens that most likely come next.

        Args:
            prompt: as `encode` takes it.
            count: how many.

        Returns:
            The tokens as text, each with its probability, the likeliest first.

        Raises:
            ValueError: as `encode` and `logits`; count is less than 1; or the model is in train mode.
        """
        check_count("count", count, 1)
        check_modes(self.model, "model.model")
        chances = self.logits(self.encode(prompt).ids)[0, -1].float().softmax(0)
        found = chances.topk(min(count, len(chances)))
        return [(self.tokenizer.decode([i]), p) for p, i in zip(*map(Tensor.tolist, found), strict=True)]


class NextLogits(nn.Module):
    """A language model as a function of tokens, (N, tokens), to its logits at the last places, (N, last, vocabulary).

    It keeps no cache of keys and values, and computes no other logits where the model can do without them.

    Args:
        model: as for LanguageModel.
        last: how many places.
    """

    def __init__(self, model: Any, last: int):
        super().__init__()
        self.model, self.last = model, last
        known = inspect.signature(model.forward).parameters
        options = {"use_cache": False, "logits_to_keep": last}
        self._options = {name: value for name, value in options.items() if name in known}
        self._takes_mask = "attention_mask" in known

    def forward(self, input_ids: Tensor) -> Tensor:
        """Every token is read: there is no padding."""
        mask = {"attention_mask": torch.ones_like(input_ids)} if self._takes_mask else {}
        out = self.model(input_ids=input_ids, **mask, **self._options)
        logits = find_logits(self.model, out, CONTINUES)
        if logits.dim() != 3 or logits.shape[1] < self.last:
            raise ValueError(
                f"model is {type(self.model).__name__}, whose logits have shape {tuple(logits.shape)}, not (texts, "
                f"tokens, vocabulary); pass {CONTINUES}"
            )
        return logits[:, -self.last :]

    def get_input_embeddings(self) -> nn.Module:
        """The layer that turns input_ids into embeddings."""
        table: nn.Module = self.model.get_input_embeddings()
        return table


def check_characters(text: str, name: str) -> None:
    """Whether a text can be tokenized: half a character, a lone surrogate, cannot.

    Args:
        text: any.
        name: of the argument, in the error.

    Raises:
        ValueError: the text holds half a character.

    Example:
        >>> check_characters("\N{DOG FACE}", "prompt")
    """
    place = next((i for i, character in enumerate(text) if "\ud800" <= character <= "\udfff"), None)
    if place is not None:
        raise ValueError(
            f"{name} holds half a character at place {place}, the lone surrogate {text[place]!r}; repair it by "
            ".encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        )


def _unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without MARKS, and where in it is what stood between them."""
    plain, spans, start = "", [], None
    for piece in re.split(f"([{''.join(MARKS)}])", marked):
        if piece == MARKS[0]:
            start = len(plain)
        elif piece == MARKS[1]:
            spans += [] if start is None else [(start, len(plain))]
            start = None
        else:
            plain += piece
    return plain, spans
