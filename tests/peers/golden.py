"""A golden file of a peer, and the stock model that it was computed with."""

import json
from pathlib import Path

from safetensors import safe_open
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES

TOLERANCE = 1e-12
FOLDER = Path(__file__).parent


class Golden:
    """The tensors of a golden file, with those of its backbone's file if that is another one."""

    def __init__(self, name: str) -> None:
        self.metadata, self.tensors = _read(name)
        self.backbone = self.metadata
        if "config" not in self.metadata:
            self.backbone, weights = _read(self.metadata["family"])
            self.tensors = {**weights, **self.tensors}

    def of(self, kind: str) -> dict[str, Tensor]:
        """The tensors of a kind, such as `gradient`, by name."""
        return {key.removeprefix(f"{kind}/"): t for key, t in self.tensors.items() if key.startswith(f"{kind}/")}

    def model(self) -> PreTrainedModel:
        """The stock model, in float64 and eval mode."""
        family = self.metadata["family"]
        config = AutoConfig.for_model(family, **json.loads(self.backbone["config"]))
        model = MODEL_CLASSES[FAMILIES[family].kind].from_config(config).double().eval()
        weights, tied = self.of("backbone"), model.all_tied_weights_keys
        found = model.load_state_dict(weights, strict=False)
        needed = {key for key, _ in model.named_parameters()}
        assert not found.unexpected_keys and needed - set(weights) <= {*tied, *tied.values()}
        return model


def _read(name: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    with safe_open(FOLDER / f"{name}.safetensors", "pt") as file:
        return file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
