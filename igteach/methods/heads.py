"""Inside a language model: how much of F(x) - F(x') flows through each attention head and each MLP, and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.evaluation import frozen_parameters
from igteach.core.plain_modules import hooked
from igteach.core.quadrature import nodes_and_weights
from igteach.core.validation import check_count, check_modes
from igteach.methods.prompts import PromptQuestion, ask
from igteach.models.language import LanguageModel, Prompt

JOINS_HEADS = ("o_proj", "c_proj", "dense", "out_proj")  # what Llama, GPT-2, GPT-NeoX and GPT-Neo call it
ROWS = 16  # of the path at once


@dataclass(frozen=True, eq=False)
class ComponentShares:
    """What flows through the parts of a language model, in the units of F.

    Attributes:
        heads: (layers, heads), the share of each attention head.
        mlps: (layers,), that of each MLP.
        change: F(x) - F(x'). Shares of parts one behind another count the same change twice, so they do not add up.
    """

    heads: Tensor
    mlps: Tensor
    change: float


@dataclass(frozen=True, eq=False)
class Blocks:
    """The layers of a language model that join its heads, and its MLPs, in their order.

    Attributes:
        joins: what goes into each is (N, tokens, width), the heads' values side by side.
        mlps: what comes out of each is added to the residual stream.
        heads: how many there are in a layer.
    """

    joins: tuple[nn.Module, ...]
    mlps: tuple[nn.Module, ...]
    heads: int

    @classmethod
    def of(cls, model: LanguageModel) -> Blocks:
        """Found by their names; TypeError for another kind of model, ValueError if they are called otherwise."""
        if not isinstance(model, LanguageModel):
            raise TypeError(
                f"model is {type(model).__name__}; pass LanguageModel(model, tokenizer) of igteach.models.language"
            )
        named = [(name.split("."), module) for name, module in model.model.named_modules()]
        joins = [module for name, module in named if name[-1] in JOINS_HEADS and "att" in "".join(name[-2:-1]).lower()]
        mlps = [module for name, module in named if name[-1] == "mlp"]
        heads = getattr(getattr(model.model, "config", None), "num_attention_heads", None)
        if not joins or len(joins) != len(mlps) or not heads:
            raise ValueError(
                f"model is a {type(model.model).__name__}, whose heads are not found: each layer needs an attention "
                f"with a module called one of {', '.join(JOINS_HEADS)}, and an mlp; pass one such as Llama or GPT-2"
            )
        return cls(tuple(joins), tuple(mlps), int(heads))

    @contextmanager
    def watched(self, change: Callable[[Tensor], Tensor]) -> Iterator[list[Tensor]]:
        """Within it what goes into the joins and what comes out of the MLPs is changed, and listed in this order."""
        places = [*((each, True) for each in self.joins), *((each, False) for each in self.mlps)]
        seen: dict[int, Tensor] = {}

        def put(place: int, tensor: Tensor) -> Tensor:
            seen[place] = change(tensor)
            return seen[place]

        def before(place: int) -> Callable[..., Any]:
            return lambda args: (put(place, args[0]), *args[1:])

        def behind(place: int) -> Callable[..., Any]:
            return lambda _, out: put(place, out)

        found: list[Tensor] = []
        with ExitStack() as hooks:
            for place, (module, goes_in) in enumerate(places):
                register: Any = module.register_forward_pre_hook if goes_in else module.register_forward_hook
                hooks.enter_context(hooked(register, before(place) if goes_in else behind(place)))
            yield found
            found += [seen[place] for place in range(len(places))]


@torch.inference_mode(False)
def component_conductance(
    model: LanguageModel,
    prompt: Prompt,
    target: int | str | None = None,
    *,
    against: int | str | None = None,
    baseline: str | Tensor = "mean",
    move: str = "written",
    steps: int = 64,
) -> ComponentShares:
    """The share of each attention head and each MLP in F(x) - F(x'), along the path of a prompt's embeddings.

    It is `igteach.neuron_conductance` of all layers at once, by equal steps: for each number that a part writes, the
    integral of dF/dy dy over the path; summed over the numbers and tokens of a head, or of an MLP.

    Args:
        model: as for `igteach.token_attribution`, of an architecture whose heads are found by name: Llama, Mistral,
            Qwen2, GPT-2, GPT-NeoX and others like them.
        prompt: as its text.
        target: as for it.
        against: as for it.
        baseline: as for it.
        move: as for it.
        steps: gradients, equally spaced.

    Returns:
        The shares.

    Raises:
        TypeError: as for `igteach.token_attribution`.
        ValueError: as for it; or the model's heads are not found.

    Example:
        >>> from igteach.models import lookup
        >>> shares = component_conductance(lookup.load("cpu"), "k3 v7 k1 v2 k3", "v7", against="v2", steps=8)
        >>> tuple(shares.heads.shape), tuple(shares.mlps.shape)
        ((2, 4), (2,))

    Source:
        Dhamdhere, Sundararajan and Yan (2019), https://arxiv.org/abs/1805.12233, of heads; along the path of Hanna,
        Pezzelle and Belinkov (2024), https://arxiv.org/abs/2403.17806. One step at x is attribution patching: Nanda
        (2023); Syed, Rager and Conmy (2023), https://arxiv.org/abs/2310.10348.
    """
    check_count("steps", steps, 1)
    blocks = Blocks.of(model)
    question = ask(model, prompt, target, against, None, baseline, move)
    nodes, _ = nodes_and_weights("midpoint", steps)
    dtype = torch.promote_types(question.alphas.dtype, torch.float32)
    alphas = torch.cat([nodes.new_zeros(1), nodes, nodes.new_ones(1)]).to(model.device, dtype)
    values, gradients, f = zip(*(_at(question, blocks, rows) for rows in alphas.split(ROWS)), strict=True)
    shares = [
        _along(torch.cat(values_of_one), torch.cat(gradients_of_one))
        for values_of_one, gradients_of_one in zip(zip(*values, strict=True), zip(*gradients, strict=True), strict=True)
    ]
    layers = len(blocks.joins)
    heads = torch.stack([each.unflatten(0, (blocks.heads, -1)).sum(1) for each in shares[:layers]])
    mlps = torch.stack([each.sum() for each in shares[layers:]])
    along = torch.cat(f)
    return ComponentShares(heads.float(), mlps.float(), (along[-1] - along[0]).item())


def _at(question: PromptQuestion, blocks: Blocks, alphas: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """What each part writes at some alphas of the path, the gradient of F by it, and F."""
    rows = alphas[:, None] * question.alphas

    def leaf(tensor: Tensor) -> Tensor:
        return tensor.clone() if tensor.requires_grad else tensor.detach().clone().requires_grad_()

    with torch.enable_grad(), frozen_parameters(question.f), blocks.watched(leaf) as seen:
        f = question.f(rows.requires_grad_())[:, 0]
        total = f.sum()
    gradients = torch.autograd.grad(total, seen)
    return [each.detach() for each in seen], [*gradients], f.detach()


def _along(values: Tensor, gradients: Tensor) -> Tensor:
    """The integrals of gradient times displacement, (width,), summed over tokens: ends are the first and last row."""
    middles = [values[0], *((one + other) / 2 for one, other in pairwise(values[1:-1])), values[-1]]
    displacement = torch.stack(middles).double().diff(dim=0)
    return (gradients[1:-1].double() * displacement).sum((0, 1))


@torch.no_grad()
def mean_of_heads(model: LanguageModel, prompts: Sequence[Prompt]) -> Tensor:
    """What each head writes on average, over the tokens of some prompts: what mean ablation puts in its place.

    Args:
        model: as for `component_conductance`.
        prompts: one or more.

    Returns:
        (layers, heads, width of a head).

    Raises:
        TypeError: prompts is one prompt, or holds something else.
        ValueError: there are no prompts; the model's heads are not found, or it is in train mode; or as
            `LanguageModel.encode`.

    Example:
        >>> from igteach.models import lookup
        >>> tuple(mean_of_heads(lookup.load("cpu"), ["k3 v7 k3", "k1 v2 k1"]).shape)
        (2, 4, 16)
    """
    if isinstance(prompts, str) or not isinstance(prompts, Sequence):
        raise TypeError(f"prompts is {type(prompts).__name__}; pass a list of prompts")
    if not prompts:
        raise ValueError("prompts is empty; pass one or more")
    blocks, written = Blocks.of(model), []
    check_modes(model.model, "model.model")
    for prompt in prompts:
        with blocks.watched(torch.clone) as seen:
            model.logits(model.encode(prompt).ids)
        written.append(torch.stack([each[0] for each in seen[: len(blocks.joins)]]))
    means = torch.cat(written, 1).mean(1)
    return means.reshape(len(means), blocks.heads, -1)


@contextmanager
def without_heads(model: LanguageModel, heads: Sequence[tuple[int, int]], means: Tensor) -> Iterator[None]:
    """Within this context some heads write what they write on average: they are knocked out by mean ablation.

    Args:
        model: as for `component_conductance`.
        heads: each a layer and the number of the head in it, counted from 0.
        means: as `mean_of_heads` gives them.

    Yields:
        Nothing.

    Raises:
        TypeError: heads are no pairs, or means is no tensor.
        ValueError: the model has no such head, or its heads are not found, or it is in train mode; or means are not
            those of its heads.

    Example:
        >>> from igteach.models import lookup
        >>> model = lookup.load("cpu")
        >>> means = mean_of_heads(model, ["k3 v7 k1 v2 k3"])
        >>> with without_heads(model, [(1, head) for head in range(4)], means):
        ...     chance = model.likeliest("k3 v7 k1 v2 k3", 1)[0][1]
    """
    blocks = Blocks.of(model)
    check_modes(model.model, "model.model")
    chosen = _checked_heads(blocks, heads, means)

    def knocked_out(layer: int) -> Callable[..., Any]:
        def put(args: tuple[Any, ...]) -> tuple[Any, ...]:
            values = args[0].unflatten(-1, (blocks.heads, -1)).clone()
            if means.shape[-1] != values.shape[-1]:
                raise ValueError(
                    f"means has shape {tuple(means.shape)}, and a head of the model writes {values.shape[-1]} numbers; "
                    "pass what mean_of_heads(model, prompts) gives for this model"
                )
            for head in (head for one, head in chosen if one == layer):
                values[..., head, :] = means[layer, head].to(values)
            return (values.flatten(-2), *args[1:])

        return put

    with ExitStack() as hooks:
        for layer in {layer for layer, _ in chosen}:
            hooks.enter_context(hooked(blocks.joins[layer].register_forward_pre_hook, knocked_out(layer)))
        yield


def _checked_heads(blocks: Blocks, heads: Any, means: Any) -> list[tuple[int, int]]:
    """The heads; TypeError or ValueError unless there are such, and a mean of each."""
    layers = len(blocks.joins)
    chosen = [*heads] if isinstance(heads, Iterable) else [heads]
    if not all(_is_pair(each) for each in chosen):
        raise TypeError(f"heads is {heads!r}; pass a list of pairs (layer, head), such as [(0, 1)]")
    for layer, head in chosen:
        if not (0 <= layer < layers and 0 <= head < blocks.heads):
            raise ValueError(
                f"heads has {(layer, head)}, and the model has {layers} layers of {blocks.heads} heads; count both "
                "from 0"
            )
    if not isinstance(means, Tensor):
        raise TypeError(f"means is {type(means).__name__}; pass what mean_of_heads(model, prompts) gives")
    if means.dim() != 3 or means.shape[:2] != (layers, blocks.heads):
        raise ValueError(
            f"means has shape {tuple(means.shape)}, and the model has {layers} layers of {blocks.heads} heads; pass "
            "what mean_of_heads(model, prompts) gives for this model"
        )
    return chosen


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(each, int) for each in value)
