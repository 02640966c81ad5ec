"""The paper's tables from records: what is measured, what is printed, what is missing and what to type for it."""

from statistics import mean

import pytest
from scipy import stats

from unidelta.analysis.design_table import design_space
from unidelta.analysis.in_print import signed
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.registry import artefact, artefacts
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import read
from unidelta.analysis.table import Cell, Table
from unidelta.errors import ConfigError

PRINTED = published(FIGURES)


def made(name: str, runs: Runs) -> Table:
    table = artefact(name)(runs, PRINTED)
    assert isinstance(table, Table)
    return table


def cells(table: Table, label: str) -> dict[str, Cell]:
    (row,) = [row for row in table.rows if row[0].text == label]
    heads = [f"{column.group} {column.title}" if column.kind in ("published", "difference") else column.title
             for column in table.columns]  # fmt: skip
    return dict(zip(heads, row, strict=True))


@pytest.fixture
def no_runs(tmp_path, monkeypatch) -> Runs:
    monkeypatch.chdir(tmp_path)
    return read("records", scale="paper")


def test_there_are_seven_tables_in_the_papers_order():
    tables = [name for name in artefacts() if not name.startswith("fig")]
    assert tables == ["table1", "table2", "table3", "table4", "table5", "table6", "table12"]


def test_every_printed_number_stands_in_its_table(no_runs):
    for name in ("table2", "table3", "table4", "table5", "table6", "table12"):
        table = made(name, no_runs)
        mine = PRINTED[PRINTED["artefact"] == f"Table {name[5:]}"]
        kinds = [column.kind for column in table.columns]
        shown = [cell for row in table.rows for cell, kind in zip(row, kinds, strict=True) if kind == "published"]
        printed = [f"{r['value']} ± {r['std']}" if r["std"] else r["value"] for r in mine.to_dict("records")]
        assert sorted(cell.text for cell in shown if cell.text != "–") == sorted(printed)


def test_without_runs_a_cell_is_a_dash_with_its_command(no_runs):
    row = cells(made("table6", no_runs), "MAM Adapter (l=30, r=512)")
    assert row["XSum R-2"].text == "–"
    assert row["XSum R-2"].command == (
        "python train.py -m method=mam method.attn.bottleneck=30 method.ffn.bottleneck=512 task=xsum scale=paper"
        " seed=42,15217,65537"
    )
    assert row["XSum R-2 paper"].text == "21.90 ± 0.01"
    assert row["XSum R-2 difference"].text == "–"
    prompt = cells(made("table6", no_runs), "Prompt tuning")
    assert "method.length=300" in str(prompt["XSum R-2"].command)
    assert "method.length=200" in str(prompt["WMT16 en-ro BLEU"].command)


def test_a_cell_is_the_mean_and_the_t_interval_of_its_runs(run_of, stored):
    scores = [80.0, 81.5, 82.1]
    folder = stored(*(run_of("prefix", seed, score) for seed, score in enumerate(scores, 1)))
    row = cells(made("table3", read(str(folder), scale="mini")), "Prefix, l=200")
    low, high = stats.t.interval(0.95, 2, mean(scores), stats.sem(scores))
    assert row["mini-XSum R-2"].text == f"{mean(scores):.2f} ± {(high - low) / 2:.2f} (n=3)"
    assert row["mini-XSum R-2"].score.seeds == (1, 2, 3)
    assert row["mini-WMT BLEU"].text == "–"
    assert row["mini-WMT BLEU"].command == (
        "python train.py -m method=prefix method.attn.bottleneck=200 task=wmt_en_ro seed=31,32,33,34,35"
        f" results_dir={folder}"
    )
    assert row["bottleneck"].text.startswith("200 → ")


def test_what_did_not_complete_is_counted_in_the_cell(run_of, stored):
    folder = stored(
        run_of("prefix", 1, 80.0),
        run_of("prefix", 2, 0.0, status="diverged", reason="loss is nan"),
        run_of("full", 1, 0.0, status="failed", reason="out of memory"),
        run_of("full", 2, 0.0, status="failed", reason="out of memory"),
    )
    table = made("table6", read(str(folder), scale="mini"))
    assert cells(table, "Prefix tuning, l=200")["mini-XSum R-2"].text == "80.00 (n=1, 1 diverged)"
    full = cells(table, "Full fine-tuning")["mini-XSum R-2"]
    assert full.text == "– (2 failed)"
    assert full.command is not None
    assert table.notes == ("Failed, diverged and interrupted runs are counted in their cells but not averaged.",)


def test_the_miniature_is_never_beside_the_paper_nor_called_by_its_datasets(run_of, stored):
    runs = read(str(stored(run_of("full", 1, 80.0))), scale="mini")
    for name, make in artefacts().items():
        table = make(runs, PRINTED)
        if isinstance(table, Table) and name != "table1":
            assert {column.kind for column in table.columns}.isdisjoint({"published", "difference"})
            assert all(column.title.startswith("mini-") for column in table.columns if column.kind == "score")


def test_at_the_papers_scale_the_difference_is_measured_less_printed(run_of, stored, bart_large):
    from dataclasses import replace

    records = []
    for seed, score in ((1, 20.0), (2, 20.5)):
        record = run_of("prefix", seed, score)
        spec = {**record.spec, "scale": "paper"}
        spec["backbone"] = {**spec["backbone"], "architecture": bart_large.to_dict()}
        spec["design"]["parts"][0]["bottleneck"] = 200
        records.append(replace(record, spec=spec, coordinates={**record.coordinates, "scale": "paper"}))
    row = cells(made("table3", read(str(stored(*records)), scale="paper")), "Prefix, l=200")
    assert row["XSum R-2"].value == 20.25
    assert row["XSum R-2 paper"].text == "20.46"
    assert row["XSum R-2 difference"].text == "−0.21"


def test_a_signed_number_has_a_true_minus_and_zero_has_none():
    assert [signed(value, 1) for value in (1.25, -0.3, 0.0, -0.01)] == ["+1.2", "−0.3", "0.0", "0.0"]


def test_table_1_is_the_papers(no_runs):
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in design_space(no_runs, PRINTED).rows}
    assert rows["Prefix tuning"] == [
        "softmax(q P_kᵀ) P_v", "parallel", "head attention output", "h ← (1−λ)·h + λ·Δh",
    ]  # fmt: skip
    assert rows["Adapter"] == ["ReLU(h W_down) W_up", "sequential", "FFN output", "h ← h + Δh"]
    assert rows["LoRA"] == ["x W_down W_up", "parallel", "attention query, value", "h ← h + s·Δh"]
    assert rows["Scaled PA"] == ["ReLU(x W_down) W_up", "parallel", "FFN output", "h ← h + s·Δh"]


def test_an_unknown_table_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="table1, table2"):
        artefact("table7")
