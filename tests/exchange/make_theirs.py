"""Write what peft or adapters computes into golden files; run in an environment of its own, after `make_ours.py`.

    pip install peft==0.21.2                                python tests/exchange/make_theirs.py peft FOLDER
    pip install adapters==1.3.0 transformers==4.57.6        python tests/exchange/make_theirs.py adapters FOLDER

Each folder that this project exported (`ours`) is loaded; folders of the library itself (`theirs`) are made. Of both,
`FOLDER/<library>.safetensors` has the tensors and the logits in float64; its metadata names the packages and has the
JSON files. Nothing of this project is imported. `python -m tests.exchange.keep FOLDER` then compares all of them, and
keeps some as golden files.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

CLASSES = {
    "bart": AutoModelForSeq2SeqLM,
    "t5": AutoModelForSeq2SeqLM,
    "roberta": AutoModelForSequenceClassification,
    **dict.fromkeys(("llama", "gpt2", "mistral", "qwen3"), AutoModelForCausalLM),
}


def backbone(folder: Path, family: str) -> PreTrainedModel:
    # eager: with sdpa, adapters 1.3.0 hides text from the decoder's queries where there is a prefix
    source = folder / "backbones" / family
    return CLASSES[family].from_pretrained(source, dtype=torch.float64, attn_implementation="eager").eval()


def move(parameters: Iterator[tuple[str, torch.nn.Parameter]]) -> None:
    generator = torch.Generator().manual_seed(7)
    for _, parameter in parameters:
        if parameter.requires_grad:
            parameter.data = parameter.data.double()
            parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = parameter.data.float().double()  # golden files keep half the bytes


def peft_cases() -> dict[str, dict[str, Callable[[], Any]]]:
    import peft

    ends = {
        "bart": ("q_proj", "v_proj", "fc1", "fc2", "k_proj"),
        "roberta": ("query", "value", "intermediate.dense", r".*layer\.\d\.output\.dense", "key"),
        "llama": ("q_proj", "v_proj", "up_proj", "down_proj", "k_proj"),
    }
    tasks = {"bart": "SEQ_2_SEQ_LM", "roberta": "SEQ_CLS", "llama": "CAUSAL_LM"}
    found = {}
    for family, (query, value, up, down, key) in ends.items():
        task = tasks[family]
        last = rf".*({key}|{value})|{down}" if "*" in down else [key, value, down]
        found[family] = {
            "lora": lambda t=task, q=query, v=value: peft.LoraConfig(
                task_type=t, r=3, lora_alpha=8, target_modules=[q, v], lora_dropout=0.1
            ),
            "rslora": lambda t=task, v=value, u=up: peft.LoraConfig(
                task_type=t, r=3, lora_alpha=8, target_modules=[v, u], use_rslora=True, rank_pattern={u: 2}
            ),
            "dora": lambda t=task, q=query, u=up: peft.LoraConfig(
                task_type=t, r=2, lora_alpha=3, target_modules=[q, u], use_dora=True
            ),
            "oft": lambda t=task, v=value: peft.OFTConfig(
                task_type=t, oft_block_size=4, target_modules=[v], use_cayley_neumann=False
            ),
            "ia3": lambda t=task, m=last, d=down: peft.IA3Config(
                task_type=t, target_modules=m, feedforward_modules=[d] if isinstance(m, list) else d
            ),
        }
    found["llama"]["prefix"] = lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    found["llama"]["prefix_mlp"] = lambda: peft.PrefixTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=2, prefix_projection=True, encoder_hidden_size=5
    )
    found["llama"]["prompt"] = lambda: peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    found["t5"] = {
        "prompt": lambda: peft.PromptTuningConfig(
            task_type="SEQ_2_SEQ_LM", num_virtual_tokens=4, num_transformer_submodules=1
        )
    }
    return found


def adapters_cases() -> dict[str, dict[str, Callable[[], Any]]]:
    import adapters as a

    flat = {"flat": True, "prefix_length": 2}
    own = {
        "houlsby": lambda: a.DoubleSeqBnConfig(reduction_factor=3, non_linearity="relu", cross_adapter=True),
        "pfeiffer": lambda: a.SeqBnConfig(reduction_factor=2),
        "parallel": lambda: a.ParBnConfig(reduction_factor={"default": 4}),
        "learned": lambda: a.ParBnConfig(reduction_factor=4, scaling="learned", ln_before=True),
        "prefix": lambda: a.PrefixTuningConfig(**flat),
        "lora": lambda: a.LoRAConfig(r=2, alpha=3, attn_matrices=["q", "k"], intermediate_lora=True, output_lora=True),
        "mam": lambda: a.MAMConfig(a.PrefixTuningConfig(**flat), a.ParBnConfig(reduction_factor=2)),
    }
    return {"bart": own, "roberta": own}


def with_peft(folder: Path, family: str, name: str, make: Callable[[], Any] | None) -> torch.Tensor:
    import peft

    place = folder / ("theirs" if make else "ours") / "peft" / family / name
    if make is not None:
        torch.manual_seed(4)
        made = peft.get_peft_model(backbone(folder, family), make()).double()
        move(made.named_parameters())
        made.save_pretrained(place)
    model = peft.PeftModel.from_pretrained(backbone(folder, family), place).double().eval()
    return logits(model, folder, family)


def with_adapters(folder: Path, family: str, name: str, make: Callable[[], Any] | None) -> torch.Tensor:
    import adapters

    place = folder / ("theirs" if make else "ours") / "adapters" / family / name
    if make is not None:
        torch.manual_seed(4)
        made = backbone(folder, family)
        adapters.init(made)
        made.add_adapter("own", make())
        made.train_adapter("own")
        made.double()
        move(made.named_parameters())
        place.mkdir(parents=True)
        has_aliases = name in ("learned", "prefix", "mam")  # one tensor under two names: not taken by safetensors
        made.save_adapter(str(place), "own", with_head=family == "roberta", use_safetensors=not has_aliases)
    model = backbone(folder, family)
    adapters.init(model)
    own = model.load_adapter(
        str(place), use_safetensors=any(place.glob("*.safetensors")), with_head=family == "roberta", set_active=True
    )
    assert own in ("own", "unidelta")
    return logits(model.double().eval(), folder, family)


@torch.no_grad()
def logits(model: Any, folder: Path, family: str) -> torch.Tensor:
    """Of the text: peft returns those of a decoder's prompt as well."""
    inputs = load_file(folder / "backbones" / family / "batch.safetensors")
    found = model(**inputs).logits
    n_text = inputs["input_ids"].shape[1] if family in ("llama", "gpt2", "mistral", "qwen3") else found.shape[1]
    return found[:, found.shape[1] - n_text :].contiguous()


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    return {key: tensor.clone() for key, tensor in torch.load(path, weights_only=True).items()}


