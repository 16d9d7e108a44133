"""Attribution per token of a prompt: as by plain autograd, as Captum's, as solved by hand."""

import contextlib
import functools
import sys
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from captum.attr import LayerIntegratedGradients

from igteach.datasets.lookup import make_lookups
from igteach.methods.token_attribution import token_attribution
from igteach.models import lookup
from igteach.models.language import LanguageModel
from tests.text_models import CHAT, LANGUAGE, byte_tokenizer, tiny_language_model, weighed

sys.path.insert(0, str(Path(__file__).parent))
from every_method import differences, world

EVERY = pytest.mark.parametrize(
    ("kind", "tied"),
    [(kind, tied) for kind in LANGUAGE for tied in (False, True)],
    ids=lambda value: value if isinstance(value, str) else "tied" if value else "untied",
)
EACH_KIND = pytest.mark.parametrize("kind", LANGUAGE)
PROMPT, OTHER = "how many people live in new land", "who many people is in found land"
LONGER = "who is it ? how many people live in new land"
TARGET, AGAINST, CONTINUATION = " found", " it", " who live in land ?"
CHATTED = [{"role": "system", "content": "how many people"}, {"role": "user", "content": "who is user?\n"}]
NUMBERS = torch.Generator().manual_seed(1)
VECTOR, ROWS = torch.randn(32, generator=NUMBERS), torch.randn(7, 32, generator=NUMBERS)
BASELINES = {"mean": "mean", "eos": "eos", "zero": "zero", "prompt": OTHER, "a vector": VECTOR, "rows": ROWS}


@functools.cache
def model_of(kind, tied=False):
    return tiny_language_model(kind, tied)


@functools.cache
def with_start(kind="Llama"):
    """A model whose tokenizer puts <s> before a text, and has a template for chats."""
    return tiny_language_model(kind, tokenizer=byte_tokenizer(bos=True, chat_template=CHAT))


def ids_of(model, *texts):
    """The tokens of some texts, one behind the other."""
    return [token for each in texts for token in model.tokenizer(each, add_special_tokens=False)["input_ids"]]


def start_of(model, name):
    """What the embeddings of PROMPT start from, (7, 32), worked out from the table."""
    table = model.model.get_input_embeddings().weight.detach()
    starts = {
        "mean": table.mean(0),
        "eos": table[model.tokenizer.eos_token_id],
        "zero": torch.zeros(32),
        "prompt": table[ids_of(model, OTHER)],
        "a vector": VECTOR,
        "rows": ROWS,
    }
    return starts[name].to(table).expand(7, -1)


def plain_loop(model, ids, start, function, steps=64):
    """IG at the middles of equal steps, by embeddings that the model is given in place of tokens: (tokens,).

    Args:
        model: the network.
        ids: a list.
        start: (tokens, width); the last tokens, if they are more, stay.
        function: of the logits of the last place, (N, vocabulary), to (N,).
        steps: how many.
    """
    x = model.get_input_embeddings()(torch.tensor([ids])).detach()
    start = torch.cat([start[None].to(x), x[:, len(start) :]], 1)
    middles = ((torch.arange(steps) + 0.5) / steps).to(x)[:, None, None]
    rows = (start + middles * (x - start)).requires_grad_()
    logits = model(inputs_embeds=rows, attention_mask=torch.ones(rows.shape[:2])).logits[:, -1]
    (gradient,) = torch.autograd.grad(function(logits).sum(), rows)
    return (gradient * (x - start)).sum(2).mean(0)


def contrast(model, target=TARGET, against=AGAINST):
    (one,), (other,) = ids_of(model, target), ids_of(model, against)
    return lambda logits: logits[:, one] - logits[:, other]


def log_probability(token):
    return lambda logits: logits.log_softmax(1)[:, token]


def near(scores, wanted, atol=1e-5):
    torch.testing.assert_close(scores, wanted.to(scores), rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("tied", "baseline"), [(False, name) for name in BASELINES] + [(True, "mean"), (True, "prompt")]
)
@EACH_KIND
def test_the_contrast_of_two_tokens_is_that_of_a_plain_loop(kind, tied, baseline):
    model = model_of(kind, tied)
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, baseline=BASELINES[baseline], steps=64)
    start = start_of(model, baseline)
    near(answer.scores, plain_loop(model.model, ids_of(model, PROMPT), start, contrast(model)))
    one_step = plain_loop(model.model, ids_of(model, PROMPT), start, contrast(model), steps=1)
    assert (answer.scores - one_step).abs().max() > 0.01 * answer.scores.abs().max(), "the path does not bend"
    assert answer.moved == (True,) * 7


