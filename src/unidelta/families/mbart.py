"""mBART (Liu et al. 2020): BART's sizes, with the layer norm before the sub-layer and one more at each stack's end."""

from functools import partial
from typing import TYPE_CHECKING

from unidelta.design.family import FAMILIES, Family, Released
from unidelta.families.bart import KEYS, TINY, odd, sites, surroundings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The sites in a model."""
    from unidelta.hosts.encoder_decoder import encoder_decoder_sites
    from unidelta.hosts.mbart import MBartLayer

    return encoder_decoder_sites(model, layer=MBartLayer)


FAMILIES.register(
    Family(
        name="mbart",
        kind="encoder-decoder",
        is_pre_norm=True,
        keys=KEYS,
        sites=sites,
        surroundings=partial(surroundings, n_other_norms=4),
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=TINY,
        odd=odd,
        dropouts=("dropout", "attention_dropout"),
        encoder_positions="embed_positions",
        released=Released(ffn_adapter_reads_stream=True),
        has_languages=True,
    )
)
