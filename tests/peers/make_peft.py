"""Write what peft computes into golden files; run in an environment of its own: `pip install peft==0.21.2`.

    python tests/peers/make_peft.py tests/peers

`<family>.safetensors` holds the weights of a tiny random backbone and a batch. `peft_<method>.safetensors` holds, in
float64, peft's own parameters and their gradients, the logits and the loss, and where peft merges, the changed weights
and the logits after merging. Metadata names the packages and versions, and what was asked of peft.

Two things are mended here, because they limit the comparison to seven digits: peft takes W apart for PiSSA in float32
only (what it took away and left is kept in the file), and computes LLaMA-Adapter's softmax in float32 whatever the
model is in (here in float64).
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import peft
import peft.tuners.adaption_prompt.layer as adaption
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

BART = {
    **{"vocab_size": 23, "d_model": 8, "max_position_embeddings": 16, "encoder_layers": 2, "decoder_layers": 1},
    **{"encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
    **{"dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0},
}
LLAMA = {
    **{"vocab_size": 23, "hidden_size": 8, "num_hidden_layers": 3, "intermediate_size": 12},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 16},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
}
BACKBONES = {"bart": (BART, AutoModelForSeq2SeqLM), "llama": (LLAMA, AutoModelForCausalLM)}
QV = {"target_modules": ["q_proj", "v_proj"]}
CASES: dict[str, tuple[str, Callable[[], peft.PeftConfig]]] = {
    "dora": ("bart", lambda: peft.LoraConfig(r=4, lora_alpha=8, use_dora=True, **QV)),
    "rslora": ("bart", lambda: peft.LoraConfig(r=4, lora_alpha=8, use_rslora=True, **QV)),
    "pissa": ("bart", lambda: peft.LoraConfig(r=4, lora_alpha=8, init_lora_weights="pissa", **QV)),
    "vera": ("bart", lambda: peft.VeraConfig(r=4, **QV)),
    "miss": ("bart", lambda: peft.MissConfig(r=3, **QV)),  # 3 does not divide 8
    "hira": ("bart", lambda: peft.HiraConfig(r=4, **QV)),
    "oft": ("bart", lambda: peft.OFTConfig(oft_block_size=4, use_cayley_neumann=False, **QV)),
    "hra": ("bart", lambda: peft.HRAConfig(r=4, **QV)),
    "loha": ("bart", lambda: peft.LoHaConfig(r=2, alpha=2, **QV)),
    "lokr": ("bart", lambda: peft.LoKrConfig(r=1, alpha=1, **QV)),
    "llama_adapter": (
        "llama",
        lambda: peft.AdaptionPromptConfig(adapter_len=3, adapter_layers=2, task_type="CAUSAL_LM"),
    ),
}


def batch(family: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 23, (3, 6), generator=generator)
    mask = torch.ones_like(ids)
    ids[1, 4:], mask[1, 4:] = 1, 0
    labels = torch.randint(3, 23, (3, 5), generator=generator) if family == "bart" else ids.masked_fill(mask == 0, -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def backbone(family: str) -> PreTrainedModel:
    sizes, auto = BACKBONES[family]
    torch.manual_seed(1)
    model = auto.from_config(AutoConfig.for_model(family, **sizes))
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.double().eval()


def save_backbone(family: str, folder: Path) -> None:
    model = backbone(family)
    tensors = {f"backbone/{key}": parameter.detach().clone() for key, parameter in model.named_parameters()}
    tensors |= {f"batch/{key}": tensor for key, tensor in batch(family).items()}
    metadata = {"family": family, "config": json.dumps(BACKBONES[family][0])}
    save_file(tensors, folder / f"{family}.safetensors", metadata)


def make(name: str, folder: Path) -> None:
    family, config = CASES[name]
    model, inputs = backbone(family), batch(family)
    plain = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    asked = config()
    torch.manual_seed(4)
    if name == "pissa":  # peft takes W apart in float32 only; what it took away and left is kept
        model = model.float()
    wrapped = peft.get_peft_model(model, asked).double().eval()
    tensors = {}
    if name == "pissa":
        tensors = {f"start/{key}": p.detach().clone() for key, p in wrapped.named_parameters() if p.requires_grad}
        left = {key: p for key, p in wrapped.named_parameters() if "base_layer.weight" in key}
        tensors |= {f"residual/{key}": p.detach().clone() for key, p in left.items()}
    generator = torch.Generator().manual_seed(2)
    trained = {key: parameter for key, parameter in wrapped.named_parameters() if parameter.requires_grad}
    for parameter in trained.values():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    output = wrapped(**inputs)
    output.loss.backward()
    tensors |= {"logits": output.logits.detach(), "loss": output.loss.detach()}
    for key, parameter in trained.items():
        tensors[f"tuned/{key}"], tensors[f"gradient/{key}"] = parameter.detach().clone(), parameter.grad.clone()
    if name != "llama_adapter":
        merged = wrapped.merge_and_unload()
        tensors["merged_logits"] = merged(**inputs).logits.detach()
        changed = {key: p.detach() for key, p in merged.named_parameters() if not p.equal(plain[key])}
        tensors |= {f"merged/{key}": tensor.clone() for key, tensor in changed.items()}
    packages = {package: version(package) for package in ("peft", "torch", "transformers")}
    metadata = {"family": family, "packages": json.dumps(packages), "asked": repr(asked)}
    save_file({k: t.contiguous() for k, t in tensors.items()}, folder / f"peft_{name}.safetensors", metadata)


if __name__ == "__main__":
    adaption.F = SimpleNamespace(softmax=lambda scores, dim, dtype: scores.softmax(dim))
    target = Path(sys.argv[1])
    for each in BACKBONES:
        save_backbone(each, target)
    for case in CASES:
        make(case, target)
