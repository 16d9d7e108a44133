"""Attribution per token on tiny BERT, DistilBERT and RoBERTa checkpoints, made here, and on a model solved by hand."""

import pytest
import torch
import transformers
from captum.attr import LayerIntegratedGradients
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.decoders import ByteLevel
from torch import nn

import igteach
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_attribution
from igteach.models.text import TextClassifier, from_pretrained

KINDS = ("bert", "distilbert", "roberta")
EVERY = pytest.mark.parametrize("kind", KINDS)
PLAIN = "How many people live in Newfoundland?"
LONGER = "In how many lands do people live, and do many people live in Newfoundland?"
PIECES = ["how", "many", "people", "live", "in", "new", "##found", "##land", "land", "##s", "?", "un", "##na", "é"]
SPECIAL = {
    "bert": {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    "distilbert": {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    "roberta": {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
}


def word_pieces(special):
    """A WordPiece tokenizer as BERT has it, but that the text is of type 1: so it shows whether types are held."""
    letters = list("abcdefghijklmnopqrstuvwxyz.,!")
    vocabulary = {token: i for i, token in enumerate([*special, *PIECES, *letters, *(f"##{x}" for x in letters)])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    made.post_processor = processors.TemplateProcessing(single="[CLS]:0 $A:1 [SEP]:1", special_tokens=ends)
    return made


def byte_pairs(special):
    """A byte-level BPE tokenizer as RoBERTa has it."""
    merges = [("H", "o"), ("Ho", "w"), ("Ġ", "m"), ("a", "n"), ("Ġm", "an"), ("Ġman", "y"), ("Ġ", "l"), ("l", "e")]
    tokens = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges)]
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), ByteLevel()
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def save_checkpoint(kind, folder):
    """A tiny classifier of three labels, with random weights so large that its answers bend on the path."""
    special = SPECIAL[kind]
    made = (byte_pairs if kind == "roberta" else word_pieces)(special.values())
    names = {f"{name}_token": token for name, token in special.items()}
    inputs = ["input_ids", "attention_mask", *["token_type_ids"] * (kind == "bert")]
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_input_names=inputs, **names)
    tokenizer.save_pretrained(folder)
    shared = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "id2label": {0: "DESC", 1: "HUM", 2: "NUM"},
        "initializer_range": 0.3,
    }
    if kind == "distilbert":
        config = transformers.DistilBertConfig(
            dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=90, **shared
        )
    else:
        config = {"bert": transformers.BertConfig, "roberta": transformers.RobertaConfig}[kind](
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=48,
            max_position_embeddings=92 if kind == "roberta" else 90,
            **shared,
        )
    torch.manual_seed(3)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    model.get_input_embeddings().weight.data.normal_(0, 0.3)  # "pad" has zeros otherwise
    model.save_pretrained(folder)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        save_checkpoint(kind, folder)
        found[kind] = from_pretrained(folder, "cpu")
    return found


@pytest.fixture
def classifier(checkpoints, kind):
    return checkpoints[kind]


def read(classifier, texts):
    """What the model takes of the texts, and which tokens are special."""
    encoding = classifier.encode(texts)
    return classifier.inputs(encoding), encoding["special_tokens_mask"].bool()


def probabilities(classifier, ids, **held):
    with torch.no_grad():
        return classifier.model(input_ids=ids, **held).logits.softmax(1)


def total(answer):
    return answer.scores.sum().item()


@EVERY
def test_by_embeddings_the_model_answers_as_by_tokens_also_in_a_padded_batch(classifier):
    inputs, _ = read(classifier, [PLAIN, LONGER])
    with torch.no_grad():
        by_tokens = classifier.logits(inputs)
        inputs["inputs_embeds"] = classifier.model.get_input_embeddings()(inputs.pop("input_ids"))
        by_embeddings = classifier.logits(inputs)
    assert (inputs["attention_mask"] == 0).any()
    torch.testing.assert_close(by_embeddings, by_tokens, rtol=0, atol=1e-5)


