"""What peft computes, from the same weights: logits, loss, gradients, merged weights (files made by make.py)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

import unidelta
from unidelta.design.axes import Init, Insertion, Representation, Slot, TextStart
from unidelta.design.form import FORMS
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.injection.injection import Injection

from ..float64 import kept_float64
from .golden import TOLERANCE, Golden

CLOSE = {"rtol": 0, "atol": TOLERANCE}


def spec(slot: Slot, form: str, insertion: Insertion, composition: str, **fields: object) -> DeltaSpec:
    """A delta at its usual place."""
    place = {"low_rank": Representation.LINEAR, "diagonal": Representation.LINEAR, "prefix": Representation.HEADS}
    changes = {"bias": False, "bottleneck": 0, "init": FORMS[form].inits[0], "representation": place[form], **fields}
    return DeltaSpec(slot=slot, form=form, insertion=insertion, composition=composition, **changes)


def low_rank(*targets: str) -> Deltas:
    """Rank 2 and s = 3 at attention."""
    fields = {"bottleneck": 2, "scale": 3.0, "init": Init.LORA, "targets": targets}
    return Deltas(parts=(spec(Slot.ATTN, "low_rank", Insertion.PARALLEL, "scaled", **fields),))


@dataclass
class Pair:
    """One of peft's tensors, and ours that are together the same: how to give it to them, how to take theirs back."""

    ours: list[str]
    give: Callable[[Tensor], list[Tensor]]
    take: Callable[[list[Tensor]], Tensor]


def same(tensor: Tensor) -> Tensor:
    return tensor


def of_one(name: str, give: Callable[[Tensor], Tensor] = same, take: Callable[[Tensor], Tensor] = same) -> Pair:
    return Pair([name], lambda tensor: [give(tensor)], lambda ours: take(ours[0]))


def ia3(name: str, theirs: Tensor) -> Pair:
    """A row or a column of peft's is a vector of ours."""
    module = name.removeprefix("base_model.model.").removesuffix(".ia3_l.default")
    place = "inner" if module.endswith(("fc2", "down_proj")) else "linear"
    ours = f"{module}.deltas.{place}.form.factors"
    return Pair([ours], lambda tensor: [tensor.flatten()], lambda mine: mine[0].reshape(theirs.shape))


def lora(name: str, theirs: Tensor) -> Pair:
    """A is down and B is up; of several maps in one module peft has one A, which is ours three times."""
    module, letter = re.fullmatch(r"base_model\.model\.(.*)\.lora_([AB])\.default\.weight", name).groups()
    leaf = {"A": "down", "B": "up"}[letter]
    if not module.endswith(("c_attn", "Wqkv")):
        return of_one(f"{module}.deltas.linear.form.{leaf}")
    ours = [f"{module}.deltas.{role}.form.{leaf}" for role in ("query", "key", "value")]
    if letter == "A":
        return Pair(ours, lambda tensor: [tensor.clone() for _ in ours], lambda mine: torch.stack(mine).sum(0))
    return Pair(ours, lambda tensor: list(tensor.chunk(3)), torch.cat)


def prefix(name: str, theirs: Tensor) -> Pair:
    """One row a token, the key and the value of every layer side by side."""
    layers = range(2)
    ours = [f"model.layers.{i}.self_attn.deltas.heads.form.prefix.{one}" for i in layers for one in ("key", "value")]
    return Pair(ours, lambda tensor: list(tensor.chunk(len(ours), dim=1)), lambda mine: torch.cat(mine, dim=1))


