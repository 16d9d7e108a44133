"""What flows through heads and MLPs is their conductance, and a head that is knocked out writes its mean, no more."""

import functools
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

import igteach
from igteach.datasets.lookup import make_lookups
from igteach.methods.heads import component_conductance, mean_of_heads, without_heads
from igteach.methods.token_attribution import token_attribution
from igteach.models import lookup
from igteach.models.language import LanguageModel
from tests.text_models import LANGUAGE, byte_tokenizer, tiny_language_model, weighed

sys.path.insert(0, str(Path(__file__).parent))
from every_method import differences, world

EACH_KIND = pytest.mark.parametrize("kind", LANGUAGE)
PROMPT, OTHER = "how many people live in new land", "who many people is in found land"
TARGET, AGAINST = " found", " it"
PATHS = {"GPT2": "transformer.h", "Llama": "model.layers", "Qwen2": "model.layers", "GPTNeoX": "gpt_neox.layers"}
JOINS = {"GPT2": "attn.c_proj", "Llama": "self_attn.o_proj", "Qwen2": "self_attn.o_proj", "GPTNeoX": "attention.dense"}
ALL_HEADS = [(layer, head) for layer in range(2) for head in range(4)]


@functools.cache
def model_of(kind):
    return tiny_language_model(kind)


@functools.cache
def means_of(kind):
    return mean_of_heads(model_of(kind), [PROMPT, OTHER])


@functools.cache
def looks_up():
    return lookup.load("cpu")


def parts_of(kind):
    """Of each layer what joins the heads, and the MLP."""
    layers = model_of(kind).model.get_submodule(PATHS[kind])
    return [(layer.get_submodule(JOINS[kind]), layer.mlp) for layer in layers]


def ids_of(model, prompt):
    return torch.tensor([model.tokenizer(prompt)["input_ids"]])


def contrast(model):
    one, other = (ids_of(model, token)[0, 0] for token in (TARGET, AGAINST))
    return lambda logits: logits[:, -1, one] - logits[:, -1, other]


def logits_of(model, prompt=PROMPT):
    with torch.no_grad():
        return model.model(ids_of(model, prompt)).logits