@EVERY
@pytest.mark.parametrize("baseline", ["pad", "mask"])
def test_scores_are_those_of_captum(classifier, baseline):
    inputs, special = read(classifier, [PLAIN])
    ids = inputs.pop("input_ids")
    start = torch.where(special, ids, getattr(classifier.tokenizer, f"{baseline}_token_id"))

    def chosen(ids):
        held = {name: values.expand(len(ids), -1) for name, values in inputs.items()}
        return classifier.model(input_ids=ids, **held).logits.softmax(1)[:, 2]

    method = LayerIntegratedGradients(chosen, classifier.model.get_input_embeddings())
    theirs = method.attribute(ids, start, n_steps=64, method="riemann_middle").sum(-1)[0]
    ours = token_attribution(classifier, PLAIN, "NUM", baseline=baseline, steps=64).scores
    torch.testing.assert_close(ours, theirs.to(ours), rtol=0, atol=1e-4)
    assert ours.abs().max() > 0.01


@EVERY
def test_scores_add_up_to_what_the_tokens_change_by_the_models_own_count_of_positions(classifier):
    """A known library gives every token position 0 on the path, so that its sums stay off, whatever the steps."""
    inputs, special = read(classifier, [PLAIN])
    ids = inputs.pop("input_ids")
    start = torch.where(special, ids, classifier.tokenizer.pad_token_id)
    if kind_counts_padding(classifier):
        inputs["position_ids"] = classifier.tokenizer.pad_token_id + 1 + torch.arange(ids.shape[1])[None]
    rise = (probabilities(classifier, ids, **inputs) - probabilities(classifier, start, **inputs))[0, 2].item()
    answer = token_attribution(classifier, PLAIN, "NUM", tolerance=0.001)
    assert total(answer) == pytest.approx(rise, abs=0.002)

    def at_zero(embeddings):
        held = {name: values.expand(len(embeddings), -1) for name, values in inputs.items()}
        held["position_ids"] = torch.zeros(embeddings.shape[:2], dtype=torch.long)
        return classifier.model(inputs_embeds=embeddings, **held).logits.softmax(1)

    x, x_start = (classifier.model.get_input_embeddings()(tokens).detach() for tokens in (ids, start))
    for steps in (64, 512):
        theirs = igteach.integrated_gradients(at_zero, x, x_start, 2, steps=steps).values.sum().item()
        assert abs(theirs - rise) > 0.02


def kind_counts_padding(classifier):
    """RoBERTa counts positions by where input_ids has padding, which a baseline of padding must not change."""
    return classifier.model.config.model_type == "roberta"


@EVERY
def test_positions_types_and_mask_are_held_on_the_path(classifier):
    seen = {}

    def note(name):
        def hook(module, arguments, keywords=None):
            seen.setdefault(name, []).append(arguments[0])

        return hook

    def note_mask(module, arguments, keywords):
        seen.setdefault("mask", []).append(keywords["attention_mask"])

    handles = [classifier.model.register_forward_pre_hook(note_mask, with_kwargs=True)]
    for name, module in classifier.model.named_modules():
        if name.endswith(("position_embeddings", "token_type_embeddings")):
            handles.append(module.register_forward_pre_hook(note(name)))
    classifier.probabilities([LONGER])
    by_tokens = {name: values[-1] for name, values in seen.items()}
    seen.clear()
    token_attribution(classifier, LONGER)
    for handle in handles:
        handle.remove()
    assert by_tokens.keys() == seen.keys()
    assert len(seen["mask"]) > 2
    for name, values in seen.items():
        for value in values:
            assert torch.equal(value, by_tokens[name].expand_as(value)), name
    types = [value for name, value in by_tokens.items() if name.endswith("token_type_embeddings")]
    assert len(types) == (classifier.model.config.model_type != "distilbert")
    assert all(value.sum() == value.numel() - 1 for value in types if classifier.model.config.model_type == "bert")


