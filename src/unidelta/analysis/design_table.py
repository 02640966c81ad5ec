"""Table 1, the design space, generated from the designs; it needs no runs."""

from dataclasses import replace

import pandas as pd

from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.registry import register
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import Cell, Column, Table
from unidelta.design.axes import Conventions
from unidelta.design.describe import cells
from unidelta.design.published import published_for
from unidelta.design.resolve import resolve_design
from unidelta.design.spec import parts_of

_HEADS = ("method", "Δh, functional form", "insertion form", "modified representation", "composition function")
_ROWS = {
    "Prefix tuning": "prefix",
    "Adapter": "sa_ffn",
    "LoRA": "lora_attn",
    "Parallel adapter": "pa_ffn",
    "Multi-head PA": "mh_pa_attn",
    "Scaled PA": "scaled_pa_ffn",
}
"""The names in Table 1, each with its row in the other tables."""


@register("table1")
def design_space(runs: Runs, published: pd.DataFrame) -> Table:
    """Table 1 and the lower half of it, the new variants (He et al. 2022, §3.3)."""
    rows: list[tuple[Cell, ...]] = []
    backbone = published_for("bart", n_labels=0)
    for title, name in _ROWS.items():
        request = replace(ROWS[name].request(), conventions=Conventions.PAPER)
        design, _ = resolve_design(request, architecture=backbone, published=backbone)
        for part in parts_of(design):
            rows.append(tuple(Cell(text=text) for text in (title, *cells(part))))
    return Table(
        name="table1",
        title="Table 1: the design space",
        caption="What each method computes, written from its design by the paper's text. A form reads the query q, the"
        " input x or the output h of the sub-layer.",
        columns=tuple(Column(title=head, kind="text") for head in _HEADS),
        rows=tuple(rows),
    )
