"""Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases of queries, keys and values, and of no other map.

With `use_sliding_window`, the last layers have windows; a prefix stands outside.
"""

from dataclasses import replace

from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Config
from unidelta.design.site import SiteShape
from unidelta.families import llama


def sites(config: Config) -> list[SiteShape]:
    """Self-attentions, then FFNs."""
    shapes = llama.sites({**config, "attention_bias": True, "mlp_bias": False})
    output = replace(shapes[0].linears["output"], bias=False)
    return [
        replace(shape, linears={**shape.linears, "output": output}) if shape.slot is Slot.ATTN else shape
        for shape in shapes
    ]


FAMILIES.register(
    replace(
        FAMILIES["llama"],
        name="qwen2",
        optional={key: meaning for key, meaning in llama.OPTIONAL.items() if not key.endswith("_bias")},
        sites=sites,
        tiny={**llama.TINY, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    )
)