@EVERY
@pytest.mark.parametrize("baseline", ["pad", "mask", "zero"])
def test_padding_in_a_batch_gets_exactly_zero_and_changes_no_score(classifier, baseline):
    together = token_attribution(classifier, [PLAIN, LONGER], baseline=baseline, steps=64)
    for text, answer in zip((PLAIN, LONGER), together, strict=True):
        alone = token_attribution(classifier, text, baseline=baseline, steps=64)
        count = len(alone.tokens)
        assert answer.tokens[:count] == alone.tokens
        assert answer.offsets[:count] == alone.offsets
        assert (answer.target, answer.prediction) == (alone.target, alone.prediction)
        torch.testing.assert_close(answer.scores[:count], alone.scores, rtol=0, atol=1e-5)
        assert set(answer.tokens[count:]) <= {classifier.tokenizer.pad_token}
        assert (answer.scores[count:] == 0).all()
    assert len(together[0].tokens) == len(together[1].tokens) > len(alone.tokens) - 1
    assert classifier.tokenizer.pad_token in together[0].tokens


@pytest.fixture
def decoder(checkpoints):
    """A classifier that reads from left to right and answers by its last token, as GPT-2 does."""
    tokenizer = checkpoints["roberta"].tokenizer
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 80, "vocab_size": len(tokenizer)}
    ends = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": None, "eos_token_id": None}
    torch.manual_seed(0)
    config = transformers.GPT2Config(**sizes, **ends, num_labels=3, initializer_range=0.3)
    return TextClassifier(transformers.GPT2ForSequenceClassification(config).eval(), tokenizer, ["a", "b", "c"])


def scores_of_tokens(answer, classifier):
    """The scores, and those of padding apart."""
    padding = torch.tensor([token == classifier.tokenizer.pad_token for token in answer.tokens])
    return answer.scores[~padding], answer.scores[padding]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", [*KINDS, "decoder"])
def test_padding_changes_no_score_on_whichever_side_it_stands(checkpoints, decoder, monkeypatch, kind, side):
    classifier = decoder if kind == "decoder" else checkpoints[kind]
    monkeypatch.setattr(classifier.tokenizer, "padding_side", side)
    together = token_attribution(classifier, [PLAIN, LONGER], steps=64)
    for text, answer in zip((PLAIN, LONGER), together, strict=True):
        alone = token_attribution(classifier, text, steps=64)
        scores, of_padding = scores_of_tokens(answer, classifier)
        torch.testing.assert_close(scores, alone.scores, rtol=0, atol=1e-5)
        assert (of_padding == 0).all()
        assert answer.prediction == alone.prediction
        assert {answer.text[a:b] for a, b in answer.offsets} == {text[a:b] for a, b in alone.offsets} | {""}
    assert len(of_padding) == 0 < len(scores_of_tokens(together[0], classifier)[1])


@EVERY
@pytest.mark.parametrize("baseline", ["pad", "mask", "zero"])
def test_special_tokens_get_exactly_zero_and_the_rest_adds_up(classifier, baseline):
    answer = token_attribution(classifier, PLAIN, baseline=baseline, tolerance=0.005)
    assert answer.scores[0] == answer.scores[-1] == 0
    assert (answer.scores[1:-1] != 0).all()
    found = answer.evidence
    assert found.converged.all()
    assert answer.residual == pytest.approx(total(answer) - (found.f_input - found.f_baseline).item(), abs=1e-6)
    assert abs(answer.residual) < 0.01
    p = classifier.probabilities([PLAIN])[0]
    assert answer.prediction == answer.target == classifier.labels[int(p.argmax())]
    assert found.f_input.item() == pytest.approx(p.max().item(), abs=1e-5)