IA3 = Deltas(
    parts=(
        spec(Slot.ATTN, "diagonal", Insertion.SEQUENTIAL, "additive", targets=("key", "value")),
        spec(Slot.FFN, "diagonal", Insertion.SEQUENTIAL, "additive", targets=("inner",)),
    )
)
_BEHIND = {"bottleneck": 3, "text_start": TextStart.LENGTH}  # peft numbers text on from the prefix
PREFIX = Deltas(parts=(spec(Slot.ATTN, "prefix", Insertion.PARALLEL, "gated", **_BEHIND),))
_LIKE_LLAMA = ("llama", "mistral", "qwen2", "qwen3", "gemma3")
CASES: Mapping[str, tuple[Deltas, Callable[[str, Tensor], Pair]]] = {
    "ia3_bart": (IA3, ia3),
    "ia3_llama": (IA3, ia3),
    "prefix_llama": (Deltas(parts=(spec(Slot.ATTN, "prefix", Insertion.PARALLEL, "gated", **_BEHIND),)), prefix),
    "prefix_qwen2": (Deltas(parts=(spec(Slot.ATTN, "prefix", Insertion.PARALLEL, "gated", **_BEHIND),)), prefix),
    **{
        f"lora_{name}": (low_rank("query", "value"), lora)
        for name in ("llama", "mistral", "qwen2", "qwen3", "gemma3", "t5")
    },
    **{f"lora_{name}": (low_rank("query", "key", "value"), lora) for name in ("gpt2", "modernbert")},
}


Names = Mapping[str, tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]]


def as_it_is(name: str) -> tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    return name, same, same


def transposed(name: str) -> tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    return name, lambda tensor: tensor.T, lambda tensor: tensor.T


def by_ends(names: Names) -> Callable[[str, Tensor], Pair]:
    """Ours by the ends of peft's names."""

    def ours_of(name: str, theirs: Tensor) -> Pair:
        name = re.sub(r"\.default(?=\.|$)", "", name.removeprefix("base_model.model."))
        end = next(end for end in names if name.endswith(end))
        ours, give, take = names[end]
        return of_one(f"{name.removesuffix(end).rstrip('.')}.deltas.{ours}", give, take)

    return ours_of


AB = {"lora_A.weight": as_it_is("linear.form.down"), "lora_B.weight": as_it_is("linear.form.up")}
LATER: Mapping[str, tuple[dict[str, Any], Names]] = {
    "dora_bart": (
        {"budget": 4, "scale": 2.0},
        {**AB, "lora_magnitude_vector.weight": as_it_is("linear.compose.magnitude")},
    ),
    "rslora_bart": ({"budget": 4, "scale": 8.0}, AB),
    "pissa_bart": ({"budget": 4, "scale": 2.0}, AB),
    "vera_bart": (
        {"budget": 4},
        {f"vera_lambda_{side}": as_it_is(f"linear.form.generated.{side}") for side in "db"},
    ),
    "miss_bart": ({"budget": 3}, {"miss_block": transposed("linear.form.generated.up")}),
    "hira_bart": ({"budget": 4}, {"hira_A": as_it_is("linear.form.down"), "hira_B": as_it_is("linear.form.up")}),
    "oft_bart": ({"budget": 4}, {"oft_R.weight": as_it_is("linear.form.skew")}),
    "hra_bart": ({"budget": 4}, {"hra_u": transposed("linear.form.normals")}),
    "loha_bart": (
        {"budget": 2},
        {
            f"hada_w{i}_{theirs}": as_it_is(f"linear.form.generated.{ours}_{i}")
            for i in (1, 2)
            for theirs, ours in (("a", "up"), ("b", "down"))
        },
    ),
    "lokr_bart": (
        {"budget": 1},
        {
            "lokr_w1": as_it_is("linear.form.generated.outer"),
            "lokr_w2_a": as_it_is("linear.form.generated.up"),
            "lokr_w2_b": as_it_is("linear.form.generated.down"),
        },
    ),
    "llama_adapter_llama": (
        {"budget": 3, "layers": "last:2"},
        {
            "adaption_prompt": ("heads.form.prefix.vectors", lambda tensor: tensor[0], lambda tensor: tensor[None]),
            "adaption_gate": as_it_is("heads.compose.learned_scale"),
        },
    ),
}
"""Presets: the axes of `unidelta.inject`, and our names by the ends of peft's."""


@pytest.fixture(autouse=True)
def no_float32() -> Iterator[None]:
    """Float64 stays float64, as in the files."""
    with kept_float64():
        yield


