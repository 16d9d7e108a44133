"""Tiny text models of Hugging Face with random weights, and IG of the classifiers by a plain loop of autograd."""

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import nn

from igteach.models.language import LanguageModel
from igteach.models.text import TextClassifier

SPECIAL = {"pad": "<pad>", "bos": "<s>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>", "cls": "<s>", "sep": "</s>"}
WORDS = ["how", "many", "people", "live", "in", "new", "found", "land", "?", "who", "is", "it"]
TEXT, OTHER = "how many people live in new land ?", "who is it ?"
SIZES = {
    **dict.fromkeys(("hidden_size", "d_model", "dim", "n_embd", "emb_dim", "embedding_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layers", "n_layer", "encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("num_decoder_layers",), 2),
    **dict.fromkeys(("num_attention_heads", "n_heads", "n_head", "num_heads"), 4),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "d_inner", "hidden_dim", "n_inner", "dff"), 48),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 48),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 130),
    **dict.fromkeys(("head_dim", "d_kv", "q_lora_rank", "kv_lora_rank"), 8),
    **dict.fromkeys(("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"), 8),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "entity_emb_size", "patch_size"), 16),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), 4),
    **dict.fromkeys(("n_group", "topk_group", "first_k_dense_replace"), 1),
    **{"vocab_size": 60, "num_key_value_heads": 2, "num_experts_per_tok": 2, "image_size": 32, "entity_vocab_size": 10},
}


def tiny_tokenizer(**changes):
    """Words, <s> before and </s> behind a text, and token type 1 for the second text of a pair."""
    vocabulary = {word: i for i, word in enumerate([*dict.fromkeys(SPECIAL.values()), *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    options = {f"{name}_token": token for name, token in SPECIAL.items()}
    options |= {"model_input_names": ["input_ids", "attention_mask"], "model_max_length": 100}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **options | changes)


def tiny_config(config_class, **changes):
    """A small configuration, whatever its sizes are called."""
    default = config_class()
    sizes = {name: size for name, size in SIZES.items() if getattr(default, name, None) is not None}
    for name in config_class.sub_configs:
        if getattr(default, name, None) is not None:
            sizes[name] = tiny_config(type(getattr(default, name)))
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "num_labels": 3}
    given = sizes | ends | changes
    return config_class(**{name: value for name, value in given.items() if value is not ...})


def tiny_model(model_class, config, strength=4.0):
    """The model in eval mode, its random weights so large that its answers bend on the path."""
    torch.manual_seed(0)
    model = model_class(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() >= 2:
                weights.mul_(strength)
    return model


def tiny_classifier(kind, labels=("a", "b", "c"), **changes):
    """Of the name before "ForSequenceClassification", such as "Bert", with changes to its configuration."""
    model_class = getattr(transformers, f"{kind}ForSequenceClassification")
    config = tiny_config(model_class.config_class, num_labels=len(labels), **changes)
    return TextClassifier(tiny_model(model_class, config), tiny_tokenizer(), list(labels))


def loop_of_autograd(classifier, text, function, start=0, steps=64):
    """IG of function(logits) at equal steps; the path's embeddings are new rows of the table, with ids of their own.

    Args:
        classifier: with a model whose tables of words are one parameter.
        text: as `encode` takes it in a list.
        function: of logits (1, labels), to a number.
        start: the token whose embedding is the baseline.
        steps: gradients.
    """
    model, encoding = classifier.model, classifier.encode([text])
    inputs = classifier.inputs(encoding)
    ordinary = (encoding["special_tokens_mask"][0] == 0).nonzero()[:, 0]
    weights = model.get_input_embeddings().weight
    names = [name for name, value in model.named_parameters(remove_duplicate=False) if value is weights]
    table, ids = weights.detach(), inputs["input_ids"][0, ordinary]
    inputs["input_ids"][0, ordinary] = len(table) + torch.arange(len(ordinary))
    difference = table[ids] - table[start]
    sums = torch.zeros(encoding["input_ids"].shape[1], dtype=torch.float64)
    for alpha in (torch.arange(steps) + 0.5) / steps:
        rows = (table[start] + alpha * difference).requires_grad_()
        longer = dict.fromkeys(names, torch.cat([table, rows]))
        out = torch.func.functional_call(model, longer, (), inputs, tie_weights=False)
        (gradient,) = torch.autograd.grad(function(out.logits), rows)
        sums[ordinary] += (gradient * difference).sum(1).double() / steps
    return sums


LANGUAGE = {
    "GPT2": "GPT2LMHeadModel",
    "Llama": "LlamaForCausalLM",
    "Qwen2": "Qwen2ForCausalLM",
    "GPTNeoX": "GPTNeoXForCausalLM",
}
SPOKEN = [*WORDS, "user", "system", "assistant"]
CHAT = (
    "<s>{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def byte_tokenizer(bos=False, **changes):
    """A byte-level BPE tokenizer as GPT-2 has it, to which every word of SPOKEN is one token, with and without a space.

    Args:
        bos: whether it puts <s> before a text.
        **changes: such as chat_template.
    """
    merges = []
    for word in [f"Ġ{word}" for word in SPOKEN] + SPOKEN:
        merges += [(word[:end], word[end]) for end in range(1, len(word))]
    tokens = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, merges)]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    made = Tokenizer(models.BPE(vocabulary, [*dict.fromkeys(merges)], ignore_merges=True))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    if bos:
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    options = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **options | changes)


def tiny_language_model(kind, tied=False, tokenizer=None, **changes):
    """In float64, of a key of LANGUAGE, with changes to its configuration.

    Args:
        kind: the architecture.
        tied: whether it reads and writes words by one table.
        tokenizer: None is byte_tokenizer().
        **changes: of the configuration.
    """
    model_class = getattr(transformers, LANGUAGE[kind])
    tokenizer = tokenizer or byte_tokenizer()
    sizes = {"vocab_size": len(tokenizer), "tie_word_embeddings": tied}
    model = tiny_model(model_class, tiny_config(model_class.config_class, **sizes | changes))
    return LanguageModel(model.double(), tokenizer)


class Weighed(nn.Module):
    """Logits w . e, summed over the tokens so far, the last one with weight 1, that before with 1/2, and so on."""

    def __init__(self, size, width=5):
        super().__init__()
        self.table, self.out = nn.Embedding(size, width), nn.Linear(width, size, bias=False)

    def forward(self, input_ids):
        ages = torch.arange(input_ids.shape[1])[:, None] - torch.arange(input_ids.shape[1])
        return torch.where(ages >= 0, 1 / (ages + 1), 0) @ self.out(self.table(input_ids))

    def get_input_embeddings(self):
        return self.table


def weighed(kind=Weighed):
    """Of the class, or one below it, with weights at random."""
    torch.manual_seed(0)
    tokenizer = byte_tokenizer()
    return LanguageModel(kind(len(tokenizer)).eval(), tokenizer)