@EVERY
def test_a_target_is_a_label_or_its_number(classifier):
    answers = [token_attribution(classifier, PLAIN, target, steps=64) for target in ("HUM", 1)]
    assert torch.equal(answers[0].scores, answers[1].scores)
    assert [answer.target for answer in answers] == ["HUM", "HUM"]
    p = classifier.probabilities([PLAIN])[0]
    assert answers[0].evidence.f_input.item() == pytest.approx(p[1].item(), abs=1e-5)


def test_a_tensor_is_a_baseline_for_ordinary_tokens_alone(checkpoints):
    bert = checkpoints["bert"]
    pad = bert.model.get_input_embeddings().weight[bert.tokenizer.pad_token_id].detach()
    count = len(token_attribution(bert, PLAIN).tokens)
    wanted = token_attribution(bert, PLAIN, steps=64).scores
    for baseline in (pad, pad.expand(count, -1)):
        torch.testing.assert_close(token_attribution(bert, PLAIN, baseline=baseline, steps=64).scores, wanted)


class BagOfWords(nn.Module):
    """Logits 0 and the sum of w . embedding over the tokens of the text."""

    def __init__(self, size):
        super().__init__()
        self.table, self.w = nn.Embedding(size, 5), nn.Linear(5, 1, bias=False)

    def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None):
        embeddings = self.table(input_ids) if inputs_embeds is None else inputs_embeds
        sums = (self.w(embeddings)[..., 0] * attention_mask).sum(1)
        return torch.stack([torch.zeros_like(sums), sums], 1)

    def get_input_embeddings(self):
        return self.table


def test_the_shares_of_a_bag_of_words_are_those_worked_out_by_hand(checkpoints):
    """Of a function of a sum, each term has its part of the rise, in proportion to its own."""
    torch.manual_seed(0)
    tokenizer = checkpoints["distilbert"].tokenizer
    bag = TextClassifier(BagOfWords(len(tokenizer)).eval(), tokenizer, ["no", "yes"])
    inputs, special = read(bag, [PLAIN])
    terms = bag.model.w(bag.model.table(inputs["input_ids"])).detach()[0, :, 0]
    none = bag.model.w(bag.model.table(torch.tensor(tokenizer.pad_token_id))).detach()
    own = torch.where(special[0], 0, terms - none)
    rise = terms.sum().sigmoid() - (terms - own).sum().sigmoid()
    answer = token_attribution(bag, PLAIN, "yes", tolerance=0.001)
    torch.testing.assert_close(answer.scores, rise * own / own.sum(), rtol=0, atol=1e-4)


@EVERY
@pytest.mark.parametrize("text", [PLAIN, LONGER, "👩‍👩‍👧 unfound\u200bland, שלום!"])
def test_words_have_the_sums_of_their_pieces(classifier, text):
    pieces = token_attribution(classifier, text, steps=64)
    words = pieces.merged()
    assert isinstance(words, TokenAttribution)
    assert len(words.tokens) < len(pieces.tokens)
    assert total(words) == pytest.approx(total(pieces), abs=1e-6)
    assert words.residual == pieces.residual
    for token, (start, end), number, score in zip(words.tokens, words.offsets, words.words, words.scores, strict=True):
        if number is None:
            assert score == 0
            continue
        assert token == text[start:end] != ""
        inside = [i for i, word in enumerate(pieces.words) if word == number]
        assert score.item() == pytest.approx(pieces.scores[inside].sum().item(), abs=1e-6)
        standing = [pieces.offsets[i] for i in inside if pieces.offsets[i][0] < pieces.offsets[i][1]]
        assert (start, end) == (standing[0][0], standing[-1][1])


def test_words_are_words(checkpoints):
    words = token_attribution(checkpoints["bert"], PLAIN).merged().tokens
    assert words == ("[CLS]", "How", "many", "people", "live", "in", "Newfoundland", "?", "[SEP]")


