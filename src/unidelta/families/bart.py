"""BART (Lewis et al. 2020): an encoder-decoder in which the layer norm follows the residual sum."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unidelta.design.architecture import Surroundings
from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Config, Family, Released
from unidelta.design.site import LinearShape, SiteShape, in_every_layer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

KEYS = (
    *("vocab_size", "d_model", "encoder_layers", "decoder_layers", "encoder_ffn_dim", "decoder_ffn_dim"),
    *("encoder_attention_heads", "decoder_attention_heads", "max_position_embeddings"),
)
TINY = {
    **{"vocab_size": 41, "d_model": 12, "max_position_embeddings": 40, "encoder_layers": 2, "decoder_layers": 3},
    **{"encoder_ffn_dim": 20, "decoder_ffn_dim": 20, "encoder_attention_heads": 3, "decoder_attention_heads": 3},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
    "forced_eos_token_id": None,
}
_FIRST_POSITION = 2  # of the learned ones


def sites(config: Config) -> list[SiteShape]:
    """Encoder self, decoder self and cross attentions, then the FFNs of both stacks."""
    d, heads = config["d_model"], config["encoder_attention_heads"]
    square = LinearShape(d_in=d, d_out=d)
    attention = {role: square for role in ("query", "key", "value", "output")}
    ffn = {
        "up": LinearShape(d_in=d, d_out=config["encoder_ffn_dim"]),
        "down": LinearShape(d_in=config["encoder_ffn_dim"], d_out=d),
    }
    encoder, decoder = config["encoder_layers"], config["decoder_layers"]
    shared = {"slot": Slot.ATTN, "width": d, "n_heads": heads, "n_kv_heads": heads, "head_width": d // heads}
    kinds = {"encoder_self": encoder, "decoder_self": decoder, "decoder_cross": decoder}
    return [
        *in_every_layer(kinds, **shared, linears=attention),
        *in_every_layer({"encoder_ffn": encoder, "decoder_ffn": decoder}, slot=Slot.FFN, width=d, linears=ffn),
    ]


def surroundings(config: Config, n_labels: int, *, n_other_norms: int = 2, is_sinusoidal: bool = False) -> Surroundings:
    """Tied token embeddings, positions of both stacks, the norms of layers, and others: of embeddings, of stacks."""
    d = config["d_model"]
    n_norms = 2 * config["encoder_layers"] + 3 * config["decoder_layers"] + n_other_norms
    positions = 2 * d * (config["max_position_embeddings"] + (0 if is_sinusoidal else _FIRST_POSITION))
    return Surroundings(
        embeddings=config["vocab_size"] * d + positions,
        norms=(d,) * n_norms,
        fixed=positions if is_sinusoidal else 0,
    )


def odd(config: Config) -> Iterator[str]:
    """Encoder and decoder sizes that differ, and untied embeddings."""
    for name in ("ffn_dim", "attention_heads"):
        encoder, decoder = f"encoder_{name}", f"decoder_{name}"
        if config[decoder] != config[encoder]:
            yield f"{decoder} differs from {encoder}"
    if config.get("tie_word_embeddings") is False:
        yield "its embeddings are not tied"


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.encoder_decoder import encoder_decoder_sites
    from unidelta.hosts.inline_ffn import BartLayer

    return encoder_decoder_sites(model, layer=BartLayer)


FAMILIES.register(
    Family(
        name="bart",
        kind="encoder-decoder",
        is_pre_norm=False,
        keys=KEYS,
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=TINY,
        odd=odd,
        dropouts=("dropout", "attention_dropout"),
        encoder_positions="embed_positions",
        released=Released(norms_multihead_query=True),
    )
)
