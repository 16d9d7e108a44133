"""Attribution per token for the heads and architectures that people bring: pairs, several labels, numbers, decoders."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import transformers
from captum.attr import LayerIntegratedGradients
from torch import nn

import igteach
from igteach import show
from igteach.evaluate import token_deletion
from igteach.methods.token_attribution import token_attribution
from igteach.models.text import TextClassifier
from tests.text_models import OTHER, TEXT, loop_of_autograd, tiny_classifier, tiny_config, tiny_model, tiny_tokenizer

T5 = {"decoder_start_token_id": 0, "initializer_factor": 0.2}
KINDS = {
    "Longformer": {"attention_window": [8, 8]},
    "IBert": {},
    "XLNet": {"max_position_embeddings": ...},
    "DebertaV2": {},
    "ModernBert": {},
    "GPT2": {},
    "Llama": {},
    "Qwen2": {},
    "OPT": {},
    "Bart": {},
    "MBart": {},
    "T5": T5,
}


def softmax_of(label):
    return lambda logits: logits.softmax(1)[0, label]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_a_loop_of_autograd(kind):
    classifier = tiny_classifier(kind, **KINDS[kind])
    answer = token_attribution(classifier, TEXT, "b", steps=32)
    wanted = loop_of_autograd(classifier, TEXT, softmax_of(1), steps=32)
    assert wanted.abs().max() > 1e-5
    assert (answer.scores - wanted).abs().max() < 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("kind", ["Bart", "T5"])
def test_an_encoder_decoder_adds_up_to_what_the_words_change_in_encoder_and_decoder(kind):
    """The decoder reads the text again: with the tokens of the baseline, both read those."""
    classifier = tiny_classifier(kind, **KINDS[kind])
    classifier.model.config.eos_token_id = 2
    inputs = classifier.inputs(classifier.encode([TEXT]))
    masked = {**inputs, "input_ids": torch.where(inputs["input_ids"] > 4, 4, inputs["input_ids"])}
    with torch.no_grad():
        full, empty = (classifier.model(**given).logits.softmax(1)[0, 1].item() for given in (inputs, masked))
    answer = token_attribution(classifier, TEXT, "b", baseline="mask", tolerance=0.001)
    assert answer.scores.sum().item() == pytest.approx(full - empty, abs=1e-3 * answer.scores.abs().sum().item())
    assert answer.evidence.f_baseline.item() == pytest.approx(empty, abs=1e-6)


@pytest.mark.parametrize("kind", ["GPT2", "Llama", "ModernBert"])
def test_scores_are_those_of_captum_where_it_can(kind):
    classifier = tiny_classifier(kind)
    inputs = classifier.inputs(classifier.encode([TEXT]))
    ids = inputs.pop("input_ids")
    method = LayerIntegratedGradients(
        lambda ids: classifier.model(input_ids=ids).logits.softmax(1)[:, 1], classifier.model.get_input_embeddings()
    )
    start = torch.where(ids > 4, 4, ids)
    theirs = method.attribute(ids, start, n_steps=32, method="riemann_middle").sum(-1)[0]
    ours = token_attribution(classifier, TEXT, "b", baseline="mask", steps=32).scores
    assert ours.abs().max() > 1e-4
    torch.testing.assert_close(ours, theirs.to(ours), rtol=0, atol=1e-4 * ours.abs().max().item())


@pytest.fixture(scope="module")
def bert():
    return tiny_classifier("Bert", initializer_range=0.3)


@pytest.fixture
def typed(monkeypatch, bert):
    """The tokenizer gives token types, as BERT's does."""
    monkeypatch.setattr(bert.tokenizer, "model_input_names", ["input_ids", "token_type_ids", "attention_mask"])
    return bert


