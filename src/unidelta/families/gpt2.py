"""GPT-2 (Radford et al. 2019): decoder only, with the norm before the sub-layer and learned positions.

Query, key and value are one map, whose weight is stored transposed. Both sub-layers end in their dropout, so a delta
at their output comes after it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from unidelta.design.architecture import Surroundings
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape
from unidelta.families import bert

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

TINY = {
    **{"vocab_size": 41, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_inner": 20, "n_positions": 40},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
}

_AS_BERT = {
    "hidden_size": "n_embd",
    "intermediate_size": "n_inner",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}


def sites(config: Config) -> list[SiteShape]:
    """Self-attentions, then FFNs: of BERT's shapes."""
    return bert.sites({theirs: config[own] for theirs, own in _AS_BERT.items()}, stack="decoder")


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Token embeddings (twice if the output's are untied), learned positions, two norms a layer and one at the end.

    A classifier has no embeddings of the output, but a head of one matrix.
    """
    d, n_tables = config["n_embd"], 1 if config["tie_word_embeddings"] or n_labels else 2
    n_rows = n_tables * config["vocab_size"] + config["n_positions"]
    head = (LinearShape(d_in=d, d_out=n_labels, bias=False),) if n_labels else ()
    return Surroundings(embeddings=n_rows * d, norms=(d,) * (2 * config["n_layer"] + 1), head=head)


def odd(config: Config) -> Iterator[str]:
    """Logits that are scaled in other ways, and attention to a source."""
    if config.get("scale_attn_weights") is False or config.get("scale_attn_by_inverse_layer_idx"):
        yield "its attention does not divide by √d_h alone"
    if config.get("reorder_and_upcast_attn"):
        yield "its attention is computed in float32 by code of its own (reorder_and_upcast_attn)"
    if config.get("add_cross_attention"):
        yield "it attends to a source"


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.named import AttentionNames, FfnNames, attentions, ffns

    stack: Any = model.base_model
    maps = {**dict.fromkeys(("query", "key", "value"), "c_attn"), "output": "c_proj"}
    names = AttentionNames(module="attn", linears=maps, dropout=lambda own: own.attn_dropout.p)
    maps = {"up": "c_fc", "down": "c_proj"}
    return [
        *attentions(stack, stack.h, "decoder_self", names),
        *ffns(stack, stack.h, "decoder_ffn", FfnNames(module="mlp", linears=maps, norm="ln_2")),
    ]


FAMILIES.register(
    Family(
        name="gpt2",
        kind="decoder",
        is_pre_norm=True,
        keys=("vocab_size", "n_embd", "n_layer", "n_head", "n_positions"),
        optional={
            "n_inner": lambda config: 4 * config["n_embd"],
            "tie_word_embeddings": lambda config: True,
        },
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["n_positions"],
        hosts=hosts,
        tiny=TINY,
        head="score",
        odd=odd,
        dropouts=("resid_pdrop", "attn_pdrop"),
        takes_positions=True,
    )
)
