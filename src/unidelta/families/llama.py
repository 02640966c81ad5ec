"""Llama (Touvron et al. 2023; Dubey et al. 2024) and similar: decoder only, with the norm before the sub-layer.

Grouped-query attention (keys and values have fewer heads), rotary positions, RMSNorm, and a gated FFN
`down(act(gate(x)) ⊙ up(x))`. A prefix is put before keys that are already rotated, and text positions start at 0.
"""

from typing import TYPE_CHECKING, Any

from unidelta.design.architecture import Surroundings
from unidelta.design.axes import Representation, Slot, Source
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

_TINY = {  # heads that are wider than the model together, two queries' heads for each of keys and values
    **{"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 2, "intermediate_size": 20, "head_dim": 6},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 40},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
}


def sites(config: Config) -> list[SiteShape]:
    """Self-attentions, then FFNs."""
    d, f, width = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, kv_heads, layers = config["num_attention_heads"], config["num_key_value_heads"], config["num_hidden_layers"]
    biases = {"bias": config["attention_bias"]}
    attention = {
        "query": LinearShape(d_in=d, d_out=heads * width, **biases),
        "key": LinearShape(d_in=d, d_out=kv_heads * width, **biases),
        "value": LinearShape(d_in=d, d_out=kv_heads * width, **biases),
        "output": LinearShape(d_in=heads * width, d_out=d, **biases),
    }
    biases = {"bias": config["mlp_bias"]}
    ffn = {
        "gate": LinearShape(d_in=d, d_out=f, **biases),
        "up": LinearShape(d_in=d, d_out=f, **biases),
        "down": LinearShape(d_in=f, d_out=d, **biases),
    }
    shared = {"slot": Slot.ATTN, "width": d, "n_heads": heads, "n_kv_heads": kv_heads, "head_width": width}
    return [
        *(SiteShape(**shared, kind="decoder_self", layer=i, linears=attention) for i in range(layers)),
        *(SiteShape(slot=Slot.FFN, width=d, kind="decoder_ffn", layer=i, linears=ffn) for i in range(layers)),
    ]


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Token embeddings, twice if the output's are untied, and an RMSNorm before each sub-layer and at the end.

    A classifier has no output embeddings, but a head of one matrix.
    """
    d, n_tables = config["hidden_size"], 1 if config["tie_word_embeddings"] or n_labels else 2
    return Surroundings(
        embeddings=n_tables * config["vocab_size"] * d,
        norms=(d,) * (2 * config["num_hidden_layers"] + 1),
        norms_have_biases=False,
        head=(LinearShape(d_in=d, d_out=n_labels, bias=False),) if n_labels else (),
    )


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.attention import AttentionHost
    from unidelta.hosts.output import OutputHost
    from unidelta.hosts.site import Hosting, Site

    stack: Any = model.get_decoder()
    attention_places = (Representation.HEADS, Representation.CONCAT, Representation.SUBLAYER)
    found: list[Site] = []
    for i, layer in enumerate(stack.layers):
        attention = layer.self_attn
        hosting = Hosting(module=attention, host=AttentionHost, settings={"query": "q_proj"})
        linears = {"query": attention.q_proj, "key": attention.k_proj, "value": attention.v_proj}
        found.append(
            Site(
                hosts=dict.fromkeys(attention_places, hosting),
                linears={**linears, "output": attention.o_proj},
                dropout=attention.attention_dropout,
                kind="decoder_self",
                layer=i,
                stack=stack,
            )
        )
    for i, layer in enumerate(stack.layers):
        ffn = layer.mlp
        found.append(
            Site(
                hosts={
                    Representation.SUBLAYER: Hosting(module=ffn, host=OutputHost),
                    Representation.LAYER: Hosting(module=layer, host=OutputHost),
                },
                linears={"gate": ffn.gate_proj, "up": ffn.up_proj, "down": ffn.down_proj},
                dropout=0.0,
                kind="decoder_ffn",
                layer=i,
                stack=stack,
            )
        )
    return found


FAMILIES.register(
    Family(
        name="llama",
        kind="decoder",
        is_pre_norm=True,
        keys=(
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "max_position_embeddings",
        ),
        optional={
            "num_key_value_heads": lambda config: config["num_attention_heads"],
            "head_dim": lambda config: config["hidden_size"] // config["num_attention_heads"],
            "attention_bias": lambda config: False,
            "mlp_bias": lambda config: False,
            "tie_word_embeddings": lambda config: False,
        },
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=_TINY,
        head="score",
        sources=(Source.SUBLAYER_INPUT,),
        dropouts=(None, "attention_dropout"),
    )
)