def test_a_pair_is_read_as_two_segments_and_shown_with_the_separator(typed):
    seen = []
    layer = typed.model.bert.embeddings.token_type_embeddings
    handle = layer.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    answer = token_attribution(typed, [(OTHER, TEXT)], "b", steps=32)[0]
    handle.remove()
    wanted = [0] * 6 + [1] * 9
    assert all((types == torch.tensor(wanted)).all() for types in seen)
    assert len(seen) > 2
    assert answer.pair == (OTHER, TEXT)
    assert answer.text == f"{OTHER} </s> {TEXT}"
    assert [answer.text[start:end] for start, end in answer.offsets] == ["", *OTHER.split(), "", *TEXT.split(), ""]
    torch.testing.assert_close(
        answer.scores.double(), loop_of_autograd(typed, (OTHER, TEXT), softmax_of(1), steps=32), rtol=0, atol=1e-5
    )
    assert answer.merged().tokens == answer.tokens
    shown = str(show.text(answer))
    assert shown.startswith("who(")
    assert "</s> how(" in shown
    exchanged = token_attribution(typed, [(TEXT, OTHER)], "b", steps=32)[0]
    assert exchanged.scores[1:9].sum().item() != pytest.approx(answer.scores[6:14].sum().item(), abs=1e-5)


def test_the_words_of_a_pair_without_a_separator_stay_two(monkeypatch, bert):
    from tokenizers import processors

    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(pair="$A $B", special_tokens=[])
    joined = TextClassifier(bert.model, tokenizer, bert.labels)
    answer = token_attribution(joined, [("who", "who")], steps=8)[0]
    assert answer.merged().tokens == ("who", "who")


def test_pairs_of_different_lengths_and_their_curves(typed):
    pairs = [(OTHER, TEXT), ("who", "is it ?")]
    together = token_attribution(typed, pairs, steps=32)
    for pair, answer in zip(pairs, together, strict=True):
        alone = token_attribution(typed, [pair], steps=32)[0]
        torch.testing.assert_close(answer.scores[: len(alone.scores)], alone.scores, rtol=0, atol=1e-6)
        curve = token_deletion(typed, alone)
        assert curve.values[0, 0].item() == pytest.approx(alone.evidence.f_input.item(), abs=1e-5)
    assert typed.predict(pairs) == [answer.prediction for answer in together]


def test_a_pair_that_is_too_long_is_cut_and_that_is_said(typed):
    with pytest.warns(UserWarning, match=r"only 100 tokens are read of the pair \('who is it \?', 'how many people"):
        answer = token_attribution(typed, [(OTHER, TEXT * 20)], steps=8)[0]
    assert answer.truncated
    assert len(answer.tokens) == 100
    assert answer.text[slice(*answer.offsets[1])] == "who"


@pytest.mark.parametrize("texts", [[("how",)], [("how", "many", "people")], [("how", 3)], [TEXT, (TEXT, OTHER)]])
def test_what_is_no_pair_is_refused(bert, texts):
    with pytest.raises(TypeError, match="pass "):
        token_attribution(bert, texts)


def test_token_types_that_the_model_does_not_have_are_refused_and_the_advice_works():
    classifier = tiny_classifier("Roberta")
    classifier.model.config.type_vocab_size = 1
    classifier.tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    with pytest.raises(ValueError, match="token types up to 1, and the RobertaForSequenceClassification has 1; set "):
        token_attribution(classifier, [(OTHER, TEXT)])
    classifier.tokenizer.model_input_names = ["input_ids", "attention_mask"]
    assert len(token_attribution(classifier, [(OTHER, TEXT)], steps=8)) == 1


@pytest.fixture(scope="module")
def several_labels():
    return tiny_classifier("Bert", problem_type="multi_label_classification", initializer_range=0.3)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_each_of_several_labels_has_a_sigmoid_of_its_own(several_labels, label):
    wanted = loop_of_autograd(several_labels, TEXT, lambda logits: logits.sigmoid()[0, label], steps=32)
    answer = token_attribution(several_labels, TEXT, label, steps=32)
    torch.testing.assert_close(answer.scores.double(), wanted, rtol=0, atol=1e-5)
    softmax = loop_of_autograd(several_labels, TEXT, softmax_of(label), steps=32)
    assert (wanted - softmax).abs().max() > 1e-3


