"""Compare everything that `make_theirs.py` wrote with what this project computes, and keep some as golden files.

python -m tests.exchange.keep FOLDER
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES
from unidelta.exchange.importing import import_from

from . import golden
from .cases import logits

KEPT = {
    "peft": (
        "ours.bart.lora_everywhere ours.bart.ia3 ours.bart.dora ours.roberta.lora ours.llama.prefix ours.llama.vera"
        " ours.t5.prompt ours.llama.prompt"
        " theirs.roberta.rslora theirs.bart.lora theirs.llama.oft theirs.llama.prefix_mlp"
    ).split(),
    "adapters": (
        "ours.bart.houlsby ours.bart.mam ours.roberta.after_norm ours.roberta.parallel_both ours.roberta.pfeiffer"
        " theirs.bart.lora theirs.roberta.learned theirs.roberta.mam"
    ).split(),
}


def main(folder: Path) -> None:
    golden.FOLDER.mkdir(exist_ok=True)
    states = {
        f"{path.name}/{name}": tensor
        for path in sorted((folder / "backbones").iterdir())
        if any(f".{path.name}." in case for kept in KEPT.values() for case in kept)
        for name, tensor in load_file(path / "model.safetensors").items()
    }
    save_file({name: _halved(tensor) for name, tensor in states.items()}, golden.FOLDER / "backbones.safetensors")
    for library, kept in KEPT.items():
        found = golden.Golden(folder / f"{library}.safetensors")
        for case in found.cases:
            family = case.split(".")[1]
            model = MODEL_CLASSES[FAMILIES[family].kind].from_pretrained(
                folder / "backbones" / family, dtype=torch.float64, attn_implementation="eager"
            )
            place = found.write(case, Path(tempfile.mkdtemp()) / case)
            import_from(place, model, source=library, allow_bin=True)
            print(f"{(logits(model.eval(), family) - found.logits(case)).abs().max():.1e}  {library} {case}")
        tensors = {key: _halved(tensor) for key, tensor in found.tensors.items() if key.split("/")[0] in kept}
        files = {key: text for key, text in found.files.items() if key.split("/")[0] in kept}
        save_file(tensors, golden.FOLDER / f"{library}.safetensors", {**found.metadata, "files": json.dumps(files)})


def _halved(tensor: Tensor) -> Tensor:
    """In float32, where that loses nothing; most numbers were chosen so."""
    return tensor.float() if tensor.float().double().equal(tensor) else tensor


if __name__ == "__main__":
    main(Path(sys.argv[1]))
