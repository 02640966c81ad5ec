"""Table 1, the design space, from the designs themselves: no runs stand behind it."""

import pandas as pd

from unidelta.analysis.registry import register
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import Cell, Column, Table
from unidelta.design.axes import Composition, Conventions, Family, Form, Insertion, Slot
from unidelta.design.conventions import details
from unidelta.design.describe import composition_formula, functional_form, modified_representation
from unidelta.design.spec import DeltaSpec

_HEADS = ("method", "Δh, functional form", "insertion form", "modified representation", "composition function")
_Row = tuple[str, Slot, Form, Insertion, Composition]
_ROWS: tuple[_Row, ...] = (
    ("Prefix tuning", Slot.ATTN, Form.PREFIX, Insertion.PARALLEL, Composition.GATED),
    ("Adapter", Slot.FFN, Form.BOTTLENECK, Insertion.SEQUENTIAL, Composition.ADDITIVE),
    ("LoRA", Slot.ATTN, Form.LOW_RANK, Insertion.PARALLEL, Composition.SCALED),
    ("Parallel adapter", Slot.FFN, Form.BOTTLENECK, Insertion.PARALLEL, Composition.ADDITIVE),
    ("Multi-head PA", Slot.ATTN, Form.HEAD_ADAPTER, Insertion.PARALLEL, Composition.ADDITIVE),
    ("Scaled PA", Slot.FFN, Form.BOTTLENECK, Insertion.PARALLEL, Composition.SCALED),
)


def design_space(runs: Runs, published: pd.DataFrame) -> Table:
    """Table 1 and the lower half of it, the new variants (He et al. 2022, §3.3)."""
    rows = []
    for name, slot, form, insertion, composition in _ROWS:
        part = _part(slot, form, insertion, composition)
        words = (
            functional_form(part),
            str(part.insertion),
            modified_representation(part),
            composition_formula(part),
        )
        rows.append(tuple(Cell(text=text) for text in (name, *words)))
    return Table(
        name="table1",
        title="Table 1: the design space",
        caption="What each method computes, written from its design by the paper's text. A form reads the query q, the"
        " input x or the output h of the sub-layer.",
        columns=tuple(Column(title=head, kind="text") for head in _HEADS),
        rows=tuple(rows),
    )


def _part(slot: Slot, form: Form, insertion: Insertion, composition: Composition) -> DeltaSpec:
    on = details(
        slot=slot,
        form=form,
        insertion=insertion,
        at_layer_output=False,
        family=Family.BART,
        conventions=Conventions.PAPER,
    )
    return DeltaSpec(
        slot=slot,
        form=form,
        insertion=insertion,
        composition=composition,
        bottleneck=1,
        representation=on.representation,
        targets=("query", "value") if form is Form.LOW_RANK else (),
    )


register("table1", design_space)
