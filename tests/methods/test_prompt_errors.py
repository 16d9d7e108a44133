"""What is refused of a prompt and its model: the message names the argument and what was passed, its advice works."""

import copy
import functools

import pytest
import torch
from torch import nn

from igteach.methods.token_attribution import token_attribution
from igteach.models import lookup, text
from igteach.models.language import LanguageModel
from tests.text_models import CHAT, Weighed, byte_tokenizer, tiny_language_model, weighed

PROMPT, OTHER = "how many people live in new land", "who many people is in found land"
LONGER = "who is it ? how many people live in new land"
TARGET, AGAINST, CONTINUATION = " found", " it", " who live in land ?"


@functools.cache
def model_of(kind):
    return tiny_language_model(kind)


@functools.cache
def with_start():
    """A model whose tokenizer puts <s> before a text, and has a template for chats."""
    return tiny_language_model("Llama", tokenizer=byte_tokenizer(bos=True, chat_template=CHAT))


@functools.cache
def reader():
    return text.load("sentiment_zh", "cpu")


def in_dtype(dtype):
    return LanguageModel(copy.deepcopy(model_of("Llama").model).to(dtype), byte_tokenizer())


def ask(prompt=PROMPT, target=None, model=None, **options):
    return token_attribution(model or with_start(), prompt, target, steps=2, **options)


def wordwise():
    """A tokenizer of whole words, to which others are unknown."""
    return lookup.load("cpu")


def without_eos():
    return LanguageModel(model_of("GPT2").model, byte_tokenizer(eos_token=None))


@functools.cache
def short():
    return tiny_language_model("GPT2", max_position_embeddings=8)


def in_train_mode():
    model = tiny_language_model("GPT2")
    model.model.train()
    return model


def put_in_eval_mode():
    model = in_train_mode()
    model.model.eval()
    return model


class CountsTokens(Weighed):
    def forward(self, input_ids):
        return super().forward(input_ids) + input_ids.sum() / 100


class Draws(Weighed):
    def forward(self, input_ids):
        return super().forward(input_ids) + torch.rand(1, input_ids.shape[1], 1)


class Classifies(Weighed):
    def forward(self, input_ids):
        return super().forward(input_ids)[:, -1]


class Silent(Weighed):
    def forward(self, input_ids):
        return {"states": self.table(input_ids)}


def broken(repaired=False):
    model = weighed()
    with torch.no_grad():
        model.model.table.weight[7] = torch.nan if not repaired else 0
        model.model.out.weight[9] = torch.nan if not repaired else 0
    return model


def small_table(resized=False):
    model = tiny_language_model("GPT2", vocab_size=80)
    if resized:
        model.model.resize_token_embeddings(len(model.tokenizer))
    return model


def chat(**message):
    return [{"role": "user", "content": "who is it"} | message]


def refusing(text="{{ raise_exception('no system, please') }}"):
    return LanguageModel(model_of("GPT2").model, byte_tokenizer(chat_template=text))


