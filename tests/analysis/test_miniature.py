"""The tables of docs/miniature.md show what the committed records say."""

import json
from pathlib import Path

import pytest

from unidelta.analysis.miniature import PAGE, RESULTS, cell, of, orderings, tables
from unidelta.analysis.page import filled
from unidelta.errors import DataError

ROOT = Path(__file__).parents[2]
NAN = float("nan")


def run(side: str, seed: int, test: float) -> dict[str, object]:
    return {"side": side, "task": "xsum", "seed": seed, "test": test}


def test_the_page_shows_what_the_records_say():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    made = tables(ROOT / RESULTS)
    assert "methods" in made
    assert filled(page, made, name="docs/miniature.md") == page


def test_a_score_of_the_page_is_the_mean_of_its_records():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| BitFit |"))
    scores = []
    for path in (ROOT / RESULTS / "main" / "mini" / "wmt_en_ro").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["coordinates"]["method"] == "bitfit":
            scores.append(record["metrics"]["test"]["bleu"])
    assert len(scores) == 3
    assert row.split("|")[4].split()[0] == f"{sum(scores) / 3:.1f}"


def test_a_cell_states_its_interval_and_how_many_runs_it_is_of_where_that_is_not_usual():
    three = [run("full", seed, score) for seed, score in ((1, 50.0), (2, 60.0), (3, 70.0))]
    half = "24.8"  # t(2, 0.975) · 10 / √3 = 4.303 · 5.774
    assert cell(three, usual=3) == f"60.0 ± {half}"
    assert cell(three, usual=2) == f"60.0 ± {half} (n=3)"
    assert cell(three, usual=5) == f"60.0 ± {half} (n=3 of 5)"
    two = [run("full", 1, 50.0), run("full", 2, NAN), run("full", 3, 60.0)]
    assert cell(two, usual=3) == cell(two, usual=2) == "55.0 ± 63.5 (n=2 of 3)"  # 12.706 · 7.071 / √2
    assert cell([run("full", 1, 50.0)], usual=3) == "50.0 (n=1)"
    assert cell([run("full", 1, NAN)], usual=3) == "0 of 1"
    assert cell([], usual=3) == "–"


def test_orderings_are_paired_by_seed_and_positions_are_told_apart():
    rows = [run("pa_ffn", 1, 80.0), run("pa_ffn", 2, 60.0), run("pa_ffn", 3, NAN)]
    rows += [run("sa_ffn", 2, 70.0), run("sa_ffn", 1, 50.0), run("sa_ffn", 3, 1.0), run("sa_attn", 1, 9.0)]
    line = next(line for line in orderings(rows).splitlines() if line.startswith("| PA (ffn) > SA (ffn)"))
    assert line.split(" | ")[2] == "+10.0 (1 of 2)"
    assert len(of(rows, "sa_attn")) == 1


def test_a_table_without_a_place_is_refused():
    with pytest.raises(DataError, match="no place for it"):
        filled("# page", {"methods": "| a |"}, name="a page")
