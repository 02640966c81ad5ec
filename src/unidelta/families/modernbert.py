"""ModernBERT (Warner et al. 2024): an encoder with the norm before the sub-layer, rotary positions and windows.

Query, key and value are one map, and so are gate and up of the FFN `down(act(gate(x)) ⊙ up(x))`. Attention ends in its
dropout, so a delta at its output comes after it. A prefix stands outside of every window. The prediction head is
pretrained; the classifier on it is new.
"""

from typing import TYPE_CHECKING, Any

from unidelta.design.architecture import Surroundings
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape
from unidelta.families import llama

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

TINY = {
    **{"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 2, "intermediate_size": 20, "norm_bias": True},
    **{"num_attention_heads": 3, "max_position_embeddings": 40, "local_attention": 4, "classifier_pooling": "mean"},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2},
    "layer_types": ["full_attention", "sliding_attention"],
}


def sites(config: Config) -> list[SiteShape]:
    """Self-attentions, then FFNs: of Llama's shapes, each head with keys and values of its own."""
    heads = config["num_attention_heads"]
    whole = {"num_key_value_heads": heads, "head_dim": config["hidden_size"] // heads}
    return llama.sites({**config, **whole}, stack="encoder")


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Token embeddings; norms of embeddings, layers (the first has one), stack and head; the head and a classifier."""
    d = config["hidden_size"]
    return Surroundings(
        embeddings=config["vocab_size"] * d,
        norms=(d,) * (2 * config["num_hidden_layers"] + 2),
        norms_have_biases=config["norm_bias"],
        maps=(LinearShape(d_in=d, d_out=d, bias=config["classifier_bias"]),),
        head=(LinearShape(d_in=d, d_out=n_labels),),
    )


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.named import AttentionNames, FfnNames, attentions, ffns

    stack: Any = model.base_model
    names = AttentionNames(
        module="attn",
        linears={**dict.fromkeys(("query", "key", "value"), "Wqkv"), "output": "Wo"},
        dropout=lambda own: own.attention_dropout,
        rotary="rotary_emb",
        layer_type=lambda layer: layer.attention_type,
    )
    ffn = FfnNames(module="mlp", linears={"gate": "Wi", "up": "Wi", "down": "Wo"}, norm="mlp_norm")
    return [
        *attentions(stack, stack.layers, "encoder_self", names),
        *ffns(stack, stack.layers, "encoder_ffn", ffn),
    ]


FAMILIES.register(
    Family(
        name="modernbert",
        kind="encoder",
        is_pre_norm=True,
        keys=llama.KEYS,
        optional=dict.fromkeys(("attention_bias", "mlp_bias", "norm_bias", "classifier_bias"), lambda config: False),
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=TINY,
        head="classifier",
        may_lack=("head",),  # nothing but the encoder, where somebody saved it alone
        dropouts=("mlp_dropout", "attention_dropout"),
        is_rotary=True,
        takes_positions=True,
    )
)