TROUBLE = ["👩‍👩‍👧", "שלום", "é", "e\u0301", "好", "ﬁ", "İ", "1,000", "[MASK]", "<mask>", "[SEP]", "</s>"]
TROUBLE += ["\u200b", "\u200d", "\u200f", "\n", "\t", " ", "\x00"]
texts = st.lists(st.one_of(st.sampled_from([*TROUBLE, *PIECES]), st.characters(exclude_categories=["Cs"])), max_size=12)


def offsets_of(classifier, text):
    encoding = classifier.encode([text])
    offsets = [tuple(span) for span in encoding["offset_mapping"][0].tolist()]
    return list(zip(encoding.tokens(0), offsets, encoding["special_tokens_mask"][0].tolist(), strict=True))


def reads(classifier, text):
    try:
        return bool(classifier.encode([text]))
    except ValueError:
        return False


@settings(max_examples=200)
@given(st.builds("".join, texts))
@example("👩‍👩‍👧 how many שלום\u200b people?")
def test_word_pieces_stand_where_their_letters_are(checkpoints, text):
    bert = checkpoints["bert"]

    def normalised(piece):
        return bert.tokenizer.backend_tokenizer.normalizer.normalize_str(piece).strip()

    if not reads(bert, text):
        return
    covered = set()
    for token, (start, end), special in offsets_of(bert, text):
        if special:
            assert start == end
            continue
        assert start < end
        covered |= set(range(start, end))
        if token in SPECIAL["bert"].values():  # an unknown word, or a special token that is written in the text
            assert token in ("[UNK]", text[start:end])
        else:
            assert normalised(text[start:end]) == token.removeprefix("##")
    for i in set(range(len(text))) - covered:
        assert normalised(text[i]) == "", text[i]


@pytest.mark.filterwarnings("ignore:only the first")
@settings(max_examples=200)
@given(st.builds("".join, texts))
@example("👩‍👩‍👧 how many שלום\u200b people?")
@example("👩" * 30)
def test_byte_pairs_stand_where_their_bytes_are(checkpoints, text):
    roberta = checkpoints["roberta"]
    if not reads(roberta, text):
        return
    spelled = ByteLevel().decode
    groups = []
    for token, (start, end), special in offsets_of(roberta, text):
        if special or token in SPECIAL["roberta"].values():
            assert token == text[start:end] or special
            continue
        if groups and start < groups[-1][2]:
            groups[-1] = [*groups[-1][0], token], groups[-1][1], max(end, groups[-1][2])
        else:
            groups.append(([token], start, end))
    cut = roberta.encode([text]).encodings[0].overflowing
    for tokens, start, end in groups[:-1] if cut else groups:  # where the text is cut, half a character may be left
        assert spelled(tokens).strip() == text[start:end].strip()


def test_a_word_that_is_not_in_the_vocabulary_has_a_share_at_its_own_place(checkpoints):
    text = "how ☃☃ live"
    answer = token_attribution(checkpoints["bert"], text)
    assert answer.tokens == ("[CLS]", "how", "[UNK]", "live", "[SEP]")
    assert [text[start:end] for start, end in answer.offsets] == ["", "how", "☃☃", "live", ""]
    assert answer.scores[2] != 0


@EVERY
def test_of_a_text_that_is_too_long_the_start_is_explained_and_that_is_said(classifier):
    text = "how many people live " * 40
    with pytest.warns(UserWarning, match=r"only the first 90 tokens are read of the text 'how many people live"):
        answer = token_attribution(classifier, text)
    end = max(end for _, end in answer.offsets)
    assert answer.truncated
    assert len(answer.tokens) == 90
    assert end < len(text)
    alone = token_attribution(classifier, text[:end])
    assert not alone.truncated
    torch.testing.assert_close(answer.scores, alone.scores)
    with pytest.warns(UserWarning, match="only the first 90 tokens"):
        assert classifier.predict([text, PLAIN]) == [alone.prediction, classifier.predict([PLAIN])[0]]