def test_of_several_labels_those_above_one_half_are_predicted(several_labels):
    head = several_labels.model.classifier
    head.weight.data.mul_(0.01)
    for bias, wanted in (([5.0, -5, 3], ("a", "c")), ([-5.0, -5, -4], ()), ([-5.0, 5, -5], ("b",))):
        head.bias.data = torch.tensor(bias)
        answer = token_attribution(several_labels, TEXT, steps=32)
        assert answer.prediction == wanted
        assert several_labels.predict([TEXT]) == [wanted]
        p = several_labels.probabilities([TEXT])[0]
        torch.testing.assert_close(p, torch.tensor(bias).sigmoid(), rtol=0, atol=0.1)
        assert answer.target == several_labels.labels[int(p.argmax())]
        line = str(show.text(answer)).splitlines()[-1]
        assert (f"{answer.target}, which the model chooses" in line) == (answer.target in wanted)
        assert ("where the model chooses none" in line) == (wanted == ())


def test_probability_takes_the_sigmoid_of_independent_labels_and_no_regression(several_labels):
    ids = several_labels.encode([TEXT])["input_ids"]
    f = igteach.probability(several_labels.model)
    with torch.no_grad():
        torch.testing.assert_close(f(ids), several_labels.model(ids).logits.sigmoid())
    several_labels.model.config.problem_type = "regression"
    try:
        with pytest.raises(ValueError, match=r"model is a regression.*pass logit\(model\)"):
            f(ids)
        assert igteach.logit(several_labels.model)(ids).shape == (1, 3)
    finally:
        several_labels.model.config.problem_type = "multi_label_classification"


def test_a_regression_has_its_number_as_f_and_no_target():
    classifier = tiny_classifier("Bert", ["stars"], initializer_range=0.3)
    wanted = loop_of_autograd(classifier, TEXT, lambda logits: logits[0, 0], steps=32)
    answer = token_attribution(classifier, TEXT, steps=32)
    torch.testing.assert_close(answer.scores.double(), wanted, rtol=1e-4, atol=1e-4)
    (number,) = classifier.predict([TEXT])
    assert answer.target == "stars"
    assert answer.prediction == pytest.approx(number, rel=1e-5)
    assert answer.evidence.f_input.item() == pytest.approx(number, rel=1e-5)
    assert "stars, a number: from" in str(show.text(answer))
    curve = token_deletion(classifier, answer)
    assert curve.values[0, 0].item() == pytest.approx(number, rel=1e-4)
    for target in ("stars", 0):
        with pytest.raises(ValueError, match=f"target is {target!r}, and the model gives one number, 'stars'; leave "):
            token_attribution(classifier, TEXT, target)
    with pytest.raises(TypeError, match=r"model gives numbers, not probabilities .* call predict\(texts\)"):
        classifier.probabilities([TEXT])


def test_a_regression_of_several_numbers_has_one_of_them_as_its_target():
    classifier = tiny_classifier("Bert", ["price", "size"], problem_type="regression", initializer_range=0.3)
    with pytest.raises(ValueError, match="target is None, and the model gives several numbers; choose one of price, "):
        token_attribution(classifier, TEXT)
    answer = token_attribution(classifier, TEXT, "size", steps=32)
    wanted = loop_of_autograd(classifier, TEXT, lambda logits: logits[0, 1], steps=32)
    torch.testing.assert_close(answer.scores.double(), wanted, rtol=1e-4, atol=1e-4)
    assert answer.prediction == pytest.approx(classifier.predict([TEXT])[0])


