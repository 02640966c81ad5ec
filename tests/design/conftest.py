"""One design per name on any architecture, with the paper's sizes, for counting and describing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, Reparameterisation, Slot
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS, Details, Outline
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, FullFineTuning, PromptTuning


def _details(
    slot: str, form: str, insertion: str, *, family: str, conventions: str, at_layer_output: bool = False
) -> Details:
    """What a convention says of a delta."""
    outline = Outline(
        slot=Slot(slot),
        insertion=Insertion(insertion),
        at_layer_output=at_layer_output,
        family=FAMILIES[family],
    )
    return {"released": FORMS[form].released, "paper": FORMS[form].paper}[conventions](outline)


def _part(
    slot: str,
    form: str,
    insertion: str = "parallel",
    composition: str = "additive",
    *,
    family: str = "bart",
    conventions: str = "released",
    at_layer_output: bool = False,
    bottleneck: int = 200,
    **changes: Any,
) -> DeltaSpec:
    """A delta as a convention has it; `changes` are fields of `DeltaSpec`."""
    found = _details(slot, form, insertion, family=family, conventions=conventions, at_layer_output=at_layer_output)
    spec = DeltaSpec(
        slot=Slot(slot),
        form=form,
        insertion=Insertion(insertion),
        composition=composition,
        bottleneck=bottleneck if FORMS[form].size else 0,
        representation=found.representation,
        scale=4.0 if composition == "scaled" else 1.0,
        source=found.source,
        init=FORMS[form].inits[0],
        layer_norm=found.layer_norm,
        bias=found.bias,
        scaled_query=found.scaled_query,
        targets=tuple(FORMS[form].usual_targets.get(Slot(slot), ())),
    )
    return replace(spec, **changes)


_MLP = {"reparameterisation": Reparameterisation.MLP}


def _design(name: str, architecture: Architecture, **changes: Any) -> Design:
    f = architecture.family.name
    lora = {"init": Init.LORA}
    parts = {
        "prefix": lambda: (_part("attn", "prefix", composition="gated", family=f, **_MLP),),
        "prefix_direct": lambda: (_part("attn", "prefix", composition="gated", family=f),),
        "multihead": lambda: (_part("attn", "head_adapter", family=f, **_MLP),),
        "adapter_attn": lambda: (_part("attn", "bottleneck", "sequential", family=f),),
        "adapter": lambda: (_part("ffn", "bottleneck", "sequential", family=f),),
        "pfeiffer": lambda: (_part("ffn", "bottleneck", "sequential", family=f, at_layer_output=True, bottleneck=600),),
        "parallel_attn": lambda: (_part("attn", "bottleneck", family=f),),
        "parallel": lambda: (_part("ffn", "bottleneck", family=f, bottleneck=512),),
        "scaled": lambda: (_part("ffn", "bottleneck", composition="scaled", family=f, bottleneck=512, **lora),),
        "learned": lambda: (_part("ffn", "bottleneck", composition="learned_scale", family=f, bottleneck=512),),
        "lora_attn": lambda: (_part("attn", "low_rank", composition="scaled", family=f, **lora),),
        "lora_ffn": lambda: (_part("ffn", "low_rank", composition="scaled", family=f, bottleneck=102, **lora),),
        "lora_sequential": lambda: (_part("ffn", "low_rank", "sequential", "learned_scale", family=f),),
        "houlsby": lambda: parts["adapter_attn"]() + parts["adapter"](),
        "mam": lambda: (replace(parts["prefix"]()[0], bottleneck=30), *parts["scaled"]()),
        "ia3": lambda: tuple(_part(slot, "diagonal", "sequential", family=f) for slot in ("attn", "ffn")),
        "prefix_lora": lambda: (replace(parts["prefix"]()[0], bottleneck=30), *parts["lora_ffn"]()),
    }
    if name in parts:
        return Deltas(parts=tuple(replace(part, **changes) for part in parts[name]()))
    return {"bitfit": BitFit(), "full": FullFineTuning(), "prompt": PromptTuning(length=200)}[name]


@pytest.fixture(scope="session")
def part() -> Callable[..., DeltaSpec]:
    return _part


@pytest.fixture(scope="session")
def design() -> Callable[..., Design]:
    return _design


@pytest.fixture(scope="session")
def details() -> Callable[..., Details]:
    return _details