LAND = byte_tokenizer().convert_tokens_to_ids("Ġland")
MENDED = "who \ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace")
# the wrong call, its error and a part of the message, and the call as advised
REFUSED = [
    # prompts
    (lambda: ask(None), TypeError, "prompt is NoneType; pass a str, or a chat: [{'role'", lambda: ask(PROMPT)),
    (lambda: ask(5), TypeError, "prompt is int; pass a str", lambda: ask(chat())),
    (lambda: ask(b"how"), TypeError, "prompt is bytes; pass a str", lambda: ask("how")),
    (lambda: ask([PROMPT, None]), TypeError, "prompt is NoneType; pass a str", lambda: ask([PROMPT, PROMPT])),
    (lambda: ask([[]]), TypeError, "prompt is an empty list; pass a str, or a chat", lambda: ask([chat()])),
    (
        lambda: ask("", model=model_of("GPT2")),
        ValueError,
        "prompt is '': nothing in it that the tokenizer reads; pass a word or more",
        lambda: ask("how", model=model_of("GPT2")),
    ),
    (
        lambda: ask(" \n", model=wordwise()),
        ValueError,
        "prompt is ' \\n': nothing in it",
        lambda: ask("k1", model=wordwise()),
    ),
    (
        lambda: ask(""),
        ValueError,
        "move is 'written', and all tokens of '' are special ones or of a chat's template; pass move='all'",
        lambda: ask("", move="all"),
    ),
    (
        lambda: ask(LONGER, model=short()),
        ValueError,
        "prompt has 11 tokens, and the model reads 8; pass a shorter one",
        lambda: ask(PROMPT, model=short()),
    ),
    (
        lambda: ask("who \ud83d"),
        ValueError,
        "prompt holds half a character at place 4, the lone surrogate '\\ud83d'; repair it by .encode('utf-16', "
        "'surrogatepass').decode('utf-16', 'replace')",
        lambda: ask(MENDED),
    ),
    (
        lambda: ask(PROMPT, model=small_table()),
        ValueError,
        "and the GPT2LMHeadModel has embeddings for 80; pass the model's own tokenizer, or call "
        "model.model.resize_token_embeddings(len(model.tokenizer))",
        lambda: ask(PROMPT, model=small_table(resized=True)),
    ),
    # chats
    (
        lambda: ask(chat(), model=model_of("GPT2")),
        ValueError,
        "prompt is a chat, and the tokenizer has no chat_template; pass a str, or set one",
        lambda: (ask("who is it", model=model_of("GPT2")), ask(chat())),
    ),
    (
        lambda: ask([{"role": "user"}]),
        TypeError,
        "prompt has a message whose 'content' is missing; pass each as in [{'role': 'user', 'content': 'some text'}]",
        lambda: ask([{"role": "user", "content": "some text"}]),
    ),
    (lambda: ask(chat(content=None)), TypeError, "whose 'content' is NoneType; pass each as in", lambda: ask(chat())),
    (lambda: ask(chat(content=["who"])), TypeError, "whose 'content' is list; pass each as in", lambda: ask(chat())),
    (lambda: ask([{"content": "who"}]), TypeError, "whose 'role' is missing; pass each as in", lambda: ask(chat())),
    (lambda: ask(chat(role=1)), TypeError, "whose 'role' is int; pass each as in", lambda: ask(chat())),
    (
        lambda: ask([*chat(), "who"]),
        TypeError,
        "prompt is a chat with str in it; pass messages: [{'role': ",
        lambda: ask([*chat(), *chat(content="who")]),
    ),
    (
        lambda: ask(chat(content="who \ud83d")),
        ValueError,
        "a message of prompt holds half a character at place 4",
        lambda: ask(chat(content=MENDED)),
    ),
    (
        lambda: ask(chat(content=" ")),
        ValueError,
        "move is 'written', and all tokens of '<s>user:  </s>assistant:' are special ones or of a chat's template; "
        "pass move='all'",
        lambda: ask(chat(content=" "), move="all"),
    ),
    (
        lambda: ask(chat(), model=refusing()),
        ValueError,
        "prompt is a chat that the tokenizer's chat_template refuses: no system, please; pass one that it takes, or a",
        lambda: (ask(chat(), model=refusing(CHAT)), ask("who", model=refusing())),
    ),
    # target and against
    (
        lambda: ask(PROMPT, " lands"),
        ValueError,
        "target is ' lands', which is 2 tokens, [' land', 's']; pass one of them"
        " (token_attribution takes all of them as continuation=...)",
        lambda: (ask(PROMPT, " land"), ask(PROMPT, LAND), ask(PROMPT, continuation=" lands")),
    ),
    (
        lambda: ask(PROMPT, TARGET, against="found land"),
        ValueError,
        "against is 'found land', which is 2 tokens, ['found', ' land']; pass one of them",
        lambda: (ask(PROMPT, TARGET, against=" land"), ask(PROMPT, TARGET, against=LAND)),
    ),
    (
        lambda: ask(PROMPT, ""),
        ValueError,
        "target is '', which has no token in it; pass a token as a str, or its number as an int",
        lambda: (ask(PROMPT, " land"), ask(PROMPT, LAND)),
    ),
    (
        lambda: ask("k1 v1 k1", "zz", wordwise()),
        ValueError,
        "target is 'zz', which the vocabulary does not have; pass a token that it has, such as those that "
        "model.likeliest(prompt) gives",
        lambda: ask("k1 v1 k1", wordwise().likeliest("k1 v1 k1")[0][0], wordwise()),
    ),
    (
        lambda: ask("k1 v1 k1", "v1", wordwise(), against="zz"),
        ValueError,
        "against is 'zz', which the vocabulary does not have",
        lambda: ask("k1 v1 k1", "v1", wordwise(), against="[UNK]"),
    ),
    (
        lambda: ask(PROMPT, TARGET, against=TARGET),
        ValueError,
        "against is ' found', and so is target; F would be 0: pass another token",
        lambda: ask(PROMPT, TARGET, against=AGAINST),
    ),
    (
        lambda: ask("k1 v1 k1", against="v1", model=wordwise()),
        ValueError,
        "against is 'v1', and so is target, the likeliest token; F would be 0: pass another token",
        lambda: ask("k1 v1 k1", against="v2", model=wordwise()),
    ),
    *(
        (
            lambda given=given: ask(PROMPT, given),
            TypeError,
            f"target is {name}; pass a token as a str, or its number as an int",
            lambda: (ask(PROMPT, " land"), ask(PROMPT, 3)),
        )
        for given, name in ((True, "bool"), (1.0, "float"), (torch.tensor(3), "Tensor"), (b" land", "bytes"))
    ),
    (lambda: ask(PROMPT, TARGET, against=1.0), TypeError, "against is float", lambda: ask(PROMPT, TARGET, against=1)),
    (lambda: ask(PROMPT, -1), ValueError, "target is -1, and the vocabulary has", lambda: ask(PROMPT, 0)),
    (
        lambda: ask(PROMPT, len(byte_tokenizer())),
        ValueError,
        f"target is {len(byte_tokenizer())}, and the vocabulary has {len(byte_tokenizer())} tokens; count from 0",
        lambda: ask(PROMPT, len(byte_tokenizer()) - 1),
    ),
    (
        lambda: ask("H", "how", model=small_table()),
        ValueError,
        "target has 'how', which is token",
        lambda: ask("H", "how", model=small_table(resized=True)),
    ),
    (lambda: ask(PROMPT, " \udc00"), ValueError, "target holds half a character", lambda: ask(PROMPT, " land")),
    # continuation
    (
        lambda: ask(PROMPT, TARGET, continuation=CONTINUATION),
        ValueError,
        "continuation and target are both given; pass one: continuation asks about each of its tokens",
        lambda: (ask(PROMPT, TARGET), ask(PROMPT, continuation=CONTINUATION)),
    ),
    (
        lambda: ask(PROMPT, against=AGAINST, continuation=CONTINUATION),
        ValueError,
        "continuation and against are both given; pass one",
        lambda: (ask(PROMPT, against=AGAINST), ask(PROMPT, continuation=CONTINUATION)),
    ),
    (lambda: ask(continuation=5), TypeError, "continuation is int; pass a str", lambda: ask(continuation="5")),
    (lambda: ask(continuation=b"5"), TypeError, "continuation is bytes; pass a str", lambda: ask(continuation="5")),
    (
        lambda: ask(continuation=""),
        ValueError,
        "continuation is '': nothing that the tokenizer reads; pass a word or more",
        lambda: ask(continuation=" who"),
    ),
    (
        lambda: ask(continuation="who \ud83d"),
        ValueError,
        "continuation holds half a character at place 4",
        lambda: ask(continuation=MENDED),
    ),
    (
        lambda: ask(model=short(), continuation=" who is it"),
        ValueError,
        "continuation has 3 tokens behind the 7 of the prompt, and the model reads 8; pass a shorter one",
        lambda: ask(model=short(), continuation=" who is"),
    ),
    (
        lambda: ask([PROMPT, PROMPT], continuation=CONTINUATION),
        ValueError,
        "text is a list, and continuation goes with one prompt; call once for each",
        lambda: [ask(prompt, continuation=CONTINUATION) for prompt in (PROMPT, PROMPT)],
    ),
    (
        lambda: ask("H", continuation="how", model=small_table()),
        ValueError,
        "continuation has 'how', which is token",
        lambda: ask("H", continuation="how", model=small_table(resized=True)),
    ),
    # baseline and move
    (
        lambda: ask(baseline="who is it"),
        ValueError,
        "baseline is another prompt of 4 tokens, ['<s>', 'who', ' is', ' it'], and this one has 8, ['<s>', 'how', "
        "' many', ' people', ' live', ' in', ' new', ' land']; pass one of as many, or one of mean, eos, zero",
        lambda: (ask(baseline=OTHER), ask(baseline="mean"), ask(baseline="eos"), ask(baseline="zero")),
    ),
    (
        lambda: ask(baseline=PROMPT),
        ValueError,
        "baseline is the prompt itself, token by token; change the words that you ask about",
        lambda: ask(baseline=OTHER),
    ),
    (
        lambda: ask(f"</s>{PROMPT}", baseline=f"<pad>{OTHER}"),
        ValueError,
        "baseline is another prompt, which differs in ['</s>'], and they are not moved; pass move='all'",
        lambda: ask(f"</s>{PROMPT}", baseline=f"<pad>{OTHER}", move="all"),
    ),
    (
        lambda: ask(baseline="", model=model_of("GPT2")),
        ValueError,
        "baseline is '': nothing in it that the tokenizer reads",
        lambda: ask(baseline=OTHER, model=model_of("GPT2")),
    ),
    (lambda: ask(baseline="\ud83d"), ValueError, "baseline holds half a character", lambda: ask(baseline=OTHER)),
    (
        lambda: ask(baseline="eos", model=without_eos()),
        ValueError,
        "baseline is 'eos', but the tokenizer has no eos_token; choose 'mean', or another prompt",
        lambda: (ask(baseline="mean", model=without_eos()), ask(baseline=OTHER, model=without_eos())),
    ),
    *(
        (
            lambda given=given: ask(baseline=given),
            TypeError,
            f"baseline is {name}; pass one of mean, eos, zero, another prompt as a str, or a tensor",
            lambda: (ask(baseline="zero"), ask(baseline=OTHER), ask(baseline=torch.zeros(32))),
        )
        for given, name in ((0, "int"), ([0.0], "list"), (b"", "bytes"))
    ),
    (
        lambda: ask(baseline=torch.zeros(31)),
        ValueError,
        "baseline has shape (31,), which does not broadcast to x's (1, 8, 32); pass one of x's shape, or of one",
        lambda: (ask(baseline=torch.zeros(1, 8, 32)), ask(baseline=torch.zeros(8, 32))),
    ),
    (lambda: ask(baseline=torch.zeros(32).long()), TypeError, "baseline is torch.int64", lambda: ask(baseline="zero")),
    *(
        (
            lambda given=given: ask(move=given),
            ValueError,
            f"move is {given!r}; choose one of written, all",
            lambda: (ask(move="written"), ask(move="all")),
        )
        for given in ("some", None, True, b"all")
    ),
    # models
    (
        lambda: ask(model=in_train_mode()),
        ValueError,
        "model.model is in train mode, and its layer 'transformer.drop' (Dropout) behaves differently there; call "
        ".eval() on model.model",
        lambda: ask(model=put_in_eval_mode()),
    ),
    (
        lambda: ask(model=weighed(CountsTokens)),
        ValueError,
        "model is a CountsTokens, which answers otherwise by the embeddings of a prompt than by its tokens",
        lambda: ask(model=weighed()),
    ),
    (
        lambda: ask(model=weighed(Draws)),
        ValueError,
        "model is a Draws, which answers otherwise each time; F must be deterministic: call model.model.eval(), and "
        "take out of it what draws at random",
        lambda: ask(model=weighed()),
    ),
    (
        lambda: ask("how", TARGET, model=broken()),
        ValueError,
        "model is a Weighed, whose logits are NaN; look for NaN or infinity in its weights",
        lambda: ask("how", TARGET, model=broken(repaired=True)),
    ),
    (
        lambda: ask(model=broken()),
        ValueError,
        "model is a Weighed, whose logits are NaN; look for NaN or infinity in its weights",
        lambda: ask(model=broken(repaired=True)),
    ),
    (
        lambda: ask(model=weighed(Classifies)),
        ValueError,
        "model is Classifies, whose logits have shape (1, ",
        lambda: ask(model=weighed()),
    ),
    (
        lambda: ask(model=weighed(Silent)),
        TypeError,
        "model is Silent, which returned dict without logits; pass one that continues a text, such as one of "
        "AutoModelForCausalLM",
        lambda: ask(model=model_of("Llama")),
    ),
    (
        lambda: ask(model=model_of("Llama").model),
        TypeError,
        "or LanguageModel(model, tokenizer) of igteach.models.language",
        lambda: ask(model=LanguageModel(model_of("Llama").model, byte_tokenizer())),
    ),
    (
        lambda: ask(model=in_dtype(torch.bfloat16)),
        ValueError,
        "model computes in torch.bfloat16, too coarsely to be attributed; call model.model.float() first",
        lambda: ask(model=in_dtype(torch.float32)),
    ),
    # what goes with a language model, asked of a classifier
    *(
        (
            lambda given=given: token_attribution(reader(), "很差", steps=2, **given),
            ValueError,
            f"{next(iter(given))} is '{next(iter(given.values()))}', and the model is a TextClassifier; leave it out",
            lambda: token_attribution(reader(), "很差", steps=2),
        )
        for given in ({"against": "positive"}, {"continuation": "positive"}, {"move": "all"})
    ),
]


@pytest.mark.parametrize(("wrong", "kind", "said", "right"), REFUSED, ids=[row[2][:60] for row in REFUSED])
def test_what_is_refused_is_named_and_the_advice_works(wrong, kind, said, right):
    with pytest.raises(kind) as error:
        wrong()
    assert said in str(error.value)
    right()


def test_a_model_is_wanted_with_a_table_and_a_tokenizer_with_offsets():
    network, tokenizer = model_of("GPT2").model, byte_tokenizer()
    with pytest.raises(TypeError, match="model is str; pass the network itself"):
        LanguageModel("gpt2", tokenizer)
    with pytest.raises(TypeError, match="model is Linear, whose forward has no input_ids"):
        LanguageModel(nn.Linear(1, 1), tokenizer)
    with pytest.raises(TypeError, match="tokenizer is NoneType, which gives no offsets into the text; pass a fast one"):
        LanguageModel(network, None)

    class Closed(nn.Module):
        def forward(self, input_ids):
            return input_ids

    with pytest.raises(TypeError, match="model is Closed, which has no get_input_embeddings; write that method"):
        LanguageModel(Closed(), tokenizer)
    assert LanguageModel(network, tokenizer).token(" land") == LAND