def test_one_label_with_a_sigmoid_is_a_probability_and_with_a_softmax_refused():
    classifier = tiny_classifier("Bert", ["toxic"], problem_type="multi_label_classification")
    answer = token_attribution(classifier, TEXT, steps=8)
    assert answer.target == "toxic"
    assert answer.evidence.f_input.item() == pytest.approx(classifier.probabilities([TEXT]).item(), abs=1e-6)
    classifier.model.config.problem_type = "single_label_classification"
    with pytest.raises(
        TypeError, match=r"one label, 'toxic', .*would always have probability 1; pass a label for each"
    ):
        TextClassifier(classifier.model, classifier.tokenizer, ["toxic"])
    classifier.model.config.problem_type = "ranking"
    with pytest.raises(TypeError, match=r"problem_type 'ranking'; set model\.config\.problem_type to one of"):
        TextClassifier(classifier.model, classifier.tokenizer, ["toxic"])


@pytest.fixture
def unpadded():
    """GPT-2 as it comes: neither its tokenizer nor its config names a token for padding."""
    classifier = tiny_classifier("GPT2")
    classifier.model.config.pad_token_id = None
    return TextClassifier(classifier.model, tiny_tokenizer(pad_token=None), classifier.labels)


def test_without_a_pad_token_one_text_and_texts_of_equal_length_are_read(unpadded):
    padded = tiny_classifier("GPT2")
    wanted = token_attribution(padded, TEXT, "b", baseline="mask", steps=32).scores
    answer = token_attribution(unpadded, TEXT, "b", baseline="mask", steps=32)
    torch.testing.assert_close(answer.scores, wanted, rtol=0, atol=1e-6)
    other = TEXT.replace("people", "land")
    together = token_attribution(unpadded, [TEXT, other], "b", baseline="zero", steps=32)
    alone = token_attribution(unpadded, other, "b", baseline="zero", steps=32)
    torch.testing.assert_close(together[1].scores, alone.scores, rtol=0, atol=1e-6)
    torch.testing.assert_close(unpadded.probabilities([TEXT, other]), padded.probabilities([TEXT, other]))
    curve = token_deletion(unpadded, alone, reference="zero")
    assert curve.values[0, 0].item() == pytest.approx(alone.evidence.f_input.item(), abs=1e-5)


def test_without_a_pad_token_the_baseline_is_another_and_texts_of_other_lengths_want_one(unpadded):
    with pytest.raises(ValueError, match="baseline is 'pad', but the tokenizer has no such token; choose 'zero'"):
        token_attribution(unpadded, TEXT)
    assert token_attribution(unpadded, TEXT, baseline="zero", steps=8).scores.abs().max() > 0
    for ask in (unpadded.predict, lambda texts: token_attribution(unpadded, texts, baseline="zero", steps=8)):
        with pytest.raises(
            ValueError, match=r"no pad token; set tokenizer\.pad_token, for instance to tokenizer\.eos_"
        ):
            ask([TEXT, OTHER])
    alone = [token_attribution(unpadded, text, baseline="zero", steps=8) for text in (TEXT, OTHER)]
    unpadded.tokenizer.pad_token = unpadded.tokenizer.eos_token
    together = token_attribution(unpadded, [TEXT, OTHER], baseline="zero", steps=8)
    assert unpadded.predict([TEXT, OTHER]) == [answer.prediction for answer in alone]
    for answer, wanted in zip(together, alone, strict=True):
        torch.testing.assert_close(answer.scores[: len(wanted.scores)], wanted.scores, rtol=0, atol=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["GPT2", "Llama", "Bart"])
def test_a_text_in_a_batch_is_predicted_as_it_is_alone(kind, side):
    """Padding on the left moves GPT-2's positions; another pad token than the config's would be read as the last."""
    classifier = tiny_classifier(kind)
    classifier.tokenizer.padding_side, classifier.tokenizer.pad_token = side, "<mask>"
    texts = [OTHER, TEXT, "who", TEXT + OTHER]
    together = classifier.probabilities(texts)
    alone = torch.cat([classifier.probabilities([text]) for text in texts])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
    plain = classifier.model(**classifier.tokenizer(TEXT, return_tensors="pt")).logits.softmax(1)[0]
    torch.testing.assert_close(together[1], plain.detach(), rtol=0, atol=1e-6)


