"""mBART (Liu et al. 2020): BART's sizes, with the layer norm before the sub-layer and one more at each stack's end."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from unidelta.design.family import FAMILIES, Released
from unidelta.families import bart

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The sites in a model."""
    from unidelta.hosts.encoder_decoder import encoder_decoder_sites
    from unidelta.hosts.inline_ffn import MBartLayer

    return encoder_decoder_sites(model, layer=MBartLayer)


FAMILIES.register(
    replace(
        FAMILIES["bart"],
        name="mbart",
        is_pre_norm=True,
        surroundings=partial(bart.surroundings, n_other_norms=4),
        hosts=hosts,
        released=Released(ffn_adapter_reads_stream=True),
        has_languages=True,
    )
)
