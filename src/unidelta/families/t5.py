"""T5 (Raffel et al. 2020) and FLAN-T5: an encoder-decoder with the norm before the sub-layer and no biases.

Logits are not divided by √d_h; relative positions add a bias to them, 0 for a prefix and its due to a prompt, which is
part of the source. Heads may be narrower than the model together, and FFNs gated.
"""

from typing import TYPE_CHECKING, Any

from unidelta.design.architecture import Surroundings
from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape, in_every_layer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

KEYS = ("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads", "relative_attention_num_buckets")
TINY = {
    **{"vocab_size": 41, "d_model": 12, "d_kv": 5, "d_ff": 20, "num_layers": 3, "num_decoder_layers": 2},
    **{"num_heads": 3, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 6},
    **{"feed_forward_proj": "gated-gelu", "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2},
}


def sites(config: Config) -> list[SiteShape]:
    """Encoder self, decoder self and cross attentions, then the FFNs of both stacks."""
    d, f, heads, width = (config[key] for key in ("d_model", "d_ff", "num_heads", "d_kv"))
    attention = {role: LinearShape(d_in=d, d_out=heads * width, bias=False) for role in ("query", "key", "value")}
    attention["output"] = LinearShape(d_in=heads * width, d_out=d, bias=False)
    roles = ("gate", "up") if config["feed_forward_proj"].startswith("gated-") else ("up",)
    ffn = {role: LinearShape(d_in=d, d_out=f, bias=False) for role in roles}
    ffn["down"] = LinearShape(d_in=f, d_out=d, bias=False)
    encoder, decoder = config["num_layers"], config["num_decoder_layers"]
    shared = {"slot": Slot.ATTN, "width": d, "n_heads": heads, "n_kv_heads": heads, "head_width": width}
    kinds = {"encoder_self": encoder, "decoder_self": decoder, "decoder_cross": decoder}
    return [
        *in_every_layer(kinds, **shared, logits_times=1.0, linears=attention),
        *in_every_layer({"encoder_ffn": encoder, "decoder_ffn": decoder}, slot=Slot.FFN, width=d, linears=ffn),
    ]


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Token embeddings (twice if the output's are untied), a bias for each bucket of both stacks, and RMSNorms."""
    d, n_tables = config["d_model"], 2 if _untied(config) else 1
    n_norms = 2 * config["num_layers"] + 3 * config["num_decoder_layers"] + 2
    n = n_tables * config["vocab_size"] * d + 2 * config["relative_attention_num_buckets"] * config["num_heads"]
    return Surroundings(embeddings=n, norms=(d,) * n_norms, norms_have_biases=False)


def _untied(config: Config) -> tuple[str, ...]:
    """T5 1.1 and FLAN-T5, which do not scale the decoder's output, have a head of their own."""
    return () if config["scale_decoder_outputs"] else ("lm_head.weight",)


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.attention import BiasedAttentionHost
    from unidelta.hosts.named import AttentionNames, FfnNames, attentions, ffns

    def attention(module: str) -> AttentionNames:
        maps = {"query": "q", "key": "k", "value": "v", "output": "o"}
        return AttentionNames(module=module, linears=maps, dropout=lambda own: own.dropout, host=BiasedAttentionHost)

    def ffn(layer: str) -> FfnNames:
        maps = {"gate": "wi_0", "up": "wi_1"} if model.config.is_gated_act else {"up": "wi"}
        return FfnNames(module=f"{layer}.DenseReluDense", linears={**maps, "down": "wo"}, norm=f"{layer}.layer_norm")

    encoder: Any = model.get_encoder()
    decoder: Any = model.get_decoder()
    return [
        *attentions(encoder, encoder.block, "encoder_self", attention("layer.0.SelfAttention")),
        *attentions(decoder, decoder.block, "decoder_self", attention("layer.0.SelfAttention")),
        *attentions(decoder, decoder.block, "decoder_cross", attention("layer.1.EncDecAttention")),
        *ffns(encoder, encoder.block, "encoder_ffn", ffn("layer.1")),
        *ffns(decoder, decoder.block, "decoder_ffn", ffn("layer.2")),
    ]


FAMILIES.register(
    Family(
        name="t5",
        kind="encoder-decoder",
        is_pre_norm=True,
        keys=KEYS,
        optional={
            "num_decoder_layers": lambda config: config["num_layers"],
            "feed_forward_proj": lambda config: "relu",
            "scale_decoder_outputs": lambda config: config.get("tie_word_embeddings") is not False,
        },
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: 2**20,  # they are relative, so any length will do
        hosts=hosts,
        tiny=TINY,
        dropouts=("dropout_rate", None),
        untied=_untied,
    )
)
