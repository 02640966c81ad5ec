"""Frozen linear weights in 8 or 4 bits, by bitsandbytes; embeddings, norms, heads and deltas stay in float32."""

from typing import Any

import torch
from transformers import BitsAndBytesConfig

from unidelta.backbones.loading import Loading
from unidelta.design.family import Family


def quantisation(how: Loading, family: Family) -> dict[str, Any]:
    """The keyword arguments of `from_pretrained`; none for a run that quantises nothing."""
    if how.quantised == "none":
        return {}
    whole = ["lm_head", *([family.head] if family.head else [])]
    if how.quantised == "8bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=whole)}
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=getattr(torch, how.arithmetic),
            llm_int8_skip_modules=whole,
        )
    }