@EVERY
@pytest.mark.parametrize("baseline", ["mean", "prompt"])
def test_the_log_probability_is_that_of_a_plain_loop(kind, tied, baseline):
    model = model_of(kind, tied)
    (token,) = ids_of(model, TARGET)
    wanted = plain_loop(model.model, ids_of(model, PROMPT), start_of(model, baseline), log_probability(token))
    for target in (TARGET, token):
        answer = token_attribution(model, PROMPT, target, baseline=BASELINES[baseline], steps=64)
        near(answer.scores, wanted)


@EVERY
def test_without_a_target_it_is_the_likeliest_token(kind, tied):
    model = model_of(kind, tied)
    with torch.no_grad():
        likeliest = int(model.model(torch.tensor([ids_of(model, PROMPT)])).logits[0, -1].argmax())
    wanted = plain_loop(model.model, ids_of(model, PROMPT), start_of(model, "mean"), log_probability(likeliest))
    answer = token_attribution(model, PROMPT, steps=64)
    near(answer.scores, wanted)
    assert answer.target == answer.prediction == model.tokenizer.decode([likeliest])


@EVERY
@pytest.mark.parametrize("baseline", ["mean", "prompt"])
def test_each_token_of_a_continuation_follows_those_before_it_which_do_not_move(kind, tied, baseline):
    model = model_of(kind, tied)
    answers = token_attribution(model, PROMPT, continuation=CONTINUATION, baseline=BASELINES[baseline], steps=64)
    targets = ids_of(model, CONTINUATION)
    assert [answer.target for answer in answers] == [model.tokenizer.decode([token]) for token in targets]
    for count, (answer, target) in enumerate(zip(answers, targets, strict=True)):
        read = [*ids_of(model, PROMPT), *targets[:count]]
        wanted = plain_loop(model.model, read, start_of(model, baseline), log_probability(target))
        near(answer.scores, wanted[:7])
        assert (wanted[7:] == 0).all()
        assert len(answer.tokens) == len(answer.scores) == len(answer.moved) == 7
        with torch.no_grad():
            logits = model.model(torch.tensor([read])).logits[:, -1]
        assert answer.evidence.f_input.item() == pytest.approx(log_probability(target)(logits).item(), abs=1e-6)
        assert answer.prediction == model.tokenizer.decode([int(logits.argmax())])


@EVERY
def test_refined_scores_add_up_to_what_the_other_tokens_change(kind, tied):
    model = model_of(kind, tied)
    with torch.no_grad():
        f = contrast(model)(model.model(torch.tensor([ids_of(model, PROMPT), ids_of(model, OTHER)])).logits[:, -1])
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, baseline=OTHER, tolerance=0.001)
    assert answer.evidence.converged.all()
    assert answer.evidence.f_input.item() == pytest.approx(f[0].item(), abs=1e-6)
    assert answer.evidence.f_baseline.item() == pytest.approx(f[1].item(), abs=1e-6)
    assert abs(answer.scores.sum() - (f[0] - f[1])) < 0.001 * answer.scores.abs().sum()
    assert answer.residual == pytest.approx((answer.scores.sum() - (f[0] - f[1])).item(), abs=1e-6)


@EACH_KIND
@pytest.mark.parametrize("baseline", ["eos", "prompt"])
def test_captum_gives_the_same(kind, baseline):
    model = model_of(kind)
    ids = torch.tensor([ids_of(model, PROMPT)])
    other = torch.full_like(ids, model.tokenizer.eos_token_id)
    start = torch.tensor([ids_of(model, OTHER)]) if baseline == "prompt" else other
    method = LayerIntegratedGradients(
        lambda ids: contrast(model)(model.model(ids).logits[:, -1]), model.model.get_input_embeddings()
    )
    theirs = method.attribute(ids, start, n_steps=64, method="riemann_middle").sum(2)[0]
    ours = token_attribution(model, PROMPT, TARGET, against=AGAINST, baseline=BASELINES[baseline], steps=64).scores
    near(ours, theirs)


def test_the_shares_of_a_weighed_sum_are_those_worked_out_by_hand():
    """The contrast is linear; a log-probability is a function of one sum, of which each term has its part of the rise.

    For the second, all rows of the last layer but the target's are zero.
    """
    model = weighed()
    ids, (one,), (other,) = (ids_of(model, words) for words in (PROMPT, TARGET, AGAINST))
    weights = 1 / torch.arange(7, 0, -1)
    moves = model.model.table.weight.detach()[ids] - model.model.table.weight.detach().mean(0)
    out = model.model.out.weight.detach()
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, steps=4)
    near(answer.scores, weights * (moves @ (out[one] - out[other])))
    out[:one], out[one + 1 :] = 0, 0
    terms = weights * (moves @ out[one])
    end = (weights * (model.model.table.weight.detach()[ids] @ out[one])).sum()
    rise = [each - (each.exp() + len(out) - 1).log() for each in (end, end - terms.sum())]
    found = token_attribution(model, PROMPT, TARGET, tolerance=1e-4).scores
    near(found, (rise[0] - rise[1]) * terms / terms.sum(), atol=1e-4)


