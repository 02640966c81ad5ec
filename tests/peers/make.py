"""Write what peft computes into golden files; run in an environment of its own: `pip install peft==0.21.2`.

    python -m tests.peers.make tests/peers [CASE ...]

One file a case, `<method>_<family>.safetensors`: peft's own parameters, and in float64 the logits, the loss, the
gradients of peft's parameters and, if it merges, what merging changes and the logits after it. The weights of a tiny
random backbone and a batch are in the same file, or where many methods are compared on one backbone in a file of its
own, `<family>.safetensors`. Metadata names the packages and versions, and what was asked of peft.

peft takes W apart for PiSSA in float32 only: what it took away and left is kept in the file.
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
DEEP_LLAMA = {
    **{"vocab_size": 23, "hidden_size": 8, "num_hidden_layers": 3, "intermediate_size": 12},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 16},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
}
BACKBONES = {"bart": BART, "llama": DEEP_LLAMA}
"""Those in files of their own."""
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


Config = Callable[[], peft.PeftConfig]
QV = lora("q_proj", "v_proj")
INSIDE: dict[str, tuple[str, dict, Config]] = {
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
    "prefix_qwen2": ("qwen2", LLAMA, lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
    "lora_llama": ("llama", LLAMA, QV),
    "lora_qwen2": ("qwen2", {**LLAMA, **WINDOW, "use_sliding_window": True, "max_window_layers": 1}, QV),
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
"""The backbone and what is asked of peft, where the backbone is in the same file."""
MAPS = {"target_modules": ["q_proj", "v_proj"]}
BESIDE: dict[str, Config] = {
    "dora_bart": lambda: peft.LoraConfig(r=4, lora_alpha=8, use_dora=True, **MAPS),
    "rslora_bart": lambda: peft.LoraConfig(r=4, lora_alpha=8, use_rslora=True, **MAPS),
    "pissa_bart": lambda: peft.LoraConfig(r=4, lora_alpha=8, init_lora_weights="pissa", **MAPS),
    "vera_bart": lambda: peft.VeraConfig(r=4, **MAPS),
    "miss_bart": lambda: peft.MissConfig(r=3, **MAPS),  # 3 does not divide 8
    "hira_bart": lambda: peft.HiraConfig(r=4, **MAPS),
    "oft_bart": lambda: peft.OFTConfig(oft_block_size=4, use_cayley_neumann=False, **MAPS),
    "hra_bart": lambda: peft.HRAConfig(r=4, **MAPS),
    "loha_bart": lambda: peft.LoHaConfig(r=2, alpha=2, **MAPS),
    "lokr_bart": lambda: peft.LoKrConfig(r=1, alpha=1, **MAPS),
    "llama_adapter_llama": lambda: peft.AdaptionPromptConfig(adapter_len=3, adapter_layers=2, task_type="CAUSAL_LM"),
}
"""The same of those whose backbone has a file of its own."""
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


def save_backbone(family: str, folder: Path) -> None:
    model = backbone(family, BACKBONES[family])
    tensors = {f"backbone/{key}": parameter.detach().clone() for key, parameter in model.named_parameters()}
    tensors |= {f"batch/{key}": tensor for key, tensor in batch(family).items()}
    save_file(tensors, folder / f"{family}.safetensors", {"family": family, "config": json.dumps(BACKBONES[family])})


def make(name: str, folder: Path) -> None:
    packages = {package: version(package) for package in ("peft", "torch", "transformers")}
    metadata = {"packages": json.dumps(packages)}
    if name in INSIDE:
        family, sizes, config = INSIDE[name]
        asked, model, inputs = config(), backbone(family, sizes), batch(family)
        weights = {id(tensor): (key, tensor.clone()) for key, tensor in model.state_dict(keep_vars=True).items()}
        tensors = {f"backbone/{key}": tensor.detach() for key, tensor in weights.values()}  # each once
        tensors |= {f"batch/{key}": tensor for key, tensor in inputs.items()}
        metadata["config"] = json.dumps(sizes)
    else:
        family, tensors, asked = name.rpartition("_")[2], {}, BESIDE[name]()
        model, inputs = backbone(family, BACKBONES[family]), batch(family)
        torch.manual_seed(4)
    metadata["family"] = family
    plain = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    if name == "pissa_bart":
        model = model.to(torch.float32)
    wrapped = peft.get_peft_model(model, asked).double().eval()
    trained = {key: parameter for key, parameter in wrapped.named_parameters() if parameter.requires_grad}
    if name == "pissa_bart":
        left = {key: p for key, p in wrapped.named_parameters() if "base_layer.weight" in key}
        tensors |= {f"start/{key}": parameter.detach().clone() for key, parameter in trained.items()}
        tensors |= {f"residual/{key}": parameter.detach().clone() for key, parameter in left.items()}
    generator = torch.Generator().manual_seed(2)
    for parameter in trained.values():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    output = wrapped(**inputs)
    output.loss.backward()
    for key, parameter in trained.items():
        tensors[f"tuned/{key}"], tensors[f"gradient/{key}"] = parameter.detach().clone(), parameter.grad.clone()
    tensors |= {"logits": output.logits.detach(), "loss": output.loss.detach()}
    if not isinstance(asked, peft.PromptLearningConfig | peft.AdaptionPromptConfig):
        merged = wrapped.merge_and_unload()
        tensors["merged_logits"] = merged(**inputs).logits.detach()
        if name in BESIDE:
            changed = {key: p.detach().clone() for key, p in merged.named_parameters() if not p.equal(plain[key])}
            tensors |= {f"merged/{key}": tensor for key, tensor in changed.items()}
    if name in BESIDE:
        metadata["asked"] = repr(asked)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / f"{name}.safetensors", metadata)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    with kept_float64():
        for case in sys.argv[2:] or [*BACKBONES, *INSIDE, *BESIDE]:
            (save_backbone if case in BACKBONES else make)(case, target)