LIBRARIES = {"peft": (peft_cases, with_peft), "adapters": (adapters_cases, with_adapters)}


def main(library: str, folder: Path) -> None:
    cases, run = LIBRARIES[library]
    torch.set_default_dtype(torch.float64)  # or peft keeps prompts in float32
    shutil.rmtree(folder / "theirs" / library, ignore_errors=True)
    todo = [
        *(("ours", path.parent.name, path.name, None) for path in sorted((folder / "ours" / library).glob("*/*"))),
        *(("theirs", family, name, make) for family, own in cases().items() for name, make in own.items()),
    ]
    tensors, files = {}, {}
    for side, family, name, make in todo:
        case, place = f"{side}.{family}.{name}", folder / side / library / family / name
        tensors[f"{case}/logits"] = run(folder, family, name, make)
        for path in sorted(place.iterdir()):
            if path.suffix in (".safetensors", ".bin"):
                tensors |= {f"{case}/{path.name}/{key}": tensor for key, tensor in tensors_of(path).items()}
            elif path.suffix == ".json":
                files[f"{case}/{path.name}"] = path.read_text(encoding="utf-8")
        print(case, flush=True)
    packages = {package: version(package) for package in (library, "torch", "transformers")}
    metadata = {"packages": json.dumps(packages), "files": json.dumps(files)}
    save_file(tensors, folder / f"{library}.safetensors", metadata)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
