"""Marian (Junczys-Dowmunt et al. 2018; OPUS-MT): BART's layers, sinusoidal positions, and no norm of the embeddings."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from unidelta.design.family import FAMILIES, Config, Released
from unidelta.families import bart


def odd(config: Config) -> Iterator[str]:
    """What BART may have, and a vocabulary for each language."""
    yield from bart.odd(config)
    if config.get("share_encoder_decoder_embeddings") is False:
        yield "its stacks have embeddings of their own"


FAMILIES.register(
    replace(
        FAMILIES["bart"],
        name="marian",
        surroundings=partial(bart.surroundings, n_other_norms=0, is_sinusoidal=True),
        odd=odd,
        tiny={**bart.TINY, "scale_embedding": True},
        encoder_scale="embed_scale",
        released=Released(),
    )
)
