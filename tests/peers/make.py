"""Write what peft computes into golden files; run in an environment of its own: `pip install peft==0.21.2`.

    python -m tests.peers.make tests/peers [CASE ...]

One file a case, `<method>_<family>.safetensors`: the weights of a tiny random backbone, peft's own parameters, a batch,
and in float64 the logits, the loss, the gradients of peft's parameters and, if it merges, the logits after merging.
Metadata names the packages and versions.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import peft
import torch
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from ..float64 import kept_float64

BART = {
    **{"vocab_size": 23, "d_model": 8, "max_position_embeddings": 16, "encoder_layers": 2, "decoder_layers": 1},
    **{"encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
    **{"dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0},
}
TOKENS = {"vocab_size": 23, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
LLAMA = {
    **TOKENS,
    **{"hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"num_key_value_heads": 2, "max_position_embeddings": 16, "tie_word_embeddings": True, "head_dim": 2},
}
WINDOW = {"sliding_window": 3}
GPT2 = {
    **{**TOKENS, "n_embd": 8, "n_inner": 6, "n_layer": 2, "n_head": 2, "n_positions": 16},
    **{"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
}
T5 = {
    **{**TOKENS, "d_model": 8, "d_kv": 3, "d_ff": 6, "num_layers": 1, "num_heads": 2, "dropout_rate": 0.0},
    **{"feed_forward_proj": "gated-gelu", "decoder_start_token_id": 2, "relative_attention_num_buckets": 8},
}
MODERNBERT = {
    **{**TOKENS, "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"max_position_embeddings": 16, "local_attention": 4, "layer_types": ["full_attention", "sliding_attention"]},
    **{"cls_token_id": 0, "sep_token_id": 2, "classifier_pooling": "mean", "num_labels": 3},
}


def lora(*modules: str) -> Callable[[], peft.PeftConfig]:
    """Rank 2 and s = 3."""
    return lambda: peft.LoraConfig(r=2, lora_alpha=6, target_modules=list(modules), lora_dropout=0.0)


QV = lora("q_proj", "v_proj")
CASES: dict[str, tuple[str, dict, Callable[[], peft.PeftConfig]]] = {
    "ia3_bart": (
        "bart",
        BART,
        lambda: peft.IA3Config(target_modules=["k_proj", "v_proj", "fc2"], feedforward_modules=["fc2"]),
    ),
    "ia3_llama": (
        "llama",
        LLAMA,
        lambda: peft.IA3Config(target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]),
    ),
    "prefix_llama": ("llama", LLAMA, lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
    "lora_llama": ("llama", LLAMA, QV),
    "lora_mistral": ("mistral", {**LLAMA, **WINDOW}, QV),
    "lora_qwen3": ("qwen3", {**LLAMA, **WINDOW, "use_sliding_window": True, "max_window_layers": 1}, QV),
    "lora_gemma3": (
        "gemma3_text",
        {**LLAMA, **WINDOW, "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 5},
        QV,
    ),
    "lora_gpt2": ("gpt2", GPT2, lora("c_attn")),  # one update of all three maps
    "lora_t5": ("t5", T5, lora("q", "v")),
    "lora_modernbert": ("modernbert", MODERNBERT, lora("Wqkv")),
}
SEQ2SEQ, ENCODERS = ("bart", "t5"), ("modernbert",)


def batch(family: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 23, (3, 6), generator=generator)
    mask = torch.ones_like(ids)
    ids[1, 4:], mask[1, 4:] = 1, 0
    labels = ids.masked_fill(mask == 0, -100)
    if family in SEQ2SEQ:
        labels = torch.randint(3, 23, (3, 5), generator=generator)
    if family in ENCODERS:
        labels = torch.tensor([2, 0, 1])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def backbone(family: str, sizes: dict) -> PreTrainedModel:
    torch.manual_seed(1)
    loader = AutoModelForSeq2SeqLM if family in SEQ2SEQ else AutoModelForCausalLM
    loader = AutoModelForSequenceClassification if family in ENCODERS else loader
    model = loader.from_config(AutoConfig.for_model(family, **sizes))
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.double().eval()


def make(name: str, folder: Path) -> None:
    family, sizes, config = CASES[name]
    model = backbone(family, sizes)
    weights = {id(tensor): (key, tensor.clone()) for key, tensor in model.state_dict(keep_vars=True).items()}  # once
    tensors = {f"backbone/{key}": tensor.detach() for key, tensor in weights.values()}
    wrapped = peft.get_peft_model(model, config()).double().eval()
    generator = torch.Generator().manual_seed(2)
    trained = {key: parameter for key, parameter in wrapped.named_parameters() if parameter.requires_grad}
    for parameter in trained.values():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    inputs = batch(family)
    output = wrapped(**inputs)
    output.loss.backward()
    for key, parameter in trained.items():
        tensors[f"tuned/{key}"], tensors[f"gradient/{key}"] = parameter.detach().clone(), parameter.grad.clone()
    tensors |= {f"batch/{key}": tensor for key, tensor in inputs.items()}
    tensors |= {"logits": output.logits.detach(), "loss": output.loss.detach()}
    if not isinstance(config(), peft.PromptLearningConfig):
        tensors["merged_logits"] = wrapped.merge_and_unload()(**inputs).logits.detach()
    packages = {package: version(package) for package in ("peft", "torch", "transformers")}
    metadata = {"family": family, "config": json.dumps(sizes), "packages": json.dumps(packages)}
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / f"{name}.safetensors", metadata)


if __name__ == "__main__":
    with kept_float64():
        for case in sys.argv[2:] or CASES:
            make(case, Path(sys.argv[1]))
