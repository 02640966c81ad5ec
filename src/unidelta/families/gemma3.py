"""Gemma 3, text only (Gemma Team 2025): Llama with norms on both sides of a sub-layer, and windows in most layers.

Queries and keys are normalised, one head at a time, and logits multiplied by a constant of the model. A delta at the
output of a sub-layer is before the norm that follows it. P_k joins the keys behind their norm; a prefix stands outside
of every window.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from unidelta.design.family import FAMILIES, Config
from unidelta.design.site import SiteShape
from unidelta.families import llama


def sites(config: Config) -> list[SiteShape]:
    """Self-attentions, then FFNs."""
    return llama.sites({**config, "mlp_bias": False}, logits_times=config["query_pre_attn_scalar"] ** -0.5)


def odd(config: Config) -> Iterator[str]:
    """Attention to both sides of the text."""
    if config.get("use_bidirectional_attention"):
        yield "its tokens attend to what follows them"


FAMILIES.register(
    replace(
        FAMILIES["llama"],
        name="gemma3_text",
        optional={
            **{key: meaning for key, meaning in llama.OPTIONAL.items() if key != "mlp_bias"},
            "num_key_value_heads": lambda config: 4,
            "head_dim": lambda config: 256,
            "tie_word_embeddings": lambda config: True,
            "query_pre_attn_scalar": lambda config: 256,
        },
        sites=sites,
        surroundings=partial(llama.surroundings, norms_of_layer=4, norms_of_heads=2),
        odd=odd,
        hosts=partial(
            llama.hosts,
            ffn_norm="pre_feedforward_layernorm",
            head_norms=("q_norm", "k_norm"),
            layer_type=lambda layer: layer.self_attn.layer_type,
        ),
        tiny={
            **llama.TINY,
            **{"query_pre_attn_scalar": 9, "sliding_window": 4, "final_logit_softcapping": 7.0},
            "layer_types": ["sliding_attention", "full_attention"],
        },
    )
)
