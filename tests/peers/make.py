"""Write what peft computes into golden files; run in an environment of its own: `pip install peft==0.21.2`.

    python tests/peers/make.py tests/peers

One file a case, `<method>_<family>.safetensors`: the weights of a tiny random backbone, peft's own parameters, a batch,
and in float64 the logits, the loss, the gradients of peft's parameters and the logits after merging. Metadata names the
packages and versions.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import peft
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedModel

BART = {
    **{"vocab_size": 23, "d_model": 8, "max_position_embeddings": 16, "encoder_layers": 2, "decoder_layers": 1},
    **{"encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
    **{"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
    **{"dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0},
}
CASES: dict[str, tuple[str, dict, Callable[[], peft.PeftConfig]]] = {
    "ia3_bart": (
        "bart",
        BART,
        lambda: peft.IA3Config(target_modules=["k_proj", "v_proj", "fc2"], feedforward_modules=["fc2"]),
    ),
}


def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 23, (3, 6), generator=generator)
    mask = torch.ones_like(ids)
    ids[1, 4:], mask[1, 4:] = 1, 0
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.randint(3, 23, (3, 5), generator=generator)}


def backbone(family: str, sizes: dict) -> PreTrainedModel:
    torch.manual_seed(1)
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(family, **sizes))
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.double().eval()


def make(name: str, folder: Path) -> None:
    family, sizes, config = CASES[name]
    model = backbone(family, sizes)
    tensors = {f"backbone/{key}": tensor.clone() for key, tensor in model.state_dict().items()}
    wrapped = peft.get_peft_model(model, config()).double().eval()
    generator = torch.Generator().manual_seed(2)
    trained = {key: parameter for key, parameter in wrapped.named_parameters() if parameter.requires_grad}
    for parameter in trained.values():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    inputs = batch()
    output = wrapped(**inputs)
    output.loss.backward()
    for key, parameter in trained.items():
        tensors[f"tuned/{key}"], tensors[f"gradient/{key}"] = parameter.detach().clone(), parameter.grad.clone()
    tensors |= {f"batch/{key}": tensor for key, tensor in inputs.items()}
    tensors |= {"logits": output.logits.detach(), "loss": output.loss.detach()}
    merged = wrapped.merge_and_unload()
    tensors["merged_logits"] = merged(**inputs).logits.detach()
    packages = {package: version(package) for package in ("peft", "torch", "transformers")}
    metadata = {"family": family, "config": json.dumps(sizes), "packages": json.dumps(packages)}
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / f"{name}.safetensors", metadata)


if __name__ == "__main__":
    for case in CASES:
        make(case, Path(sys.argv[1]))