def injected(golden: Golden, name: str, *, fast: bool) -> tuple[Injection, dict[str, Pair]]:
    """Our model with peft's parameters, and which are which."""
    model = golden.model()
    for key, residual in golden.of("residual").items():  # PiSSA: W is what peft left of it and what it took away
        module = key.removesuffix(".base_layer.weight")
        down, up = (golden.of("start")[f"{module}.lora_{side}.default.weight"] for side in "AB")
        weight = model.get_parameter(f"{module.removeprefix('base_model.model.')}.weight")
        torch.testing.assert_close(weight, residual + 2 * up @ down, rtol=0, atol=1e-6)
        weight.data = residual + 2 * up @ down
    if name in LATER:
        axes, names = LATER[name]
        deltas, ours_of = unidelta.inject(model, name.rpartition("_")[0], fast=fast, **axes), by_ends(names)
    else:
        design, ours_of = CASES[name]
        deltas = unidelta.inject(model, design, fast=fast)
    parameters = dict(deltas.trained_parameters())
    pairs = {theirs: ours_of(theirs, tensor) for theirs, tensor in golden.of("tuned").items()}
    assert sorted(name for pair in pairs.values() for name in pair.ours) == sorted(parameters)
    for theirs, pair in pairs.items():
        for ours, value in zip(pair.ours, pair.give(golden.of("tuned")[theirs]), strict=True):
            parameters[ours].data = value.clone()
    for theirs, tensor in golden.of("start").items():
        (ours,) = pairs[theirs].ours
        deltas.model.get_buffer(re.sub(r"(down|up)$", r"start_\1", ours)).copy_(tensor)
    return deltas, pairs


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", [*CASES, *LATER])
def test_the_same_weights_give_the_same_numbers(name, fast):
    golden = Golden(name)
    deltas, pairs = injected(golden, name, fast=fast)
    assert deltas.n_trained == deltas.counts().trained
    if name in LATER:
        assert deltas.n_trained == sum(tensor.numel() for tensor in golden.of("tuned").values())
    parameters = dict(deltas.trained_parameters())
    output = deltas.model(**golden.of("batch"))
    output.loss.backward()
    torch.testing.assert_close(output.logits, golden.tensors["logits"], **CLOSE)
    torch.testing.assert_close(output.loss, golden.tensors["loss"], **CLOSE)
    for theirs, pair in pairs.items():
        gradient = pair.take([parameters[ours].grad for ours in pair.ours])
        torch.testing.assert_close(gradient, golden.of("gradient")[theirs], **CLOSE)
    if "merged_logits" not in golden.tensors:
        return
    before = {key: tensor.clone() for key, tensor in deltas.model.state_dict().items()}
    deltas.merge()
    for key, merged in golden.of("merged").items():
        torch.testing.assert_close(deltas.model.get_parameter(key).data, merged, **CLOSE)
    torch.testing.assert_close(deltas.model(**golden.of("batch")).logits, golden.tensors["merged_logits"], **CLOSE)
    deltas.unmerge()
    assert all(tensor.equal(before[key]) for key, tensor in deltas.model.state_dict().items())
    assert deltas.model(**golden.of("batch")).logits.equal(output.logits)


def test_pissa_starts_from_the_triples_that_peft_takes():
    golden = Golden("pissa_bart")
    deltas = unidelta.inject(golden.model(), "pissa", budget=4, scale=2.0)
    parameters, ours_of = dict(deltas.trained_parameters()), by_ends(AB)
    for key, up in golden.of("start").items():
        if "lora_B" in key:
            down, (ours,) = golden.of("start")[key.replace("lora_B", "lora_A")], ours_of(key, up).ours
            product = parameters[ours] @ parameters[ours.removesuffix("up") + "down"]
            torch.testing.assert_close(product.detach(), up @ down, rtol=0, atol=1e-6)  # peft computes in float32


def test_the_files_say_what_made_them_and_show_an_effect():
    for name in (*CASES, *LATER):
        golden = Golden(name)
        assert json.loads(golden.metadata["packages"])["peft"] == "0.21.2"
        plain = golden.model()(**golden.of("batch")).logits
        assert (plain - golden.tensors["logits"]).abs().max() > 0.01
