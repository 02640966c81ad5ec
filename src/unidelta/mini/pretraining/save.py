"""A pretrained miniature on disk: fp16 weights, configuration, tokenizer, provenance and model card."""

import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel

from unidelta.mini.pretraining.recipe import Recipe
from unidelta.mini.pretraining.train import Point
from unidelta.mini.tokenizer import tokenizer

_OBJECTIVES = {
    "bart": "denoising: spans and the words for kinds replaced by a mask, the whole document restored",
    "mbart": "bilingual denoising: one language, comparable sentences in both, and glossaries",
    "roberta": "masked tokens, the words for kinds more often than others",
}


def save(
    model: PreTrainedModel,
    folder: Path,
    *,
    family: str,
    recipe: Recipe,
    seed: int,
    world_seed: int,
    curve: list[Point],
) -> None:
    """Write a folder that `backbone.checkpoint=DIR` and transformers can load.

    Args:
        model: the pretrained model.
        folder: is made where it is missing.
        family: bart, mbart or roberta.
        recipe: how it was trained.
        seed: of weights and text.
        world_seed: of the world.
        curve: loss and probes on the way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Tensors that share memory (tied embeddings) are stored once, under the first of their names.
    stored: dict[int, tuple[str, torch.Tensor]] = {}
    for name, tensor in model.state_dict().items():
        stored.setdefault(tensor.data_ptr(), (name, tensor))
    weights = {name: tensor.half().contiguous() for name, tensor in stored.values()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors lets nobody else read what it writes
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    tokenizer(family, seed=world_seed).save_pretrained(folder)
    about: dict[str, Any] = {
        "family": family,
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "world_seed": world_seed,
        "seed": seed,
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "recipe": {name: value for name, value in asdict(recipe).items() if name != "text"},
        "text": recipe.text.__name__,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "curve": [asdict(point) for point in curve],
    }
    (folder / "provenance.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_card(about), encoding="utf-8")


def _card(about: dict[str, Any]) -> str:
    last = about["curve"][-1]
    probes = ", ".join(f"{name} {value:.2f}" for name, value in last["probes"].items())
    recipe = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in about["recipe"].items())
    return f"""# mini-{about["family"]}

A {about["family"]} of {about["parameters"]:,} parameters (fp16), pretrained from nothing on generated text.
It knows one invented world and no real language; it is of no use outside `scale=mini`.

* **Data:** `unidelta.mini.pretraining.texts.{about["text"]}`, world {about["world_seed"]}, training part only.
* **Objective:** {_OBJECTIVES[about["family"]]}.
* **Recipe:** seed {about["seed"]}, {recipe}, AdamW, no dropout; {last["seconds"] / 60:.1f} minutes on one thread.
* **Loss at the end:** {last["loss"]:.3f} nats per token.
* **Probes (share of facts known):** {probes}.
* **Again from nothing:** `python -m unidelta.mini pretrain {about["family"]}`

`provenance.json` holds the loss and probe curves, versions, and the SHA-256 of the weights.
"""