def test_a_limit_that_only_the_configuration_tells_cuts_a_text(decoder):
    with pytest.warns(UserWarning, match="only the first 80 tokens"):
        answer = token_attribution(decoder, LONGER * 3, steps=64)
    assert len(answer.tokens) == 80


def test_where_the_tokenizer_cuts_the_start_off_the_end_is_explained_and_that_is_said(checkpoints, monkeypatch):
    bert, text = checkpoints["bert"], "how many people live " * 40
    monkeypatch.setattr(bert.tokenizer, "truncation_side", "left")
    with pytest.warns(UserWarning, match="only the last 90 tokens are read of the text"):
        answer = token_attribution(bert, text, steps=64)
    assert answer.truncated
    start = min(start for start, end in answer.offsets if start < end)
    torch.testing.assert_close(answer.scores, token_attribution(bert, text[start:], steps=64).scores)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, "") for kind in KINDS] + [("bert", " "), ("bert", "\n\t "), ("bert", "\u200b\u200d")]
)
def test_a_text_with_nothing_to_read_is_refused(checkpoints, kind, text):
    for ask in (lambda: token_attribution(checkpoints[kind], text), lambda: checkpoints[kind].predict([PLAIN, text])):
        with pytest.raises(ValueError, match="nothing in it that the tokenizer reads; pass a word or more") as error:
            ask()
        assert f"text is {text!r}" in str(error.value)


def test_white_space_and_zero_width_characters_are_text_to_roberta(checkpoints):
    answer = token_attribution(checkpoints["roberta"], " \u200b")
    assert (answer.scores[1:-1] != 0).all()


@EVERY
def test_half_a_character_is_refused(classifier):
    with pytest.raises(ValueError, match=r"text is 'how \\ud83d': it holds half a character"):
        token_attribution(classifier, "how \ud83d")


@pytest.mark.parametrize("text", [None, 5, b"how", [PLAIN, None], [[PLAIN]]])
def test_what_is_no_text_is_refused(checkpoints, text):
    with pytest.raises(TypeError, match="in it; pass a list of str"):
        token_attribution(checkpoints["bert"], text)


def test_one_text_is_no_list_of_texts(checkpoints):
    with pytest.raises(TypeError, match="texts is str"):
        checkpoints["bert"].predict(PLAIN)


def test_no_texts_have_no_labels_and_no_shares(checkpoints):
    assert checkpoints["bert"].predict([]) == []
    assert token_attribution(checkpoints["bert"], []) == []


def test_a_model_is_wanted_with_its_tokenizer(checkpoints):
    with pytest.raises(TypeError, match=r"model is BertForSequenceClassification; pass TextClassifier\(model, "):
        token_attribution(checkpoints["bert"].model, PLAIN)


def test_a_model_that_reads_no_tokens_is_refused(checkpoints):
    class Closed(nn.Module):
        def forward(self, x):
            return x

    with pytest.raises(TypeError, match="model is Closed, whose forward has no input_ids; pass one that reads tokens"):
        TextClassifier(Closed(), checkpoints["bert"].tokenizer, ["a", "b"])


def test_a_model_without_a_table_of_embeddings_is_refused(checkpoints):
    class Closed(nn.Module):
        def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None):
            return input_ids

    tokenizer = checkpoints["bert"].tokenizer
    with pytest.raises(TypeError, match="model is Closed, which has no get_input_embeddings; write that method"):
        TextClassifier(Closed(), tokenizer, ["a", "b"])
    with pytest.raises(TypeError, match="model is str; pass the network itself"):
        TextClassifier("bert-base", tokenizer, ["a", "b"])


@pytest.mark.parametrize("labels", ["ab", "abcd"])
def test_labels_that_are_not_one_for_each_class_are_refused(checkpoints, labels):
    bert = checkpoints["bert"]
    wrong = TextClassifier(bert.model, bert.tokenizer, list(labels))
    for ask in (wrong.predict, lambda texts: token_attribution(wrong, texts)):
        with pytest.raises(ValueError, match=f"labels are {len(labels)}, but the model has 3 classes; name each"):
            ask([PLAIN])


