"""Llama (Touvron et al. 2023; Dubey et al. 2024) and similar: decoder only, with the norm before the sub-layer.

Grouped-query attention (keys and values have fewer heads), rotary positions, RMSNorm, and a gated FFN
`down(act(gate(x)) ⊙ up(x))`.
"""

from typing import TYPE_CHECKING, Any

from unidelta.design.architecture import Surroundings
from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape, in_every_layer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

KEYS = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    "max_position_embeddings",
)
OPTIONAL = {
    "num_key_value_heads": lambda config: config["num_attention_heads"],
    "head_dim": lambda config: config["hidden_size"] // config["num_attention_heads"],
    "attention_bias": lambda config: False,
    "mlp_bias": lambda config: False,
    "tie_word_embeddings": lambda config: False,
}
TINY = {  # heads that are wider than the model together, two queries' heads for each of keys and values
    **{"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 2, "intermediate_size": 20, "head_dim": 6},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 40},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
}


def sites(config: Config, *, logits_times: float | None = None, stack: str = "decoder") -> list[SiteShape]:
    """Self-attentions, then FFNs."""
    d, f, width = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, kv_heads, layers = config["num_attention_heads"], config["num_key_value_heads"], config["num_hidden_layers"]
    widths = {"query": heads * width, "key": kv_heads * width, "value": kv_heads * width}
    biases = {"bias": config["attention_bias"]}
    attention = {role: LinearShape(d_in=d, d_out=n, **biases) for role, n in widths.items()}
    attention["output"] = LinearShape(d_in=heads * width, d_out=d, **biases)
    biases = {"bias": config["mlp_bias"]}
    ffn = {role: LinearShape(d_in=d, d_out=f, **biases) for role in ("gate", "up")}
    ffn["down"] = LinearShape(d_in=f, d_out=d, **biases)
    shared = {"slot": Slot.ATTN, "width": d, "n_heads": heads, "n_kv_heads": kv_heads, "head_width": width}
    shared["logits_times"] = logits_times
    return [
        *in_every_layer({f"{stack}_self": layers}, **shared, linears=attention),
        *in_every_layer({f"{stack}_ffn": layers}, slot=Slot.FFN, width=d, linears=ffn),
    ]


def surroundings(config: Config, n_labels: int, *, norms_of_layer: int = 2, norms_of_heads: int = 0) -> Surroundings:
    """Token embeddings, RMSNorms (of layers, of heads, at the end); for the output, untied embeddings or a head."""
    d, layers = config["hidden_size"], config["num_hidden_layers"]
    embeddings = config["vocab_size"] * d * (1 if config["tie_word_embeddings"] or n_labels else 2)
    norms = (d,) * (norms_of_layer * layers + 1) + (config["head_dim"],) * (norms_of_heads * layers)
    head = (LinearShape(d_in=d, d_out=n_labels, bias=False),) if n_labels else ()
    return Surroundings(embeddings=embeddings, norms=norms, norms_have_biases=False, head=head)


def hosts(model: "PreTrainedModel", *, ffn_norm: str = "post_attention_layernorm", **attention: Any) -> "list[Site]":
    """The same sites in a model; `attention` are more names of it."""
    from unidelta.hosts.named import AttentionNames, FfnNames, attentions, ffns

    stack: Any = model.get_decoder()
    maps = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj"}
    names = AttentionNames(
        module="self_attn", linears=maps, dropout=lambda own: own.attention_dropout, rotary="rotary_emb", **attention
    )
    maps = {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
    return [
        *attentions(stack, stack.layers, "decoder_self", names),
        *ffns(stack, stack.layers, "decoder_ffn", FfnNames(module="mlp", linears=maps, norm=ffn_norm)),
    ]


FAMILIES.register(
    Family(
        name="llama",
        kind="decoder",
        is_pre_norm=True,
        keys=KEYS,
        optional=OPTIONAL,
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=TINY,
        head="score",
        dropouts=(None, "attention_dropout"),
        is_rotary=True,
        takes_positions=True,
    )
)
