"""Every architecture that transformers lists for sequence classification: right, or refused in words."""

import pytest
import torch
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

from igteach.methods.token_attribution import token_attribution
from igteach.models.text import TextClassifier
from tests.text_models import OTHER, TEXT, loop_of_autograd, tiny_config, tiny_model, tiny_tokenizer

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]
LARGEST = 30_000_000  # parameters; a larger one means that a configuration is not a small one
LATENT = {"num_key_value_heads": 4, "head_dim": ...}
PAIRS = {"layer_types": ["linear_attention", "full_attention"]}
PAIRS |= dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads"), 2)
PAIRS |= dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), 8)
EIGHT = {"head_dim": 8}
ROTARY = {"rope_theta": 10000.0, "rope_type": "default"}
CHANGES = {
    **dict.fromkeys(("axk1", "axk2", "deepseek_v3", "minicpm3", "mistral4"), LATENT),
    **dict.fromkeys(("qwen3_5_text", "qwen3_next"), PAIRS),
    **dict.fromkeys(("hunyuan_v1_dense", "hunyuan_v1_moe", "ministral"), EIGHT),
    "cohere_compass_text": {
        "layer_types": ["full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": ROTARY, "sliding_attention": ROTARY},
    },
    "deepseek_v2": {**LATENT, "num_experts_per_tok": 2},
    "esm": {"vocab_size": 60},
    "esmc": {"num_key_value_heads": 4},
    "falcon": {"head_dim": ...},
    "funnel": {"num_hidden_layers": ..., "block_sizes": [1, 1]},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "gptj": {"rotary_dim": 8},
    "jamba": {
        "attn_layer_offset": 1,
        "attn_layer_period": 2,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "mamba_dt_rank": 4,
    },
    "layoutlmv3": {"coordinate_size": 4, "shape_size": 8},
    "lilt": {"channel_shrink_ratio": 2, "hidden_size": 48},
    "longformer": {"attention_window": [8, 8]},
    "mt5": {"initializer_factor": 0.2},
    "nemotron": {"head_dim": 8, "num_key_value_heads": 2},
    "perceiver": {"d_latents": 32, "num_latents": 4, "num_self_attends_per_block": 1},
    "reformer": {"axial_pos_embds_dim": [8, 24], "axial_pos_shape": [10, 13], "attn_layers": ["local", "lsh"]},
    "t5": {"initializer_factor": 0.2, "decoder_start_token_id": 0},
    "umt5": {"initializer_factor": 0.2},
    "xlnet": {"max_position_embeddings": ...},
    "zamba": {"num_hidden_layers": 4, "layer_types": ["mamba", "hybrid"] * 2},
    "zamba2": {"num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid"] * 2},
}
REFUSED = {
    "canine": "which has no get_input_embeddings",  # it hashes characters into eight tables
    "perceiver": "which has no get_input_embeddings",
    "reformer": "gives no gradient of its answer by the word embeddings",  # its backward pass wants train mode
    "t5gemma": "answers otherwise by a text's embeddings",  # encoder and decoder have each a table of their own
    "xmod": "Input language unknown",  # its message says to call set_default_language()
}
NOT_BUILT = {"layoutlmv2"}  # it needs detectron2
CONSTANT = {"mra"}  # without its kernel for CUDA no token sees another
ARCHITECTURES = {config.model_type: config for config in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING}
CHANGES["qwen3_5"] = {"text_config": tiny_config(ARCHITECTURES["qwen3_5_text"], **PAIRS)}


def build(kind):
    config_class = ARCHITECTURES[kind]
    model_class = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[config_class]
    config = tiny_config(config_class, **CHANGES.get(kind, {}))
    with torch.device("meta"):
        size = sum(weights.numel() for weights in model_class(config).parameters())
    assert size < LARGEST, f"{size:,} parameters"
    return tiny_model(model_class, tiny_config(config_class, **CHANGES.get(kind, {})))


@pytest.fixture
def report(capsys):
    """Prints a line of the table, although pytest captures what a test prints."""

    def write(line):
        with capsys.disabled():
            print(f"\n{line}", end=" ", flush=True)

    return write


@pytest.mark.sampled(30)
@pytest.mark.parametrize("kind", sorted(ARCHITECTURES.keys() - REFUSED.keys() - NOT_BUILT))
def test_scores_are_those_of_a_loop_of_autograd_alone_and_in_a_batch(report, kind):
    classifier = TextClassifier(build(kind), tiny_tokenizer(), ["a", "b", "c"])
    # The pad token of Funnel is a row of zeros, where its LayerNorm is a cliff and the rest is rounding.
    start, baseline = (4, "mask") if kind == "funnel" else (0, "pad")
    answer = token_attribution(classifier, TEXT, "b", baseline=baseline, steps=32)
    wanted = loop_of_autograd(classifier, TEXT, lambda logits: logits.softmax(1)[0, 1], start=start, steps=32)
    largest = wanted.abs().max().item()
    difference = (answer.scores - wanted).abs().max().item()
    report(f"{kind:22} largest share {largest:.1e}, difference {difference:.1e}")
    assert difference <= 1e-3 * largest
    assert (largest > 0) == (kind not in CONSTANT)
    batch = token_attribution(classifier, [TEXT, OTHER], "b", baseline=baseline, steps=32)
    torch.testing.assert_close(batch[0].scores, answer.scores, rtol=0, atol=1e-4 * max(largest, 1e-6))
    together, alone = classifier.probabilities([TEXT, OTHER]), classifier.probabilities([TEXT])
    torch.testing.assert_close(together[0], alone[0], rtol=0, atol=1e-5)
    assert token_attribution(classifier, "how many people live in land ? " * 40, steps=2).truncated


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_others_are_refused_in_words(report, kind):
    with pytest.raises((TypeError, ValueError), match=REFUSED[kind]) as error:
        token_attribution(TextClassifier(build(kind), tiny_tokenizer(), ["a", "b", "c"]), TEXT)
    report(f"{kind:22} refused: {error.value}")


def test_what_xmod_asks_for_works():
    model = build("xmod")
    model.set_default_language("en_XX")
    classifier = TextClassifier(model, tiny_tokenizer(), ["a", "b", "c"])
    assert token_attribution(classifier, TEXT, steps=8).scores.abs().max() > 0


def test_what_is_asked_for_where_a_table_is_missing_works_for_perceiver():
    model = build("perceiver")
    model.get_input_embeddings = lambda: model.perceiver.input_preprocessor.embeddings
    classifier = TextClassifier(model, tiny_tokenizer(), ["a", "b", "c"])
    answer = token_attribution(classifier, TEXT, "b", steps=32)
    wanted = loop_of_autograd(classifier, TEXT, lambda logits: logits.softmax(1)[0, 1], steps=32)
    torch.testing.assert_close(answer.scores.double(), wanted, rtol=1e-3, atol=1e-7)


def test_one_of_the_eight_tables_of_canine_is_not_enough():
    model = build("canine")
    model.get_input_embeddings = lambda: model.canine.char_embeddings.HashBucketCodepointEmbedder_0
    with pytest.raises(ValueError, match="answers otherwise by a text's embeddings"):
        token_attribution(TextClassifier(model, tiny_tokenizer(), ["a", "b", "c"]), TEXT)


def test_what_is_not_built_here_cannot_be():
    for kind in NOT_BUILT:
        with pytest.raises(ImportError, match="detectron2"):
            build(kind)
