"""docs/design-space.md is up to date, and each combination behaves as it says."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import fields, replace
from functools import cache

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

from unidelta.config import design_space
from unidelta.config.groups import options
from unidelta.config.schema import RunConfig
from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.axes import Insertion, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.count import count
from unidelta.design.form import FORMS
from unidelta.design.request import BudgetConfig, MethodConfig, PositionConfig, SlotConfig
from unidelta.design.resolve import resolve_design
from unidelta.design.rules import every_rule
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject

from ..composed import composed

PAPER = ("bottleneck", "low_rank", "prefix", "head_adapter")
TINY = BartConfig(
    vocab_size=11,
    d_model=8,
    encoder_layers=1,
    decoder_layers=1,
    encoder_ffn_dim=12,
    decoder_ffn_dim=12,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    max_position_embeddings=16,
)


def text() -> str:
    return design_space.DOCUMENT.read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the last table below a heading that starts so, without its head."""
    section = re.split(r"^#+ ", text(), flags=re.MULTILINE)
    (found,) = [part for part in section if part.startswith(heading)]
    lines = found.rstrip().split("\n\n")[-1].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def counted(heading: str, method: str) -> list[str]:
    return next(row[2:] for row in table(heading) if row[0] == f"`{method}`")


def combination(base: RunConfig, form: str, where: str, insertion: str, composition: str, *, after: bool) -> RunConfig:
    width = 3 if form in ("prefix", "head_adapter") else None
    size = 0 if form == "diagonal" else 2
    slot = SlotConfig(form=form, bottleneck=size, insertion=insertion, composition=composition, mlp_width=width)
    attn, ffn = (replace(slot, targets=list(FORMS[form].usual_targets.get(each, ()))) for each in Slot)
    return replace(
        base,
        method=MethodConfig(name="combination", attn=attn, ffn=replace(ffn, at_layer_output=after)),
        position=PositionConfig(name=where, slots=["attn", "ffn"] if where == "both" else [where]),
        budget=BudgetConfig(name="paper"),
    )


def what_happens(config: RunConfig) -> tuple[set[str], int, int, set[str]]:
    """Why it is refused; if it is not, its trained parameters, their closed form, and the classes of its forms."""
    architecture = architecture_of(TINY, name="tiny")
    design, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
    if problems:
        return {problem.why for problem in problems}, 0, 0, set()
    with torch.device("meta"):
        model = BartForConditionalGeneration(deepcopy(TINY))  # the injection changes its configuration
    injection = inject(model, design, generator=torch.Generator().manual_seed(0))
    classes = {type(module.form).__name__ for module in model.modules() if isinstance(module, Delta | WeightDelta)}
    return set(), injection.n_trained, count(design, architecture).trained, classes


def test_what_is_printed_and_written_is_the_committed_file(monkeypatch, tmp_path, capsys):
    committed = text()
    monkeypatch.setattr(design_space, "document", cache(design_space.document))  # takes seconds
    design_space.main([])
    assert capsys.readouterr().out == committed, "run python -m unidelta.config.design_space --write"
    monkeypatch.setattr(design_space, "DOCUMENT", tmp_path / "document.md")
    design_space.main(["--write"])
    assert (tmp_path / "document.md").read_text(encoding="utf-8") == committed
    assert capsys.readouterr().out == ""


def test_every_combination_is_there():
    rows = table("Every combination")
    expected = [(f"`{form}`", where) for form in FORMS for where in ("attn", "ffn", "both")]
    assert [tuple(row[:2]) for row in rows if "at_layer_output" not in row[0]] == expected
    assert {len(row) - 2 for row in rows} == {len(Insertion) * len(COMPOSITIONS)}


@pytest.mark.parametrize("conventions", ["released", pytest.param("paper", marks=pytest.mark.slow)])
def test_what_is_marked_is_built_and_counted_and_the_rest_refused_by_the_rules_named(conventions):
    base = replace(composed([]), conventions=conventions)
    columns: Sequence[tuple[str, str]] = [(i, c) for i in Insertion for c in COMPOSITIONS]
    wrong, n_built, classes = [], 0, defaultdict[str, set[str]](set)
    for form, where, *cells in table("Every combination"):
        after = "at_layer_output" in form
        for (insertion, composition), cell in zip(columns, cells, strict=True):
            name = form.split("`")[1]
            config = combination(base, name, where, insertion, composition, after=after)
            refusals, n_trained, closed_form, built = what_happens(config)
            classes[name] |= built
            named = {every_rule()[int(number) - 1].why for number in re.findall(r"R(\d+)", cell)}
            n_built += cell == "✓" and name in PAPER
            if refusals != named or n_trained != closed_form or (cell == "✓") != (n_trained > 0):
                wrong.append((form, where, insertion, composition, cell, refusals, n_trained, closed_form))
    assert not wrong
    assert sorted(len(built) for built in classes.values()) == [1] * len(FORMS)
    assert len(set[str]().union(*classes.values())) == len(FORMS), "one form is built as another"
    # adapters and low rank: three positions, 12 columns of h each, low rank two of weights; prefix 7 and head adapter 6
    # at attention; Pfeiffer 6
    assert n_built == 2 * 3 * 12 + 3 * 2 + 7 + 6 + 6


def test_the_counts_are_those_of_the_equations():
    d, attentions, ffns = 1024, 36, 24
    mam = 2 * 30 * d * attentions + 2 * 512 * d * ffns
    biases = (512 + d) * ffns
    mlp = 3 * (30 * d + (d + 1) * 800 + 801 * 12 * 2 * d) - 2 * 30 * d * attentions
    expected = [f"{mam + biases + mlp:,}", f"{mam + biases:,}", f"{mam:,}", "6.7"]
    assert counted("bart-large", "mam") == counted("mbart-large-cc25", "mam") == expected
    assert counted("roberta-base", "lora") == [f"{2 * 2 * 16 * 768 * 12:,}"] * 3 + ["0.5"]
    truncated = math.floor(10 * 100 * 2 * 1024 * 512 * ffns / 406_291_456) / 10
    assert counted("bart-large", "scaled_parallel_adapter")[-1] == f"{truncated:g}" == "6.1"
    assert counted("roberta-base", "prompt") == ["—"] * 4


def test_every_preset_rule_and_key_is_listed():
    methods = [f"`{name}`" for name in options("method")]
    for backbone in ("bart-large", "mbart-large-cc25", "roberta-base"):
        assert [row[0] for row in table(backbone)] == methods
    assert [row[1] for row in table("Rules")] == [rule.name for rule in every_rule()]
    for name in (field.name for field in fields(SlotConfig)):
        assert f"\n| `{name}` |" in text()
    for axis in ("position", "insertion", "composition", "budget"):
        assert [v for a, v in re.findall(r"\| `(\w+)=(\w+)` \|", text()) if a == axis] == options(axis)


def test_table_1_has_the_papers_rows():
    released, paper = text().split("With `conventions=paper`")
    assert "| mam | softmax(q P_kᵀ) P_v | parallel | head attention output | h ← (1−λ)·h + λ·Δh |" in released
    assert "| parallel_adapter_both | ReLU(x W_down) W_up | parallel | attention output | h ← h + Δh |" in paper
    assert "concatenated heads" in released
    assert "concatenated heads" not in paper
