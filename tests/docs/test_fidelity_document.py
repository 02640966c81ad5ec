"""docs/fidelity.md: its evidence exists, its numbers are those in the tables, and `conventions` does what it says."""

import csv
import json
import re
from dataclasses import replace
from itertools import product

from unidelta.config.resolve import published_architecture
from unidelta.config.resolve_prompt import n_outputs
from unidelta.config.schema import InsertionConfig
from unidelta.design.axes import LayerNorm, Representation, Source
from unidelta.design.resolve import resolve_design
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.extensions.paths import CONF
from unidelta.fidelity.counts import TABLE

from ..composed import composed

ROOT = CONF.parent
GOLDEN = ROOT / "tests" / "golden"
TEXT = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
MODELS = {"bart": "xsum", "mbart": "wmt_en_ro", "roberta": "mnli"}


def evidence(text: str) -> list[tuple[str, str]]:
    """(row, last cell) of the numbered rows."""
    return re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", text, re.MULTILINE)


def golden_names(cell: str) -> list[str]:
    """`bart.z` for every golden file that a cell names, * left as it is."""
    cell = re.sub(r"`[^`]*`", "", cell)
    found = re.findall(r"(?<![\w.])((?:(?:bart|mbart|roberta)/?)*)\.([a-z]\w*\*?)", cell)
    return [f"{m}.{name}" for models, name in found for m in (models or "bart/mbart/roberta").split("/")]


def part(model: str, *typed: str, insertion: str | None = None, conventions: str = "released") -> DeltaSpec:
    config = replace(composed((f"task={MODELS[model]}", *typed)), conventions=conventions)
    if insertion is not None:
        config = replace(config, insertion=InsertionConfig(name=insertion))
    architecture = published_architecture(config.backbone, n_labels=n_outputs(config))
    design, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
    assert not problems and isinstance(design, Deltas)
    return design.parts[0]


def test_the_rows_are_numbered_and_every_golden_file_named_exists():
    rows = evidence(TEXT)
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    names = [name for _, cell in rows for name in golden_names(cell)]
    assert len(names) > 60
    assert [name for name in names if not list(GOLDEN.glob(f"{name}.json"))] == []


def test_the_files_without_numbers_are_those_of_the_text():
    files = {path.stem: json.loads(path.read_text()) for path in GOLDEN.glob("*.json")}
    failed = {name for name, data in files.items() if data["status"] != "ok"}
    assert len(files) - len(failed) == int(re.search(r"`(\d+) passed, 0 failed`", TEXT)[1])
    assert failed == {"bart.pfeiffer", "roberta.prefix_gate_noln", "roberta.prefix_gate_ln", "roberta.prompt_tuning"}
    section = TEXT.split("## Where the authors' code cannot run")[1].split("\n## ")[0]
    assert failed <= set(golden_names(section.replace(", .prefix_gate_ln", ", roberta.prefix_gate_ln")))


def test_every_large_number_is_one_of_the_counts_or_follows_from_them():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert f"`{len(rows)} passed, 0 failed`" in TEXT
    counted = {int(value) for row in rows for value in row.values() if value and value.isdigit()}
    head = {n: 768 * 768 + 768 * n + 768 + n for n in (2, 3)}
    derived = {*head.values(), 46_783_200 - 31_087_360}
    numbers = {int(n.replace(",", "")) for n in re.findall(r"\b\d{1,3}(?:,\d{3})+\b", TEXT)}
    assert {n for n in numbers if n >= 50_000} <= counted | derived
    assert {n for n in numbers if n < 50_000} == {1_600, 16_384, 4_096}


def test_rows_1_to_3_adapters_at_attention(subtests):
    for model, (insertion, place) in product(
        MODELS, {"parallel": Representation.CONCAT, "sequential": Representation.SUBLAYER}.items()
    ):
        typed = ["method=adapter", "position=attn"]
        with subtests.test(model=model, insertion=insertion):
            released, paper = (part(model, *typed, insertion=insertion, conventions=c) for c in ("released", "paper"))
            assert (released.representation, released.layer_norm, released.bias) == (place, LayerNorm.IN, True)
            assert (paper.representation, paper.layer_norm) == (Representation.SUBLAYER, LayerNorm.NONE)
            assert not paper.bias


def test_rows_4_to_6_the_architectures_differ(subtests):
    for model in MODELS:
        with subtests.test(model=model):
            sources = [part(model, "method=parallel_adapter", conventions=c).source for c in ("released", "paper")]
            read = Source.RESIDUAL_STREAM if model == "mbart" else Source.SUBLAYER_INPUT
            assert sources == [read, Source.SUBLAYER_INPUT]
            heads = [part(model, "method=multihead_parallel_adapter", conventions=c) for c in ("released", "paper")]
            norm = LayerNorm.IN if model == "bart" else LayerNorm.NONE
            assert [(h.layer_norm, h.scaled_query) for h in heads] == [
                (norm, model != "bart"),
                (LayerNorm.NONE, False),
            ]
            after = [part(model, "method=adapter_pfeiffer", conventions=c) for c in ("released", "paper")]
            place = Representation.LAYER if model == "mbart" else Representation.RESIDUAL
            assert [a.representation for a in after] == [place, Representation.LAYER]


def test_row_7_the_head_follows_the_convention_unless_it_is_said():
    trained = {}
    for conventions, head in product(("released", "paper"), ("conventions", "frozen", "trained")):
        config = composed(("task=sst2", "method=mam"))
        config = replace(config, conventions=conventions, training=replace(config.training, head=head))
        architecture = published_architecture(config.backbone, n_labels=2)
        design, _ = resolve_design(config.request(), architecture=architecture, published=architecture)
        assert isinstance(design, Deltas)
        trained[conventions, head] = design.trains_head
    assert [trained["released", h] for h in ("conventions", "frozen", "trained")] == [False, False, True]
    assert [trained["paper", h] for h in ("conventions", "frozen", "trained")] == [True, False, True]


def test_what_the_switch_leaves_alone():
    for typed in (["method=prefix"], ["method=lora"], ["method=prefix", "composition=additive"]):
        assert part("mbart", *typed) == part("mbart", *typed, conventions="paper")