@EACH_KIND
@pytest.mark.parametrize("baseline", ["mean", "zero", OTHER])
def test_a_part_has_the_conductance_of_what_it_writes(kind, baseline):
    model = model_of(kind)
    table = model.model.get_input_embeddings()
    x = table(ids_of(model, PROMPT)).detach()
    starts = {"mean": table.weight.mean(0), "zero": torch.zeros(32), OTHER: table(ids_of(model, OTHER))}
    start = starts[baseline].detach().to(x).expand_as(x)

    def f(embeddings):
        return contrast(model)(model.model(inputs_embeds=embeddings).logits)

    found = component_conductance(model, PROMPT, TARGET, against=AGAINST, baseline=baseline, steps=48)
    assert found.heads.shape == (2, 4)
    assert found.mlps.shape == (2,)
    for number, (join, mlp) in enumerate(parts_of(kind)):
        heads = igteach.neuron_conductance(f, join, x, start, at="input", steps=48).values
        mlps = igteach.neuron_conductance(f, mlp, x, start, steps=48).values
        wanted = heads[0].sum(0).unflatten(0, (4, -1)).sum(1)
        torch.testing.assert_close(found.heads[number].double(), wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(found.mlps[number].double(), mlps.sum(), rtol=1e-5, atol=1e-5)
        assert wanted.abs().min() > 1e-4
    with torch.no_grad():
        assert found.change == pytest.approx((f(x) - f(start)).item(), abs=1e-5)


@EACH_KIND
def test_the_change_is_that_of_the_tokens(kind):
    model = model_of(kind)
    found = component_conductance(model, PROMPT, TARGET, baseline=OTHER, steps=3)
    evidence = token_attribution(model, PROMPT, TARGET, baseline=OTHER, steps=3).evidence
    assert found.change == pytest.approx((evidence.f_input - evidence.f_baseline).item(), abs=1e-5)
    one, other = (logits_of(model, prompt)[0, -1].log_softmax(0) for prompt in (PROMPT, OTHER))
    token = ids_of(model, TARGET)[0, 0]
    assert found.change == pytest.approx((one - other)[token].item(), abs=1e-5)


class Straight(nn.Module):
    """One head that copies the embedding, and an MLP that doubles what the head has added to it: logits 6 w . e."""

    class Attention(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.o_proj = nn.Linear(width, width, bias=False)

        def forward(self, states):
            return self.o_proj(states)

    def __init__(self, size, width=4):
        super().__init__()
        self.table, self.out = nn.Embedding(size, width), nn.Linear(width, size, bias=False)
        self.attention, self.mlp = self.Attention(width), nn.Linear(width, width, bias=False)
        self.config = type("Config", (), {"num_attention_heads": 2, "max_position_embeddings": None})
        with torch.no_grad():
            self.attention.o_proj.weight.copy_(torch.eye(width))
            self.mlp.weight.copy_(2 * torch.eye(width))

    def forward(self, input_ids):
        states = self.table(input_ids)
        states = states + self.attention(states)
        return self.out(states + self.mlp(states))

    def get_input_embeddings(self):
        return self.table


def test_shares_of_a_model_without_a_bend_are_those_worked_out_by_hand():
    """Of 6 w . e the skip past the attention has 3 w . e, and so has the head; the MLP has 4 w . e of both."""
    model = weighed(Straight)
    found = component_conductance(model, " land", TARGET, against=AGAINST, baseline="zero", steps=5)
    out, token = model.model.out.weight.detach(), ids_of(model, " land")[0, 0]
    one, other = (ids_of(model, word)[0, 0] for word in (TARGET, AGAINST))
    terms = (out[one] - out[other]) * model.model.table.weight.detach()[token]
    torch.testing.assert_close(found.heads, 3 * terms.view(1, 2, 2).sum(2))
    torch.testing.assert_close(found.mlps, 4 * terms.sum()[None])
    assert found.change == pytest.approx(6 * terms.sum().item(), rel=1e-5)


@EACH_KIND
def test_the_mean_is_that_of_what_goes_into_the_layer_that_joins(kind):
    model, seen = model_of(kind), []
    handles = [join.register_forward_pre_hook(lambda _, args: seen.append(args[0])) for join, _ in parts_of(kind)]
    for prompt in (PROMPT, "who is it"):
        logits_of(model, prompt)
    for handle in handles:
        handle.remove()
    wanted = [torch.cat([seen[layer][0], seen[layer + 2][0]]).mean(0) for layer in range(2)]
    found = mean_of_heads(model, [PROMPT, "who is it"])
    torch.testing.assert_close(found, torch.stack(wanted).view(2, 4, 8), rtol=0, atol=1e-6)


@EACH_KIND
def test_a_head_that_writes_its_mean_anyway_can_be_knocked_out_without_a_change(kind):
    """With one token there is nothing to average, and no other place to look at."""
    model = model_of(kind)
    means = mean_of_heads(model, [" land"])
    wanted = logits_of(model, " land")
    for heads in ([(0, 1)], [(1, 3)], ALL_HEADS, []):
        with without_heads(model, heads, means):
            torch.testing.assert_close(logits_of(model, " land"), wanted, rtol=0, atol=1e-6)
    with without_heads(model, [(0, 1)], means + 1):
        assert (logits_of(model, " land") - wanted).abs().max() > 1e-3


@EACH_KIND
@pytest.mark.parametrize("heads", [[(0, head) for head in range(4)], [(1, 2)], [(0, 0), (1, 0), (1, 3)]], ids=str)
def test_knocked_out_heads_are_overwritten_in_what_goes_into_the_layer_that_joins(kind, heads):
    model, means = model_of(kind), means_of(kind)

    def overwrite(layer):
        def put(_, args):
            values = args[0].clone()
            for token, (number, head) in itertools.product(range(values.shape[1]), heads):
                if number == layer:
                    values[:, token, 8 * head : 8 * head + 8] = means[layer, head]
            return (values, *args[1:])

        return put

    handles = [join.register_forward_pre_hook(overwrite(layer)) for layer, (join, _) in enumerate(parts_of(kind))]
    wanted = logits_of(model)
    for handle in handles:
        handle.remove()
    with without_heads(model, heads, means):
        found = logits_of(model)
        answer = token_attribution(model, PROMPT, TARGET, steps=2)
        assert answer.evidence.f_input.item() == pytest.approx(
            wanted[0, -1].log_softmax(0)[ids_of(model, TARGET)[0, 0]].item(), abs=1e-6
        )
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
    assert (found - logits_of(model)).abs().max() > 1e-3


def test_heads_may_come_from_a_generator_and_twice():
    model, means = model_of("Llama"), means_of("Llama")
    with without_heads(model, [(0, 1), (1, 1)], means):
        wanted = logits_of(model)
    for heads in (((layer, 1) for layer in range(2)), [(0, 1), (1, 1), (0, 1)], [[0, 1], [1, 1]]):
        with without_heads(model, heads, means):
            assert torch.equal(logits_of(model), wanted)


def test_a_model_in_float64_keeps_its_precision():
    model = tiny_language_model("Llama")
    assert means_of("Llama").dtype == torch.float64
    with without_heads(model, [(0, 0)], means_of("Llama").float()):
        assert logits_of(model).dtype == torch.float64


@EACH_KIND
def test_the_model_is_as_before_after_each_call_and_after_an_error(kind):
    model = tiny_language_model(kind)
    first, second, *_ = model.model.parameters()
    first.requires_grad_(False)
    second.grad = torch.ones_like(second)
    before = world(model.model)
    component_conductance(model, PROMPT, TARGET, steps=3)
    means = mean_of_heads(model, [PROMPT])
    with without_heads(model, [(0, 1), (1, 1)], means):
        logits_of(model)
    assert differences(before, world(model.model)) == []
    with pytest.raises(RuntimeError, match="mine"), without_heads(model, [(0, 1)], means):
        raise RuntimeError("mine")
    with pytest.raises(ValueError, match="half a character"):
        mean_of_heads(model, [PROMPT, "\ud83d"])
    assert differences(before, world(model.model)) == []

    def trap(*received):
        raise RuntimeError("the trap")

    handle = [*model.model.modules()][-1].register_forward_hook(trap)
    for call in (lambda: component_conductance(model, PROMPT), lambda: mean_of_heads(model, [PROMPT])):
        with pytest.raises(RuntimeError, match="the trap"):
            call()
    with pytest.raises(RuntimeError, match="the trap"), without_heads(model, [(0, 1)], means):
        logits_of(model)
    handle.remove()
    assert differences(before, world(model.model)) == []


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_in_any_mode_of_the_caller_the_shares_are_the_same(mode):
    model = model_of("GPTNeoX")
    wanted = component_conductance(model, PROMPT, TARGET, steps=8)
    with mode():
        found = component_conductance(model, PROMPT, TARGET, steps=8)
        torch.testing.assert_close(mean_of_heads(model, [PROMPT, OTHER]), means_of("GPTNeoX"))
    assert torch.equal(found.heads, wanted.heads)
    assert found.change == wanted.change


def test_other_threads_see_no_hook():
    model, means = model_of("Llama"), means_of("Llama")
    wanted, shares = logits_of(model), component_conductance(model, PROMPT, TARGET, steps=8).heads
    with ThreadPoolExecutor(1) as pool:
        with without_heads(model, ALL_HEADS, means):
            assert (logits_of(model) - wanted).abs().max() > 1e-3
            torch.testing.assert_close(pool.submit(logits_of, model).result(), wanted)
        with pytest.raises(RuntimeError, match="seen"), without_heads(model, [(0, 0)], means):
            raise RuntimeError("seen")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: component_conductance(model, PROMPT, TARGET, steps=8).heads, range(16)))
    for each in found:
        torch.testing.assert_close(each, shares)


