"""Write what adapters computes into golden files; run in an environment of its own: `pip install adapters==1.3.0`.

    python tests/peers/make_adapters.py tests/peers [CASE ...]

On the backbones of `bart.safetensors` and `llama.safetensors`. LoReFT's R is kept as the matrix
that the parametrisation makes, with its gradient. UniPELT's gates are averages over all tokens, so its file has
sequences of one token, where the average is the token's own; and, as evidence, what a later target token does to the
logits of an earlier one. LoReFT keeps the positions that it chose in the encoder for the decoder, which fails where
sources are longer than targets, so both are of one length. At both ends of a text it is asked of a decoder alone, with
padding on the right and on the left.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import adapters
import torch
from adapters import BnConfig, ConfigUnion, LoRAConfig, LoReftConfig, SeqBnConfig
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.utils import parametrize
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

COMPACTER = {"phm_layer": True, "phm_dim": 2, "reduction_factor": 2, "non_linearity": "relu", "phm_bias": True}
CASES = {
    "compacter": SeqBnConfig(original_ln_before=False, original_ln_after=True, residual_before_ln=True, **COMPACTER),
    "loreft": LoReftConfig(layers="all", prefix_positions=16, suffix_positions=0, r=3, tied_weights=True),
    "loreft_layer": LoReftConfig(layers=[1], prefix_positions=16, suffix_positions=0, r=3, tied_weights=True),
    "loreft_ends": LoReftConfig(layers="all", prefix_positions=1, suffix_positions=2, r=3, tied_weights=True),
    "unipelt": ConfigUnion(
        BnConfig(
            mh_adapter=False,
            output_adapter=True,
            reduction_factor=2,
            non_linearity="relu",
            original_ln_before=False,
            original_ln_after=True,
            residual_before_ln=True,
            use_gating=True,
        ),
        LoRAConfig(r=2, alpha=2, attn_matrices=["q", "v"], use_gating=True),
    ),
}
FAMILIES = {"loreft_ends": "llama"}  # the others: bart
LOADERS = {"bart": AutoModelForSeq2SeqLM, "llama": AutoModelForCausalLM}


def read(folder: Path, family: str) -> tuple[PreTrainedModel, dict[str, torch.Tensor]]:
    with safe_open(folder / f"{family}.safetensors", "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        config = AutoConfig.for_model(family, **json.loads(file.metadata()["config"]))
    model = LOADERS[family].from_config(config).double().eval()
    weights = {key.removeprefix("backbone/"): t for key, t in tensors.items() if key.startswith("backbone/")}
    assert not model.load_state_dict(weights, strict=False).unexpected_keys
    return model, {key.removeprefix("batch/"): t for key, t in tensors.items() if key.startswith("batch/")}


def at_both_sides(inputs: dict[str, torch.Tensor]) -> None:
    """Pad the second text on the right to two tokens, the third on the left to four."""
    for row, padding, unseen in ((1, slice(2, None), slice(2, None)), (2, slice(0, 2), slice(0, 3))):
        inputs["input_ids"][row, padding], inputs["attention_mask"][row, padding] = 1, 0
        inputs["labels"][row, unseen] = -100  # nor what padding would predict


def make(name: str, folder: Path) -> None:
    family = FAMILIES.get(name, "bart")
    model, inputs = read(folder, family)
    length = {"unipelt": 1, "loreft_ends": 6}.get(name, 5)  # of source and target
    inputs = {key: tensor[:, :length].clone() for key, tensor in inputs.items()}
    if name == "loreft_ends":
        at_both_sides(inputs)
    adapters.init(model)
    torch.manual_seed(4)
    model.add_adapter("x", config=CASES[name])
    model.train_adapter("x")
    model.double().eval()
    generator = torch.Generator().manual_seed(2)
    trained = {key: parameter for key, parameter in model.named_parameters() if parameter.requires_grad}
    for key, parameter in trained.items():
        noise = 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        if "parametrizations" not in key:  # orthonormal as drawn
            parameter.data += noise
    units = {key: unit for key, unit in model.named_modules() if type(unit).__name__ == "ReftUnit"}
    for unit in units.values():  # drawn orthonormal in float32, so only to seven digits
        unit.projection.weight = torch.linalg.qr(unit.projection.weight.detach().T).Q.T
    tensors: dict[str, torch.Tensor] = {f"batch/{key}": tensor for key, tensor in inputs.items()}
    with parametrize.cached():
        rows = {f"{key}.rows": unit.projection.weight for key, unit in units.items()}
        for tensor in rows.values():
            tensor.retain_grad()
        output = model(**inputs)
        output.loss.backward()
    shown = {key: p for key, p in trained.items() if "parametrizations" not in key} | rows
    for key, parameter in shown.items():
        tensors[f"tuned/{key}"], tensors[f"gradient/{key}"] = parameter.detach().clone(), parameter.grad.clone()
    tensors |= {"logits": output.logits.detach(), "loss": output.loss.detach()}
    if name == "unipelt":
        _, whole = read(folder, family)
        later = whole["labels"].clone()
        later[:, -2] = 3 + (later[:, -2] - 2) % 20
        first, second = (model(**{**whole, "labels": labels}).logits[:, 0] for labels in (whole["labels"], later))
        tensors["leak"] = (first - second).abs().max().detach()
    packages = {package: version(package) for package in ("adapters", "torch", "transformers")}
    metadata = {"family": family, "packages": json.dumps(packages), "asked": repr(CASES[name])}
    save_file({k: t.contiguous() for k, t in tensors.items()}, folder / f"adapters_{name}.safetensors", metadata)


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        make(case, Path(sys.argv[1]))
