"""The golden files of `make_theirs.py` as folders, and the backbones that they are for."""

import json
from functools import cache
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES

from .cases import SIZES

FOLDER = Path(__file__).parent / "golden"


class Golden:
    """One library's file: for each case, the folder that the library loaded, and the logits that it computed.

    A case is `<side>.<family>.<name>`; side is ours where this project wrote the folder, theirs where the library did.
    """

    def __init__(self, path: Path) -> None:
        with safe_open(path, "pt") as file:
            self.metadata: dict[str, str] = file.metadata()
            self.tensors = {key: file.get_tensor(key).double() for key in file.keys()}  # noqa: SIM118
        self.packages: dict[str, str] = json.loads(self.metadata["packages"])
        self.files: dict[str, str] = json.loads(self.metadata["files"])
        self.cases = sorted({key.split("/")[0] for key in self.tensors})

    def logits(self, case: str) -> Tensor:
        return self.tensors[f"{case}/logits"]

    def weights(self, case: str) -> dict[str, dict[str, Tensor]]:
        """Its files of tensors, by name."""
        found: dict[str, dict[str, Tensor]] = {}
        for key, tensor in self.tensors.items():
            if key.startswith(f"{case}/") and key.count("/") == 2:
                _, file, name = key.split("/")
                found.setdefault(file, {})[name] = tensor
        return found

    def write(self, case: str, folder: Path) -> Path:
        """The folder, but for the mark of a file that this project wrote."""
        folder.mkdir(parents=True)
        for key, text in self.files.items():
            if key.startswith(f"{case}/"):
                (folder / key.split("/")[1]).write_text(text, encoding="utf-8")
        for file, tensors in self.weights(case).items():
            if file.endswith(".bin"):
                torch.save(tensors, folder / file)
            else:
                save_file(tensors, folder / file)
        return folder


@cache
def golden(library: str) -> Golden:
    return Golden(FOLDER / f"{library}.safetensors")


@cache
def _states() -> dict[str, dict[str, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in load_file(FOLDER / "backbones.safetensors").items():
        family, name = key.split("/")
        found.setdefault(family, {})[name] = tensor.double()
    return found


def backbone(family: str) -> PreTrainedModel:
    """The stock model, with weights as they are in the golden files, in float64."""
    config = AutoConfig.for_model(family, **SIZES[family])
    with torch.random.fork_rng():
        model = MODEL_CLASSES[FAMILIES[family].kind].from_config(config, attn_implementation="eager").double()
    missing, unexpected = model.load_state_dict(_states()[family], strict=False)
    assert not unexpected and set(missing) <= {*model.all_tied_weights_keys, "final_logits_bias"}, missing
    model.tie_weights()
    return model.eval()