@functools.cache
def shares_of_look_ups():
    """The mean share of each head in the right value's logit less another's, from a prompt that asks for the other."""
    drawn, found = make_lookups(12, 21), []
    for prompt, right in zip(drawn.prompts, drawn.answers, strict=True):
        words = prompt.split()
        other = next(i for i in range(0, 12, 2) if words[i + 1] != right)
        baseline = " ".join([*words[:-1], words[other]])
        shares = component_conductance(looks_up(), prompt, right, against=words[other + 1], baseline=baseline, steps=16)
        found.append(shares.heads)
    return torch.stack(found).mean(0)


@functools.cache
def look_ups():
    """Tokens and the right values of sequences, and what heads write in them on average."""
    drawn = make_lookups(100, 22)
    ids = torch.cat([looks_up().encode(prompt).ids for prompt in drawn.prompts])
    right = torch.tensor([looks_up().token(answer) for answer in drawn.answers])
    return ids, right, mean_of_heads(looks_up(), drawn.prompts)


def accuracy_of_look_ups(heads):
    ids, right, means = look_ups()
    with torch.no_grad(), without_heads(looks_up(), heads, means):
        return (looks_up().logits(ids)[:, -1].argmax(1) == right).double().mean().item()


def test_without_the_four_heads_of_largest_share_a_look_up_fails_more_than_without_four_others():
    order = shares_of_look_ups().flatten().argsort(descending=True).tolist()
    fractions = [accuracy_of_look_ups(others) for others in itertools.combinations(ALL_HEADS, 4)]
    assert accuracy_of_look_ups([]) > 0.99
    without_largest = accuracy_of_look_ups([divmod(number, 4) for number in order[:4]])
    assert without_largest < 0.25 < sum(fractions) / len(fractions) - 0.2


