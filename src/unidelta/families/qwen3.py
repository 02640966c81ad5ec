"""Qwen3 (Yang et al. 2025): Llama whose queries and keys are normalised, one head at a time, before the rotation.

P_k joins the keys behind their norm. With `use_sliding_window`, the last layers have windows; a prefix stands outside.
"""

from dataclasses import replace
from functools import partial

from unidelta.design.family import FAMILIES
from unidelta.families import llama

FAMILIES.register(
    replace(
        FAMILIES["llama"],
        name="qwen3",
        optional={
            **{key: meaning for key, meaning in llama.OPTIONAL.items() if key != "mlp_bias"},
            "head_dim": lambda config: 128,
        },
        sites=lambda config: llama.sites({**config, "mlp_bias": False}),
        surroundings=partial(llama.surroundings, norms_of_heads=2),
        hosts=partial(llama.hosts, head_norms=("q_norm", "k_norm")),
        tiny={**llama.TINY, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    )
)
