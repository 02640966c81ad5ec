"""What peft computes, from the same weights: logits, loss, gradients, merged weights (files made by make_peft.py)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

import unidelta
from unidelta.injection.injection import Injection

from .golden import TOLERANCE, Golden

Change = Callable[[Tensor], Tensor]


def same(tensor: Tensor) -> Tensor:
    return tensor


def transposed(tensor: Tensor) -> Tensor:
    return tensor.T


@dataclass(frozen=True)
class Case:
    """What is asked of `unidelta.inject`, and the names of its parameters by the ends of peft's."""

    names: dict[str, tuple[str, Change]]
    axes: dict[str, Any] = field(default_factory=dict)
    merges: bool = True


AB = {"lora_A.weight": ("linear.form.down", same), "lora_B.weight": ("linear.form.up", same)}
CASES = {
    "dora": Case(
        {**AB, "lora_magnitude_vector.weight": ("linear.compose.magnitude", same)}, {"budget": 4, "scale": 2.0}
    ),
    "rslora": Case(AB, {"budget": 4, "scale": 8.0}),
    "pissa": Case(AB, {"budget": 4, "scale": 2.0}),
    "vera": Case(
        {"vera_lambda_d": ("linear.form.generated.d", same), "vera_lambda_b": ("linear.form.generated.b", same)},
        {"budget": 4},
    ),
    "miss": Case({"miss_block": ("linear.form.generated.up", transposed)}, {"budget": 3}),
    "hira": Case({"hira_A": ("linear.form.down", same), "hira_B": ("linear.form.up", same)}, {"budget": 4}),
    "oft": Case({"oft_R.weight": ("linear.form.skew", same)}, {"budget": 4}),
    "hra": Case({"hra_u": ("linear.form.normals", transposed)}, {"budget": 4}),
    "loha": Case(
        {
            f"hada_w{i}_{theirs}": (f"linear.form.generated.{ours}_{i}", same)
            for i in (1, 2)
            for theirs, ours in (("a", "up"), ("b", "down"))
        },
        {"budget": 2},
    ),
    "lokr": Case(
        {
            "lokr_w1": ("linear.form.generated.outer", same),
            "lokr_w2_a": ("linear.form.generated.up", same),
            "lokr_w2_b": ("linear.form.generated.down", same),
        },
        {"budget": 1},
    ),
    "llama_adapter": Case(
        {
            "adaption_prompt": ("heads.form.prefix.vectors", lambda tensor: tensor[0]),
            "adaption_gate": ("heads.compose.learned_scale", same),
        },
        {"budget": 3, "layers": "last:2"},
        merges=False,
    ),
}


def ours_of(theirs: str, case: Case) -> tuple[str, Change]:
    """The name of our parameter, and how to make it of theirs."""
    name = re.sub(r"\.default(?=\.|$)", "", theirs.removeprefix("base_model.model."))
    end, (ours, change) = next((end, pair) for end, pair in case.names.items() if name.endswith(end))
    module = name.removesuffix(end.removeprefix("fc2.")).rstrip(".")
    return f"{module}.deltas.{ours}", change


def injected(golden: Golden, name: str, *, fast: bool) -> Injection:
    """Our model with peft's parameters."""
    case, model = CASES[name], golden.model()
    for key, residual in golden.of("residual").items():  # PiSSA: W is what peft left of it and what it took away
        module = key.removesuffix(".base_layer.weight")
        down, up = (golden.of("start")[f"{module}.lora_{side}.default.weight"] for side in "AB")
        weight = model.get_parameter(f"{module.removeprefix('base_model.model.')}.weight")
        torch.testing.assert_close(weight, residual + 2 * up @ down, rtol=0, atol=1e-6)
        weight.data = residual + 2 * up @ down
    deltas = unidelta.inject(model, name, fast=fast, **case.axes)
    parameters = dict(deltas.trained_parameters())
    assert {ours_of(theirs, case)[0] for theirs in golden.of("tuned")} == set(parameters)
    for theirs, tensor in golden.of("tuned").items():
        ours, change = ours_of(theirs, case)
        parameters[ours].data = change(tensor).clone()
    for theirs, tensor in golden.of("start").items():
        ours, _ = ours_of(theirs, case)
        deltas.model.get_buffer(re.sub(r"(down|up)$", r"start_\1", ours)).copy_(tensor)
    return deltas


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_weights_give_the_same_numbers(name, fast):
    golden, case = Golden(f"peft_{name}"), CASES[name]
    deltas = injected(golden, name, fast=fast)
    n_theirs = sum(tensor.numel() for tensor in golden.of("tuned").values())
    assert deltas.n_trained == deltas.counts().trained == n_theirs
    parameters = dict(deltas.trained_parameters())
    output = deltas.model(**golden.of("batch"))
    output.loss.backward()
    close = {"rtol": 0, "atol": TOLERANCE}
    torch.testing.assert_close(output.logits, golden.tensors["logits"], **close)
    torch.testing.assert_close(output.loss, golden.tensors["loss"], **close)
    for theirs, gradient in golden.of("gradient").items():
        ours, change = ours_of(theirs, case)
        torch.testing.assert_close(parameters[ours].grad, change(gradient), **close)
    if not case.merges:
        assert not golden.of("merged")
        return
    before = {key: tensor.clone() for key, tensor in deltas.model.state_dict().items()}
    deltas.merge()
    for key, merged in golden.of("merged").items():
        torch.testing.assert_close(deltas.model.get_parameter(key).data, merged, **close)
    torch.testing.assert_close(deltas.model(**golden.of("batch")).logits, golden.tensors["merged_logits"], **close)
    deltas.unmerge()
    assert all(tensor.equal(before[key]) for key, tensor in deltas.model.state_dict().items())
    assert deltas.model(**golden.of("batch")).logits.equal(output.logits)


def test_pissa_starts_from_the_triples_that_peft_takes():
    golden = Golden("peft_pissa")
    deltas = unidelta.inject(golden.model(), "pissa", budget=4, scale=2.0)
    parameters = dict(deltas.trained_parameters())
    for key, up in golden.of("start").items():
        if "lora_B" in key:
            down, ours = golden.of("start")[key.replace("lora_B", "lora_A")], ours_of(key, CASES["pissa"])[0]
            product = parameters[ours] @ parameters[ours.removesuffix("up") + "down"]
            torch.testing.assert_close(product.detach(), up @ down, rtol=0, atol=1e-6)  # peft computes in float32


def test_the_files_say_what_made_them_and_show_an_effect():
    for name in CASES:
        golden = Golden(f"peft_{name}")
        assert json.loads(golden.metadata["packages"])["peft"] == "0.21.2"
        plain = golden.model()(**golden.of("batch")).logits
        assert (plain - golden.tensors["logits"]).abs().max() > 0.01