def test_two_heads_with_the_largest_shares_are_not_missed_where_others_stand_in():
    """A share says what flows through a head, not what would be left without it."""
    order = shares_of_look_ups().flatten().argsort(descending=True).tolist()
    assert accuracy_of_look_ups([divmod(number, 4) for number in order[:2]]) > 0.9
    assert accuracy_of_look_ups([(0, 1)]) < 0.6
    assert (0, 1) not in [divmod(number, 4) for number in order[:4]]


def in_train_mode(model):
    model.model.train()
    return model


def opt():
    from transformers import OPTConfig, OPTForCausalLM

    sizes = {"hidden_size": 16, "word_embed_proj_dim": 16, "ffn_dim": 16, "num_hidden_layers": 1}
    model = OPTForCausalLM(OPTConfig(vocab_size=len(byte_tokenizer()), num_attention_heads=2, **sizes))
    return LanguageModel(model.eval(), byte_tokenizer())


def conduct(model=None, prompt=PROMPT, **options):
    return component_conductance(model or model_of("Llama"), prompt, TARGET, **{"steps": 2} | options)


def knock(heads=((0, 1),), model=None, means=None):
    with without_heads(model or model_of("Llama"), heads, means_of("Llama") if means is None else means):
        return logits_of(model_of("Llama"))


