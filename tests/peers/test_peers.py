"""What peft computes, from the same weights: logits, loss, gradients and merged logits (files made by make.py)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.axes import Init, Insertion, Representation, Slot, TextStart
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.fast.switch import speed_up
from unidelta.injection.inject import inject

from ..float64 import kept_float64

TOLERANCE = 1e-12


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


def of_one(name: str, change: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> Pair:
    return Pair([name], lambda tensor: [change(tensor)], lambda ours: ours[0])


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
CASES: Mapping[str, tuple[Deltas, Callable[[str, Tensor], Pair]]] = {
    "ia3_bart": (IA3, ia3),
    "ia3_llama": (IA3, ia3),
    "prefix_llama": (Deltas(parts=(spec(Slot.ATTN, "prefix", Insertion.PARALLEL, "gated", **_BEHIND),)), prefix),
    **{f"lora_{name}": (low_rank("query", "value"), lora) for name in ("llama", "mistral", "qwen3", "gemma3", "t5")},
    **{f"lora_{name}": (low_rank("query", "key", "value"), lora) for name in ("gpt2", "modernbert")},
}


@pytest.fixture(autouse=True)
def no_float32() -> Iterator[None]:
    """Float64 stays float64, as in the files."""
    with kept_float64():
        yield


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
        missing, unexpected = model.load_state_dict(self.of("backbone"), strict=False)
        assert not unexpected and set(missing) <= {*model.all_tied_weights_keys, *model.all_tied_weights_keys.values()}
        return model


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_weights_give_the_same_numbers(name, fast):
    design, ours_of = CASES[name]
    golden = Golden(name)
    deltas = inject(golden.model(), design, generator=torch.Generator())
    if fast:
        speed_up(deltas)
    parameters = dict(deltas.trained_parameters())
    pairs = {theirs: ours_of(theirs, tensor) for theirs, tensor in golden.of("tuned").items()}
    assert sorted(name for pair in pairs.values() for name in pair.ours) == sorted(parameters)
    for theirs, pair in pairs.items():
        for ours, value in zip(pair.ours, pair.give(golden.of("tuned")[theirs]), strict=True):
            parameters[ours].data = value
    output = deltas.model(**golden.of("batch"))
    output.loss.backward()
    close = {"rtol": 0, "atol": TOLERANCE}
    torch.testing.assert_close(output.logits, golden.tensors["logits"], **close)
    torch.testing.assert_close(output.loss, golden.tensors["loss"], **close)
    for theirs, pair in pairs.items():
        gradient = pair.take([parameters[ours].grad for ours in pair.ours])
        torch.testing.assert_close(gradient, golden.of("gradient")[theirs], **close)
    if "merged_logits" in golden.tensors:
        deltas.merge()
        torch.testing.assert_close(deltas.model(**golden.of("batch")).logits, golden.tensors["merged_logits"], **close)


def test_the_files_say_what_made_them_and_show_an_effect():
    for name in CASES:
        golden = Golden(name)
        assert json.loads(golden.metadata["packages"])["peft"] == "0.21.2"
        plain = golden.model()(**golden.of("batch")).logits
        assert (plain - golden.tensors["logits"]).abs().max() > 0.01
