"""A transformer of two layers that looks a value up by its key: small, trained here, and its right answer is known."""

from __future__ import annotations

import torch

from igteach.core.devices import device as default_device
from igteach.datasets.lookup import KEYS, VALUES
from igteach.datasets.shipped import load_state
from igteach.models.language import LanguageModel
from igteach.models.text import word_level_tokenizer


def load(device: torch.device | str | None = None) -> LanguageModel:
    """Load the model that was trained to look values up.

    Args:
        device: where the model goes; None means `igteach.device()`, the fastest there is.

    Returns:
        The model, in eval mode, and a tokenizer whose tokens are keys and values.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> model = load("cpu")
        >>> [token for token, _ in model.likeliest("k3 v7 k1 v2 k0 v0 k1", 1)]
        ['v2']
    """
    network = make()
    network.load_state_dict(load_state("lookup"))
    return LanguageModel(network.to(default_device() if device is None else device).eval(), tokenizer())


def make() -> torch.nn.Module:
    """The network with weights at random: a Llama of two layers with four heads each, attention in the open.

    Returns:
        A LlamaForCausalLM of transformers.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(  # type: ignore[call-arg]
        vocab_size=len(tokenizer()),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        attn_implementation="eager",
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(config)


def tokenizer():  # type: ignore[no-untyped-def]
    """A tokenizer whose tokens are keys and values, separated by spaces.

    Returns:
        A fast tokenizer of Hugging Face.
    """
    from tokenizers import normalizers, pre_tokenizers

    return word_level_tokenizer([*KEYS, *VALUES], normalizers.Sequence([]), pre_tokenizers.WhitespaceSplit())