NOT_FOUND = (
    "whose heads are not found: each layer needs an attention with a module called one of o_proj, c_proj, dense, "
)
NO_PAIRS = "pass a list of pairs (layer, head), such as [(0, 1)]"
TRAINS = "model.model is in train mode"
# the wrong call, its error and a part of the message, and the call as advised
REFUSED = [
    *(
        (
            lambda call=call: call(opt()),
            ValueError,
            f"model is a OPTForCausalLM, {NOT_FOUND}",
            lambda call=call: call(None),
        )
        for call in (
            conduct,
            lambda model: mean_of_heads(model or model_of("GPT2"), [PROMPT]),
            lambda model: knock(model=model),
        )
    ),
    *(
        (
            lambda call=call: call(model_of("Llama").model),
            TypeError,
            "model is LlamaForCausalLM; pass LanguageModel(model, tokenizer) of igteach.models.language",
            lambda call=call: call(LanguageModel(model_of("Llama").model, byte_tokenizer())),
        )
        for call in (conduct, lambda model: mean_of_heads(model, [PROMPT]), lambda model: knock(model=model))
    ),
    (lambda: conduct(weighed()), ValueError, f"model is a Weighed, {NOT_FOUND}", lambda: conduct(model_of("GPT2"))),
    (lambda: conduct(in_train_mode(tiny_language_model("GPT2"))), ValueError, TRAINS, conduct),
    (lambda: mean_of_heads(in_train_mode(tiny_language_model("GPT2")), [PROMPT]), ValueError, TRAINS, conduct),
    (lambda: knock(model=in_train_mode(tiny_language_model("GPT2"))), ValueError, TRAINS, knock),
    (lambda: conduct(steps=0), ValueError, "steps is 0; pass a whole number of at least 1", lambda: conduct(steps=1)),
    (
        lambda: conduct(steps=2.5),
        ValueError,
        "steps is 2.5; pass a whole number of at least 1",
        lambda: conduct(steps=2),
    ),
    (lambda: conduct(prompt=None), TypeError, "prompt is NoneType; pass a str", conduct),
    (
        lambda: conduct(against=TARGET),
        ValueError,
        "against is ' found', and so is target",
        lambda: conduct(against=AGAINST),
    ),
    (
        lambda: conduct(baseline="who"),
        ValueError,
        "baseline is another prompt of 1 tokens",
        lambda: conduct(baseline=OTHER),
    ),
    (
        lambda: conduct(move="some"),
        ValueError,
        "move is 'some'; choose one of written, all",
        lambda: conduct(move="all"),
    ),
    (
        lambda: mean_of_heads(model_of("Llama"), []),
        ValueError,
        "prompts is empty; pass one or more",
        lambda: mean_of_heads(model_of("Llama"), [PROMPT]),
    ),
    (
        lambda: mean_of_heads(model_of("Llama"), PROMPT),
        TypeError,
        "prompts is str; pass a list of prompts",
        lambda: mean_of_heads(model_of("Llama"), [PROMPT]),
    ),
    (
        lambda: mean_of_heads(model_of("Llama"), None),
        TypeError,
        "prompts is NoneType; pass a list of prompts",
        lambda: mean_of_heads(model_of("Llama"), [PROMPT]),
    ),
    (
        lambda: mean_of_heads(model_of("Llama"), [PROMPT, 5]),
        TypeError,
        "prompt is int; pass a str",
        lambda: mean_of_heads(model_of("Llama"), [PROMPT, "5"]),
    ),
    *(
        (
            lambda head=head: knock([head]),
            ValueError,
            f"heads has {head}, and the model has 2 layers of 4 heads; count both from 0",
            lambda: knock([(0, 0), (1, 3)]),
        )
        for head in ((2, 0), (0, 4), (-1, 0), (0, -1))
    ),
    *(
        (lambda heads=heads: knock(heads), TypeError, f"heads is {heads!r}; {NO_PAIRS}", lambda: knock([(0, 1)]))
        for heads in ((0, 1), 3, None, [(0, 1, 2)], ["01"], [(0.0, 1)])
    ),
    (lambda: knock(means="mean"), TypeError, "means is str; pass what mean_of_heads(model, prompts) gives", knock),
    *(
        (
            lambda means=means: knock(means=means),
            ValueError,
            f"means has shape {tuple(means.shape)}, and the model has 2 "
            "layers of 4 heads; pass what mean_of_heads(model, prompts) gives for this model",
            knock,
        )
        for means in (torch.zeros(2, 5, 8), torch.zeros(1, 4, 8), torch.zeros(2, 4))
    ),
    (
        lambda: knock(means=torch.zeros(2, 4, 7)),
        ValueError,
        "means has shape (2, 4, 7), and a head of the model writes 8 "
        "numbers; pass what mean_of_heads(model, prompts) gives for this model",
        knock,
    ),
]


@pytest.mark.parametrize(("wrong", "kind", "said", "right"), REFUSED, ids=[row[2][:50] for row in REFUSED])
def test_what_is_refused_is_named_and_the_advice_works(wrong, kind, said, right):
    with pytest.raises(kind) as error:
        wrong()
    assert said in str(error.value)
    right()