def test_a_tokenizer_without_offsets_is_refused(checkpoints):
    class Slow:
        is_fast = False

    with pytest.raises(TypeError, match="tokenizer is Slow, which gives no offsets into the text"):
        TextClassifier(checkpoints["bert"].model, Slow(), ["a", "b"])


def test_a_checkpoint_without_a_trained_head_is_refused(checkpoints, tmp_path):
    bert = checkpoints["bert"]
    bert.model.bert.save_pretrained(tmp_path)
    bert.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"has no weights for classifier\.bias, classifier\.weight; pass "):
        from_pretrained(tmp_path, "cpu")


def test_a_model_in_train_mode_is_refused(checkpoints):
    bert = checkpoints["bert"]
    bert.model.train()
    try:
        for ask in (lambda: token_attribution(bert, PLAIN), lambda: bert.predict([PLAIN])):
            with pytest.raises(ValueError, match=r"^model\.model is in train mode.*\.eval\(\)"):
                ask()
    finally:
        bert.model.eval()


def test_a_model_that_uses_tokens_beyond_their_embeddings_is_refused(checkpoints):
    class Counts(BagOfWords):
        def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None):
            unknown = 0 if input_ids is None else (input_ids == 1).sum(1, keepdim=True)
            return super().forward(input_ids, attention_mask, inputs_embeds) + 0.1 * unknown * torch.tensor([1, 0])

    tokenizer = checkpoints["distilbert"].tokenizer
    counts = TextClassifier(Counts(len(tokenizer)).eval(), tokenizer, ["no", "yes"])
    token_attribution(counts, PLAIN)
    with pytest.raises(ValueError, match="model is a Counts, which answers otherwise by a text's embeddings"):
        token_attribution(counts, "how ☃")


def test_bad_baselines_are_refused(checkpoints):
    bert = checkpoints["bert"]
    with pytest.raises(ValueError, match="baseline is 'empty'; choose one of pad, mask, zero, or pass a tensor"):
        token_attribution(bert, PLAIN, baseline="empty")
    with pytest.raises(ValueError, match=r"baseline has shape \(7,\)"):
        token_attribution(bert, PLAIN, baseline=torch.zeros(7))
    with pytest.raises(ValueError, match="baseline holds NaN or infinity"):
        token_attribution(bert, PLAIN, baseline=torch.full((32,), torch.nan))
    with pytest.raises(TypeError, match="baseline is list"):
        token_attribution(bert, PLAIN, baseline=[0.0])


def test_a_tokenizer_without_a_mask_token_has_no_such_baseline(checkpoints):
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=checkpoints["distilbert"].tokenizer.backend_tokenizer, pad_token="[PAD]"
    )
    maskless = TextClassifier(checkpoints["distilbert"].model, tokenizer, checkpoints["distilbert"].labels)
    with pytest.raises(ValueError, match="baseline is 'mask', but the tokenizer has no such token"):
        token_attribution(maskless, PLAIN, baseline="mask")


@pytest.mark.parametrize(("target", "error"), [("ENTY", "labels are DESC, HUM, NUM"), (3, "target is 3"), (-1, "-1")])
def test_targets_that_are_not_there_are_refused(checkpoints, target, error):
    with pytest.raises(ValueError, match=error):
        token_attribution(checkpoints["bert"], PLAIN, target)


def test_an_answer_says_for_what_it_is_and_how_far_it_adds_up(checkpoints):
    answer = token_attribution(checkpoints["bert"], PLAIN, "NUM")
    shown = repr(answer)
    assert shown.startswith("TokenAttribution for 'NUM': [CLS](+0.00) how(")
    assert repr(answer.evidence) in shown
