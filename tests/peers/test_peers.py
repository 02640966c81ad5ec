"""What peft computes, from the same weights: logits, loss, gradients and merged logits (files made by make.py)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

import unidelta
from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES

TOLERANCE = 1e-12


def ia3(name: str) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Ours of one of peft's vectors, which it keeps as a row or a column."""
    module = name.removeprefix("base_model.model.").removesuffix(".ia3_l.default")
    place = "inner" if module.endswith("fc2") else "linear"
    return f"{module}.deltas.{place}.form.factors", Tensor.flatten


CASES = {"ia3_bart": ("ia3", ia3)}


class Golden:
    """A golden file: its tensors, and the stock model that they were computed with."""

    def __init__(self, name: str) -> None:
        with safe_open(Path(__file__).parent / f"{name}.safetensors", "pt") as file:
            self.metadata = file.metadata()
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118

    def of(self, kind: str) -> dict[str, Tensor]:
        return {key.removeprefix(f"{kind}/"): t for key, t in self.tensors.items() if key.startswith(f"{kind}/")}

    def model(self) -> PreTrainedModel:
        family = self.metadata["family"]
        config = AutoConfig.for_model(family, **json.loads(self.metadata["config"]))
        model = MODEL_CLASSES[FAMILIES[family].kind].from_config(config).double().eval()
        model.load_state_dict(self.of("backbone"))
        return model


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_weights_give_the_same_numbers(name, fast):
    method, ours_of = CASES[name]
    golden = Golden(name)
    deltas = unidelta.inject(golden.model(), method, fast=fast)
    parameters = dict(deltas.trained_parameters())
    names = {theirs: ours_of(theirs) for theirs in golden.of("tuned")}
    assert {ours for ours, _ in names.values()} == set(parameters)
    for theirs, (ours, change) in names.items():
        parameters[ours].data = change(golden.of("tuned")[theirs])
    output = deltas.model(**golden.of("batch"))
    output.loss.backward()
    close = {"rtol": 0, "atol": TOLERANCE}
    torch.testing.assert_close(output.logits, golden.tensors["logits"], **close)
    torch.testing.assert_close(output.loss, golden.tensors["loss"], **close)
    for theirs, (ours, change) in names.items():
        torch.testing.assert_close(parameters[ours].grad, change(golden.of("gradient")[theirs]), **close)
    deltas.merge()
    torch.testing.assert_close(deltas.model(**golden.of("batch")).logits, golden.tensors["merged_logits"], **close)


def test_the_files_say_what_made_them_and_show_an_effect():
    for name in CASES:
        golden = Golden(name)
        assert json.loads(golden.metadata["packages"])["peft"] == "0.21.2"
        plain = golden.model()(**golden.of("batch")).logits
        assert (plain - golden.tensors["logits"]).abs().max() > 0.01