def test_a_pad_token_without_a_row_in_the_table_is_refused_and_the_advice_works():
    classifier = tiny_classifier("GPT2", vocab_size=17)
    classifier.tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    with pytest.raises(
        ValueError, match=r"the tokenizer's '\[PAD\]' is token 17, and the GPT2.* has embeddings for 17"
    ):
        token_attribution(classifier, TEXT)
    assert len(token_attribution(classifier, [TEXT, OTHER], baseline="zero", steps=8)) == 2
    classifier.model.resize_token_embeddings(len(classifier.tokenizer))
    assert token_attribution(classifier, TEXT, steps=8).scores.abs().max() > 0


@pytest.mark.parametrize("kind", ["GPT2", "Longformer", "T5", "Bert"])
def test_a_wrong_count_of_labels_is_refused(kind):
    classifier = tiny_classifier(kind, **KINDS.get(kind, {}))
    wrong = TextClassifier(classifier.model, classifier.tokenizer, ["a", "b"])
    for ask in (wrong.predict, lambda texts: token_attribution(wrong, texts)):
        with pytest.raises(ValueError, match="labels are 2, but the model has 3 classes; name each"):
            ask([TEXT])


@pytest.mark.parametrize("labels", [{0: "a", 1: "b", 2: "c"}, "abc", [0, 1, 2], [], None])
def test_labels_that_are_no_list_of_str_are_refused(bert, labels):
    with pytest.raises(TypeError, match=r"labels is .*; pass a list of str, one for each logit"):
        TextClassifier(bert.model, bert.tokenizer, labels)


def test_a_model_with_labels_for_each_token_is_refused():
    for kind in ("ForTokenClassification", "LMHeadModel"):
        model_class = getattr(transformers, f"GPT2{kind}")
        model = tiny_model(model_class, tiny_config(transformers.GPT2Config))
        classifier = TextClassifier(model, tiny_tokenizer(), ["a", "b", "c"])
        with pytest.raises(
            ValueError, match=rf"model is GPT2{kind}, whose logits have shape \(1, 10, \d+\), not \(texts"
        ):
            token_attribution(classifier, TEXT)
    model = tiny_model(transformers.GPT2Model, tiny_config(transformers.GPT2Config))
    with pytest.raises(
        TypeError, match=r"model is GPT2Model, which returned BaseModelOutput.* without logits; pass one"
    ):
        token_attribution(TextClassifier(model, tiny_tokenizer(), ["a", "b"]), TEXT)


def test_a_model_that_returns_a_tuple_answers_as_with_its_names(bert):
    wanted = token_attribution(bert, TEXT, steps=8).scores
    bert.model.config.return_dict = False
    try:
        assert torch.equal(token_attribution(bert, TEXT, steps=8).scores, wanted)
    finally:
        bert.model.config.return_dict = True


class Sum(nn.Module):
    """A number a text, (N,), by its words alone; without inputs_embeds."""

    def __init__(self):
        super().__init__()
        self.table, self.w = nn.Embedding(60, 5), nn.Linear(5, 1, bias=False)

    def forward(self, input_ids):
        return self.w(self.table(input_ids))[..., 0].sum(1)

    def get_input_embeddings(self):
        return self.table


