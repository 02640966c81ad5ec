"""The tables of docs/miniature.md show what the committed records say."""

import json
from pathlib import Path

import pytest

from unidelta.analysis.miniature import PAGE, RESULTS, cell, gaps, of, orderings, tables
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


def test_a_gap_is_to_full_fine_tuning_and_signs_are_kept_or_not():
    usual = [run("full_ft", 1, 90.0), run("pa_ffn", 1, 70.0), run("pa_ffn", 2, 74.0), run("sa_ffn", 1, 60.0)]
    doubled = [run("full_ft", 1, 95.0), run("pa_ffn", 1, 91.0), run("sa_ffn", 1, 92.0), run("sa_ffn", 2, NAN)]
    usual += [run("pa_attn", 1, 9.0), run("bitfit", 1, 1.0)]  # of what has no run with more steps nothing is known
    doubled += [run("pa_attn", 1, 7.0)]
    table = gaps(usual, doubled).splitlines()
    assert [line.split(" | ")[:2] for line in table[2:5]] == [
        ["| SA (ffn)", "30.0 → 3.0"],
        ["| PA (attn)", "81.0 → 88.0"],
        ["| PA (ffn)", "18.0 → 4.0"],
    ]
    # of PA over SA at the FFN (+12, −1) and PA at the FFN over attention (+63, +84) the second stays
    assert table[-1] == "Of the 2 differences of the orderings, 1 keep their sign."
    assert len(table) == 7


def test_the_gaps_of_the_page_are_those_of_the_records():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| MAM |") and "→" in line)
    shown = [float(number) for number in row.split("|")[2].split(" → ")]
    for folder, gap in zip(("main", "doubled"), shown, strict=True):
        scores: dict[str, list[float]] = {"full": [], "mam": []}
        for path in (ROOT / RESULTS / folder / "mini" / "xsum").glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["coordinates"]["method"] in scores:
                scores[record["coordinates"]["method"]].append(record["metrics"]["test"]["rouge2"])
        assert {len(found) for found in scores.values()} == {3}
        assert abs(sum(scores["full"]) / 3 - sum(scores["mam"]) / 3 - gap) <= 0.051


def test_a_table_without_a_place_is_refused():
    with pytest.raises(DataError, match="no marker for this table"):
        filled("# page", {"methods": "| a |"}, name="a page")