def test_the_share_of_a_look_up_falls_on_the_tokens_that_decide():
    model, drawn = lookup.load("cpu"), make_lookups(20, 11)
    for against in (False, True):
        parts = []
        for prompt, right, decides in zip(drawn.prompts, drawn.answers, drawn.decides, strict=True):
            wrong = next(word for word in prompt.split() if word[0] == "v" and word != right)
            scores = token_attribution(model, prompt, right, against=wrong if against else None).scores.abs()
            parts.append((scores[decides].sum() / scores.sum()).item())
        assert drawn.decides.double().mean() < 0.24, "chance"
        assert min(parts) > 0.4
        assert sum(parts) / len(parts) > 0.6


def same_answers(some, others):
    for one, other in zip(some, others, strict=True):
        assert torch.equal(one.scores, other.scores)
        assert (one.text, one.tokens, one.target, one.moved) == (other.text, other.tokens, other.target, other.moved)
        assert torch.equal(one.evidence.f_baseline, other.evidence.f_baseline)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("against", [None, AGAINST])
def test_prompts_in_a_list_get_exactly_what_they_get_alone(monkeypatch, side, against):
    model = with_start()
    monkeypatch.setattr(model.tokenizer, "padding_side", side)
    prompts = [PROMPT, LONGER, "who", CHATTED]
    together = token_attribution(model, prompts, TARGET, against=against, steps=16)
    same_answers(together, [token_attribution(model, each, TARGET, against=against, steps=16) for each in prompts])
    assert len({len(answer.tokens) for answer in together}) == 4
    assert model.tokenizer.pad_token not in {token for answer in together for token in answer.tokens}
    assert token_attribution(model, [], TARGET) == []
    same_answers(together[:2], token_attribution(model, (PROMPT, LONGER), TARGET, against=against, steps=16))


def test_a_tokenizer_that_was_told_to_pad_and_to_truncate_does_neither():
    model = tiny_language_model("GPT2")
    wanted = token_attribution(model, PROMPT, TARGET, steps=8)
    model.tokenizer.backend_tokenizer.enable_padding(length=12, pad_id=0, pad_token="<pad>", direction="left")
    same_answers([token_attribution(model, PROMPT, TARGET, steps=8)], [wanted])
    model.tokenizer.backend_tokenizer.enable_truncation(3)
    same_answers([token_attribution(model, PROMPT, TARGET, steps=8)], [wanted])


def test_a_token_that_the_tokenizer_puts_before_the_text_keeps_its_embedding():
    model = with_start()
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, steps=64)
    assert answer.tokens[0] == "<s>"
    assert answer.scores[0] == 0
    assert answer.moved == (False, *[True] * 7)
    table = model.model.get_input_embeddings().weight.detach()
    start = table.mean(0).expand(8, -1).clone()
    everything = token_attribution(model, PROMPT, TARGET, against=AGAINST, move="all", steps=64)
    ids = [1, *ids_of(model, PROMPT)]
    near(everything.scores, plain_loop(model.model, ids, start, contrast(model)))
    assert everything.moved == (True,) * 8
    start[0] = table[1]
    near(answer.scores, plain_loop(model.model, ids, start, contrast(model)))


def test_of_a_chat_the_contents_of_the_messages_move_and_on_request_everything():
    model = with_start()
    answer = token_attribution(model, CHATTED, TARGET, steps=16)
    assert answer.text == "<s>system: how many people</s>user: who is user?\n</s>assistant:"
    moving = [token for token, moves in zip(answer.tokens, answer.moved, strict=True) if moves]
    assert moving == [" how", " many", " people", " who", " is", " user", "?"]
    assert (answer.scores[torch.tensor(answer.moved)] != 0).all()
    assert (answer.scores[~torch.tensor(answer.moved)] == 0).all()
    everything = token_attribution(model, CHATTED, TARGET, steps=16, move="all")
    assert all(everything.moved)
    assert (everything.scores != 0).all()


def test_a_chat_is_the_text_that_its_template_writes():
    model = with_start()
    chat = token_attribution(model, CHATTED, TARGET, move="all", steps=16)
    plain = LanguageModel(model.model, byte_tokenizer())
    same_answers([chat], [token_attribution(plain, chat.text, TARGET, move="all", steps=16)])


