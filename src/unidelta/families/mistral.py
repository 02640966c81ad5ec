"""Mistral (Jiang et al. 2023): Llama without biases, in which a token sees a window of those before it.

A prefix stands outside the window: every token sees all of it.
"""

from dataclasses import replace

from unidelta.design.family import FAMILIES
from unidelta.families import llama

OPTIONAL = {key: meaning for key, meaning in llama.OPTIONAL.items() if not key.endswith("_bias")}

FAMILIES.register(
    replace(
        FAMILIES["llama"],
        name="mistral",
        optional=OPTIONAL,
        sites=lambda config: llama.sites({**config, "attention_bias": False, "mlp_bias": False}),
        tiny={**llama.TINY, "sliding_window": 4},
    )
)
