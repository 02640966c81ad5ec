"""Designs that other libraries can say, on tiny backbones in float64 with every trained number moved."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

import unidelta
from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot, TextStart
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.injection.injection import Injection

SIZES: dict[str, dict[str, Any]] = {
    "bart": {
        **{"vocab_size": 23, "d_model": 8, "max_position_embeddings": 16, "encoder_layers": 1, "decoder_layers": 1},
        **{"encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
        **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
        **{"dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0},
    },
    "roberta": {
        **{"vocab_size": 23, "hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 12, "num_labels": 3},
        **{"num_attention_heads": 2, "max_position_embeddings": 16, "type_vocab_size": 1, "pad_token_id": 1},
        **{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    },
    "llama": {
        **{"vocab_size": 23, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "head_dim": 4},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32},
        **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "tie_word_embeddings": True},
    },
    "gpt2": {
        **{"vocab_size": 23, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_inner": 12, "n_positions": 32},
        **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
        **{"resid_pdrop": 0.0, "attn_pdrop": 0.0, "embd_pdrop": 0.0},
    },
    "t5": {
        **{"vocab_size": 23, "d_model": 8, "d_kv": 4, "d_ff": 12, "num_layers": 1, "num_heads": 2},
        **{"dropout_rate": 0.0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
    },
}
SIZES["bert"] = SIZES["roberta"]
SIZES |= {family: dict(SIZES["llama"]) for family in ("mistral", "qwen3")}
ATTENTION, FFN = ("query", "key", "value", "output"), ("up", "down")


def part(slot: str, form: str, insertion: str = "parallel", bottleneck: int = 3, **fields: Any) -> DeltaSpec:
    """A delta at a sub-layer, or at linear maps if it has targets."""
    changed = {"low_rank": "linear", "diagonal": "linear", "block_rotation": "input", "prefix": "heads"}.get(
        form, "sublayer"
    )
    stated = {"composition": "additive", "representation": changed, "dropout": 0.0, "bias": form == "bottleneck"}
    stated |= {"insertion": insertion, "bottleneck": bottleneck, "init": FORMS[form].inits[0], **fields}
    for name, axis in (("insertion", Insertion), ("representation", Representation), ("text_start", TextStart)):
        if name in stated:
            stated[name] = axis(stated[name])
    return DeltaSpec(slot=Slot(slot), form=form, **stated)


def lora(slot: str, *targets: str, rank: int = 2, scale: float = 8 / 3, **fields: Any) -> DeltaSpec:
    stated = {"composition": "scaled", "scale": scale, "targets": targets, "init": Init.LORA}
    return part(slot, "low_rank", bottleneck=rank, **{**stated, **fields})


def ia3(slot: str, *targets: str) -> DeltaSpec:
    return part(slot, "diagonal", "sequential", 0, targets=targets, dropout=None)


def prefix(**fields: Any) -> DeltaSpec:
    return part("attn", "prefix", bottleneck=3, **{"composition": "gated", "dropout": None, **fields})


_DORA = {"composition": "magnitude_direction", "scale": 0.5}
_SEED = {"init": Init.LORA, "options": (("projection_seed", 3), ("d_start", 0.1))}
_PEFT_LORA = {
    "lora": (lora("attn", "query", "value", rank=3),),
    "lora_everywhere": (lora("attn", *ATTENTION, rank=2, scale=0.1), lora("ffn", *FFN, rank=3, scale=7.0)),
    "lora_ffn": (lora("ffn", "down", rank=1, scale=1 / 3),),
}
_LATER = {
    "rslora": (lora("attn", "key", scale=8.0, composition="rank_stabilised"),),
    "dora": (lora("attn", "query", "value", composition="magnitude_direction"), lora("ffn", "up", rank=3, **_DORA)),
    "vera": (part("attn", "low_rank", bottleneck=5, generator="frozen", targets=("query", "value"), **_SEED),),
    "oft": (part("attn", "block_rotation", bottleneck=4, composition="rotated", targets=("query", "output")),),
    "two_ranks": (lora("attn", "query"), lora("attn", "value", rank=4, scale=2.0)),
}
_IA3 = {"ia3": (ia3("attn", "key", "value"), ia3("ffn", "inner"))}
PEFT: Mapping[str, Mapping[str, tuple[DeltaSpec, ...]]] = {
    "bart": {**_PEFT_LORA, **_IA3, **_LATER},
    "roberta": {**_PEFT_LORA, **_IA3},
    "llama": {
        **_PEFT_LORA,
        **_IA3,
        **_LATER,
        "layer": (lora("attn", "query", layers="1"),),
        "prefix": (prefix(text_start="length"),),
        "prompt": (),
    },
    "t5": {"prompt": ()},
    "gpt2": {
        "lora": (lora("attn", "output"), lora("ffn", *FFN, scale=0.7)),
        "prefix": (prefix(text_start="length"),),
        "prompt": (),
    },
    "mistral": {"lora": (lora("attn", *ATTENTION),), "prefix": (prefix(text_start="length"),)},
    "qwen3": {"lora": (lora("ffn", "gate", *FFN),), "prefix": (prefix(text_start="length"),)},
}
_BOTTLENECKS = {
    "houlsby": tuple(part(slot, "bottleneck", "sequential", layer_norm=LayerNorm.IN) for slot in ("attn", "ffn")),
    "pfeiffer": (part("ffn", "bottleneck", "sequential", representation="residual"),),
    "after_norm": (part("ffn", "bottleneck", "sequential", 5, representation="layer"),),
    "parallel": (part("ffn", "bottleneck", layer_norm=LayerNorm.OUT, composition="scaled", scale=0.3),),
    "parallel_both": (part("attn", "bottleneck"), part("ffn", "bottleneck", bottleneck=7, composition="learned_scale")),
    "no_bias": (part("ffn", "bottleneck", bias=False),),
    "mam": (prefix(), part("ffn", "bottleneck", bottleneck=5, composition="scaled", scale=4.0)),
    "prefix": (prefix(),),
    "lora": (lora("attn", "query", "value", rank=3), lora("ffn", "up", "down", rank=3)),
    "prefix_lora": (prefix(), lora("ffn", "up", rank=2, scale=4.0)),
}
ADAPTERS: Mapping[str, Mapping[str, tuple[DeltaSpec, ...]]] = {"bart": _BOTTLENECKS, "roberta": _BOTTLENECKS}


def stock(family: str) -> PreTrainedModel:
    """A backbone with weights far enough from zero, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = MODEL_CLASSES[FAMILIES[family].kind].from_config(AutoConfig.for_model(family, **SIZES[family]))
        for parameter in model.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
    return model.double().eval()


def design_of(family: str, parts: tuple[DeltaSpec, ...]) -> unidelta.Design:
    from unidelta.design.spec import PromptTuning

    return Deltas(parts=parts, trains_head=family == "roberta") if parts else PromptTuning(length=3)


def moved(model: PreTrainedModel, design: unidelta.Design) -> Injection:
    """A design in a model, with every trained number moved away from its start."""
    deltas = unidelta.inject(model, design)
    generator = torch.Generator().manual_seed(2)
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data = parameter.data.float().double()  # golden files keep half the bytes
    model.eval()
    return deltas


def batch(family: str) -> dict[str, Tensor]:
    """Three texts of 6 tokens, one of them with padding behind it."""
    generator = torch.Generator().manual_seed(5)
    inputs = {"input_ids": torch.randint(3, 23, (3, 6), generator=generator)}
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    inputs["input_ids"][1, 4:], inputs["attention_mask"][1, 4:] = 1, 0
    if FAMILIES[family].is_encoder_decoder:
        inputs["decoder_input_ids"] = torch.randint(3, 23, (3, 5), generator=generator)
    return inputs


@torch.no_grad()
def logits(model: PreTrainedModel, family: str) -> Tensor:
    return model(**batch(family)).logits