def test_an_answer_says_what_is_asked_in_words():
    model = model_of("Llama")
    answer = token_attribution(model, PROMPT, TARGET, against=AGAINST, steps=4)
    assert answer.f_name == "logit of ' found' minus that of ' it'"
    assert (answer.target, answer.text, answer.truncated) == (TARGET, PROMPT, False)
    assert answer.tokens == ("how", " many", " people", " live", " in", " new", " land")
    assert repr(answer).startswith("TokenAttribution for ' found': how(")
    assert token_attribution(model, PROMPT, TARGET, steps=4).f_name == "log-probability of ' found'"
    names = [each.f_name for each in token_attribution(model, PROMPT, continuation=" who ?", steps=4)]
    assert names == ["log-probability of ' who'", "log-probability of ' ?'"]


def test_words_have_the_sums_of_their_tokens():
    model = model_of("GPT2")
    whole = token_attribution(model, "how many newfound lands ?", steps=8)
    words = whole.merged()
    assert len(words.tokens) < len(whole.tokens)
    assert words.scores.sum().item() == pytest.approx(whole.scores.sum().item())
    assert words.moved == (True,) * len(words.tokens)


def everything_of(model):
    network, tokenizer = model.model, model.tokenizer
    generation = network.generation_config.to_dict()
    return world(network) | {
        "config": network.config.to_dict(),
        "generation": generation,
        "tokenizer": [tokenizer.padding_side, tokenizer.truncation_side, len(tokenizer), tokenizer.chat_template],
    }


@pytest.fixture(params=LANGUAGE)
def peculiar(request):
    """A model that keeps a cache by default, with frozen weights, a gradient, a hook, and a layer in train mode."""
    model = tiny_language_model(request.param)
    model.model.config.use_cache = model.model.generation_config.use_cache = True
    first, second, *_ = model.model.parameters()
    first.requires_grad_(False)
    second.grad = torch.ones_like(second)
    model.model.get_input_embeddings().train().register_forward_hook(lambda *received: None)
    return model


ASKED = {
    "target": {"target": TARGET, "against": AGAINST},
    "continuation": {"continuation": CONTINUATION},
    "prompt": {"target": TARGET, "baseline": OTHER},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_model_is_as_before_after_a_call_and_after_an_error(peculiar, asked):
    before = everything_of(peculiar)
    token_attribution(peculiar, PROMPT, **asked, steps=8)
    assert differences(before, everything_of(peculiar)) == []
    with pytest.raises(ValueError, match="baseline holds NaN"):
        token_attribution(peculiar, PROMPT, **asked | {"baseline": torch.full((32,), torch.nan)})
    assert differences(before, everything_of(peculiar)) == []
    calls = []

    def trap(*received):
        calls.append(received)
        if len(calls) == 5:
            raise RuntimeError("the trap")

    handle = [*peculiar.model.modules()][-1].register_forward_hook(trap)
    with pytest.raises(RuntimeError, match="the trap"):
        token_attribution(peculiar, PROMPT, **asked)
    handle.remove()
    assert differences(before, everything_of(peculiar)) == []


@EACH_KIND
def test_no_cache_of_keys_and_values_is_kept(kind, monkeypatch):
    model = model_of(kind)
    found = []

    def note(module, args, keywords, out):
        found.append(out.past_key_values)

    handle = model.model.register_forward_hook(note, with_kwargs=True)
    monkeypatch.setattr(model.model.config, "use_cache", True)
    token_attribution(model, PROMPT, TARGET, steps=4)
    handle.remove()
    assert found
    assert not any(found)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, contextlib.nullcontext])
def test_in_any_mode_of_the_caller_the_answer_is_the_same(mode):
    model = model_of("Llama")
    wanted = token_attribution(model, PROMPT, continuation=CONTINUATION, steps=8)
    with mode():
        found = token_attribution(model, PROMPT, continuation=CONTINUATION, steps=8)
        assert all(not answer.scores.requires_grad for answer in found)
    same_answers(found, wanted)


def test_threads_that_share_a_model_walk_their_own_paths():
    model = model_of("Qwen2")

    def ask(baseline):
        return token_attribution(model, PROMPT, TARGET, against=AGAINST, baseline=baseline, steps=32)

    wanted = [ask(baseline) for baseline in BASELINES.values()]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, [*BASELINES.values()] * 4))
    for answer, alone in zip(found, wanted * 4, strict=True):
        near(answer.scores, alone.scores)


def test_another_thread_may_pass_while_a_hook_is_half_put_in_place():
    """PyTorch notes a hook first, and then that it takes keywords."""
    model = tiny_language_model("Llama")
    table = model.model.get_input_embeddings()
    passes = []

    class Noting(OrderedDict):
        def __setitem__(self, key, value):
            passes.append(pool.submit(table, torch.tensor([[1]])).result())
            super().__setitem__(key, value)

    with ThreadPoolExecutor(1) as pool:
        table._forward_hooks_with_kwargs = Noting()
        token_attribution(model, PROMPT, TARGET, steps=2)
    assert passes
    assert all(torch.equal(each[0, 0], table.weight[1]) for each in passes)
