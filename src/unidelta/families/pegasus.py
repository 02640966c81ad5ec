"""PEGASUS (Zhang et al. 2020): mBART's layers, sinusoidal positions, and no norm of the embeddings."""

from dataclasses import replace
from functools import partial

from unidelta.design.family import FAMILIES, Released
from unidelta.families import bart

FAMILIES.register(
    replace(
        FAMILIES["mbart"],
        name="pegasus",
        surroundings=partial(bart.surroundings, n_other_norms=2, is_sinusoidal=True),
        tiny={**bart.TINY, "scale_embedding": True},
        encoder_scale="embed_scale",
        released=Released(),
        has_languages=False,
    )
)