def test_a_network_of_ones_own_needs_no_inputs_embeds_and_may_give_one_number():
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    own = TextClassifier(Sum().eval(), tokenizer, ["sum"])
    answer = token_attribution(own, TEXT)
    terms = own.model.w(own.model.table(own.encode([TEXT])["input_ids"]))[0, :, 0].detach()
    wanted = terms - own.model.w(own.model.table(torch.tensor(0))).item()
    torch.testing.assert_close(answer.scores[1:-1], wanted[1:-1])
    assert answer.prediction == pytest.approx(terms.sum().item(), abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("Canine", {}, "model is CanineForSequenceClassification, which has no get_input_embeddings; write"),
        (
            "Xmod",
            {},
            "model is XmodForSequenceClassification, which does not read these tokens, given as input_ids, att",
        ),
        (
            "Reformer",
            {"axial_pos_embds_dim": [8, 24], "axial_pos_shape": [10, 13], "attn_layers": ["local", "lsh"]},
            "model is a ReformerForSequenceClassification, which answers, but gives no gradient",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(kind, changes, words):
    with pytest.raises((TypeError, ValueError), match=words):
        token_attribution(tiny_classifier(kind, **changes), TEXT)


def test_memory_that_runs_out_is_no_fault_of_the_text(monkeypatch, bert):
    def full(**inputs):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(bert.model, "forward", full)
    with pytest.raises(torch.OutOfMemoryError):
        bert.logits({})


def test_an_encoder_decoder_without_an_end_of_text_is_refused():
    classifier = tiny_classifier("Bart")
    classifier.model.config.eos_token_id = 59
    with pytest.raises(ValueError, match=r"model is BartForSequenceClassification, which does not read .*<eos>"):
        token_attribution(classifier, TEXT)


def test_a_decoder_with_a_table_of_its_own_is_refused():
    """It would read the text on the whole path, and the shares would be too small."""
    classifier = tiny_classifier("Bart")
    decoder = classifier.model.model.decoder
    decoder.embed_tokens.weight = nn.Parameter(decoder.embed_tokens.weight.detach().clone())
    with pytest.raises(
        ValueError, match="model is a BartForSequenceClassification, which answers otherwise by a text's"
    ):
        token_attribution(classifier, TEXT)


def test_a_model_that_answers_by_chance_is_refused(monkeypatch, bert):
    def noisy(module, args, output):
        output.logits.add_(torch.rand(3))

    handle = bert.model.register_forward_hook(noisy)
    with pytest.raises(ValueError, match="answers otherwise each time it is asked; F must be deterministic"):
        token_attribution(bert, TEXT)
    handle.remove()


def test_a_special_token_that_stands_in_the_text_is_one_to_the_model():
    """ESM makes embeddings larger or smaller by the number of <mask> in the text: that is held, too."""
    classifier = tiny_classifier("Esm", vocab_size=60, mask_token_id=4, token_dropout=True)
    answer = token_attribution(classifier, "how many <mask> live ?", "b", tolerance=0.001)
    p = classifier.probabilities(["how many <mask> live ?"])[0, 1].item()
    assert answer.evidence.f_input.item() == pytest.approx(p, abs=1e-6)
    assert answer.evidence.converged.all()


def test_no_hook_is_left_also_after_an_error(monkeypatch, bert):
    table = bert.model.get_input_embeddings()
    token_attribution(bert, TEXT, steps=8)
    with pytest.raises(ValueError, match="baseline holds NaN"):
        token_attribution(bert, TEXT, baseline=torch.full((32,), torch.nan))
    monkeypatch.setattr(bert.model.classifier, "forward", lambda states: 1 / 0)
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        token_attribution(bert, TEXT)
    assert not table._forward_hooks


def test_threads_that_share_a_model_and_a_text_walk_their_own_paths(bert):
    baselines = ["pad", "mask", "zero", torch.ones(32)]

    def ask(baseline):
        return token_attribution(bert, TEXT, "b", baseline=baseline, steps=32).scores

    wanted = [ask(baseline) for baseline in baselines]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, baselines * 4))
    for scores, alone in zip(found, wanted * 4, strict=True):
        torch.testing.assert_close(scores, alone, rtol=0, atol=1e-5)
