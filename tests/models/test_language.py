"""A language model and its tokenizer: where tokens stand in the text, which were written, and what comes next."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from torch import nn

from igteach.models.language import LanguageModel, NextLogits
from tests.text_models import CHAT, LANGUAGE, byte_tokenizer, tiny_language_model, weighed

PROMPT = "how many people live in new land"
EMOJI = "who is 👩‍👧 in land ?"


@functools.cache
def model_of(kind="Llama", bos=False):
    return tiny_language_model(kind, tokenizer=byte_tokenizer(bos=bos, chat_template=CHAT))


def written(encoded):
    return [token for token, is_written in zip(encoded.tokens, encoded.is_written.tolist(), strict=True) if is_written]


def test_tokens_stand_in_the_text_where_they_say_and_belong_to_words():
    encoded = model_of().encode("how many newfound lands?")
    assert encoded.tokens == ("how", " many", " new", "found", " land", "s", "?")
    assert [encoded.text[start:end] for start, end in encoded.offsets] == [*encoded.tokens]
    assert encoded.words == (0, 1, 2, 2, 3, 3, 4)
    assert encoded.ids.tolist() == [model_of().tokenizer("how many newfound lands?")["input_ids"]]
    assert encoded.is_written.all()


def test_a_token_that_the_tokenizer_adds_stands_nowhere_and_was_not_written():
    encoded = model_of(bos=True).encode(PROMPT)
    assert encoded.tokens[0] == "<s>"
    assert encoded.offsets[0] == (0, 0)
    assert encoded.words[0] is None
    assert encoded.is_written.tolist() == [False, *[True] * 7]
    assert encoded.ids[0, 0] == 1


def test_a_special_token_in_the_text_was_not_written_and_an_unknown_word_was():
    assert written(model_of().encode("how </s> many")) == ["how", " ", " many"]
    from igteach.models import lookup

    assert lookup.load("cpu").encode("k1 zz k2").is_written.all()
    assert lookup.load("cpu").encode("k1 zz k2").tokens == ("k1", "zz", "k2")


def test_the_bytes_of_an_emoji_all_stand_where_it_stands():
    encoded = model_of().encode(EMOJI)
    assert len(encoded.tokens) > 12
    for token, (start, end) in zip(encoded.tokens, encoded.offsets, strict=True):
        assert token == EMOJI[start:end] != ""
    assert {place for start, end in encoded.offsets for place in range(start, end)} == set(range(len(EMOJI)))


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_every_character_has_a_token(text):
    encoded = model_of().encode(text)
    places = [place for start, end in encoded.offsets for place in range(start, end)]
    assert set(places) == set(range(len(text)))
    assert len(encoded.tokens) == len(encoded.words) == encoded.ids.shape[1] == len(encoded.is_written)


def chat(*contents):
    roles = ["system", "user", "assistant", "user"]
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def test_of_a_chat_only_the_contents_were_written():
    encoded = model_of().encode(chat("how many", "people live", " who", "is it?\n"))
    assert encoded.text == (
        "<s>system: how many</s>user: people live</s>assistant:  who</s>user: is it?\n</s>assistant:"
    )
    assert "".join(written(encoded)) == " how many people live who is it?"
    special = [token for token in encoded.tokens if token in ("<s>", "</s>")]
    assert special == ["<s>", *["</s>"] * 4]


@pytest.mark.parametrize("content", ["user", "s", "system", ":", "assistant:", "user: user"])
def test_a_content_that_the_template_says_too_is_found_in_its_own_place(content):
    encoded = model_of().encode(chat("how many", content))
    first, place = encoded.text.index("how many"), encoded.text.rindex(f"user: {content}</s>") + len("user: ")
    inside = {*range(first, first + len("how many")), *range(place, place + len(content))}
    assert encoded.is_written.tolist() == [not inside.isdisjoint(range(*span)) for span in encoded.offsets]
    assert "".join(written(encoded)).replace(" ", "") == f"howmany{content}".replace(" ", "")


def test_a_template_that_trims_contents_and_one_that_says_them_loudly_are_read_as_they_write():
    trims = "{% for message in messages %}<s>{{ message['content'] | trim }}</s>{% endfor %}"
    loud = "{% for message in messages %}<s>{{ message['content'] | upper }}</s>{% endfor %}"
    for template, said in ((trims, "who is it"), (loud, "WHO IS IT")):
        model = LanguageModel(model_of().model, byte_tokenizer(chat_template=template))
        encoded = model.encode([{"role": "user", "content": "\n who is it \n"}])
        assert said in encoded.text
        assert "".join(written(encoded)).strip() == said


def test_a_template_that_leaves_a_message_out_has_no_written_token_of_it():
    users = "{% for m in messages if m['role'] == 'user' %}<s>{{ m['content'] }}</s>{% endfor %}"
    model = LanguageModel(model_of().model, byte_tokenizer(chat_template=users))
    assert "".join(written(model.encode(chat("how many", "who", "is", "it")))) == "whoit"


def test_where_contents_do_not_stand_as_they_are_nothing_counts_as_written():
    counts = "{% for m in messages %}<s>{{ m['content'] | length }} {{ m['content'] }}</s>{% endfor %}"
    model = LanguageModel(model_of().model, byte_tokenizer(chat_template=counts))
    assert not model.encode(chat("how many")).is_written.any()


def test_a_token_is_one_by_its_text_or_by_its_number():
    model = model_of()
    number = model.tokenizer.convert_tokens_to_ids("Ġland")
    assert model.token(" land") == model.token(number) == number
    assert model.token("land") != number
    assert [model.tokenizer.decode([model.token(word)]) for word in (" land", "land", "?", "</s>")] == [
        " land",
        "land",
        "?",
        "</s>",
    ]
    with pytest.raises(ValueError, match=r"^against is ' lands', which is 2 tokens, \[' land', 's'\]"):
        model.token(" lands", "against")
    assert model_of(bos=True).token(" land") == number, "the tokenizer puts nothing before it here"


def test_a_word_that_is_one_token_with_the_space_before_it_hears_so():
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([AddedToken(" she", normalized=False)])
    model = tiny_language_model("Llama", tokenizer=tokenizer)
    words = r"^target is 'she', which is 3 tokens, \['s', 'h', 'e'\]; ' she', with the space before it, is one: pass"
    with pytest.raises(ValueError, match=words):
        model.token("she")
    assert tokenizer.decode([model.token(" she")]) == " she"
    with pytest.raises(ValueError, match=r"^against is 'lands', which is 2 tokens, \['land', 's'\]; pass one of them$"):
        model.token("lands", "against")
    with pytest.raises(ValueError, match=r"pass one of them \(token_attribution takes all of them as continuation"):
        model.token("lands")


@pytest.mark.parametrize("kind", LANGUAGE)
def test_the_likeliest_tokens_have_the_probabilities_of_the_softmax(kind):
    model = model_of(kind)
    with torch.no_grad():
        chances = model.model(model.encode(PROMPT).ids).logits[0, -1].softmax(0)
    found = model.likeliest(PROMPT, 4)
    best = chances.argsort(descending=True)[:4]
    assert [token for token, _ in found] == [model.tokenizer.decode([number]) for number in best]
    assert [chance for _, chance in found] == pytest.approx(chances[best].tolist(), abs=1e-6)
    assert len(model.likeliest(PROMPT)) == 5
    everything = model.likeliest(PROMPT, 10**6)
    assert sum(chance for _, chance in everything) == pytest.approx(1, abs=1e-4)


def test_a_chat_has_likeliest_tokens_where_its_answer_begins():
    model = model_of()
    text = model.encode(chat("how", "who is it")).text
    assert text.endswith("assistant:")
    assert model.likeliest(chat("how", "who is it"), 2) == model.likeliest(text, 2)


@pytest.mark.parametrize("kind", LANGUAGE)
def test_the_logits_of_the_last_places_are_those_of_the_model(kind):
    model = model_of(kind)
    ids = torch.cat([model.encode(PROMPT).ids, model.encode("who is it ? how many land").ids])
    with torch.no_grad():
        wanted = model.model(ids).logits
        for last in (1, 3, 7):
            torch.testing.assert_close(model.logits(ids, last), wanted[:, -last:], rtol=0, atol=1e-6)


def test_a_plain_module_that_gives_a_tensor_will_do():
    model = weighed()
    ids = model.encode(PROMPT).ids
    torch.testing.assert_close(model.logits(ids, 2), model.model(ids)[:, -2:])
    assert model.longest is None
    assert len(model.likeliest(PROMPT, 3)) == 3
    assert NextLogits(model.model, 1).get_input_embeddings() is model.model.table


def test_the_longest_prompt_is_read_and_one_token_more_is_not():
    model = tiny_language_model("GPT2", max_position_embeddings=7)
    assert model.longest == 7
    assert len(model.likeliest(PROMPT, 1)) == 1
    with pytest.raises(ValueError, match="prompt has 8 tokens, and the model reads 7; pass a shorter one"):
        model.likeliest(f"{PROMPT} ?")


def test_a_count_of_none_and_a_model_in_train_mode_are_refused():
    model = tiny_language_model("GPT2")
    with pytest.raises(ValueError, match="count is 0; pass a whole number of at least 1"):
        model.likeliest(PROMPT, 0)
    model.model.train()
    with pytest.raises(ValueError, match=r"model\.model is in train mode.*; call \.eval\(\) on model\.model"):
        model.likeliest(PROMPT)
    model.model.eval()
    assert model.likeliest(PROMPT)


def test_logits_that_are_nan_are_refused():
    model = weighed()
    with torch.no_grad():
        model.model.out.weight[3] = torch.nan
    with pytest.raises(ValueError, match="model is a Weighed, whose logits are NaN; look for NaN or infinity in its w"):
        model.likeliest(PROMPT)


def test_a_model_is_told_to_keep_no_cache_and_that_every_token_is_read():
    class Noting(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.table, self.out, self.seen = nn.Embedding(size, 3), nn.Linear(3, size), []

        def forward(self, input_ids, use_cache=None, attention_mask=None):
            self.seen.append((use_cache, attention_mask))
            return self.out(self.table(input_ids)), "past"

        def get_input_embeddings(self):
            return self.table

    model = weighed(Noting)
    model.likeliest(PROMPT)
    ((cache, mask),) = model.model.seen
    assert cache is False
    assert mask.tolist() == [[1] * 7]
