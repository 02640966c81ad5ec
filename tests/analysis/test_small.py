"""docs/small.md agrees with its records, and pairs are counted right."""

import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

import pytest
from scipy import stats

from unidelta.analysis.difference import Difference
from unidelta.analysis.frame import rows, runs
from unidelta.analysis.page import filled
from unidelta.analysis.small import COMPARED, PAGE, SMALL, RowPair, _agreement, tables
from unidelta.analysis.tuning import curves

ROOT = Path(__file__).parents[2]
FULL, PROBE = COMPARED[-1], COMPARED[0]


def pair(small: float, mini: float | None, paper: float | None, error: float = 1.0) -> RowPair:
    here = Difference(n=5, mean=small, deviations=(1.0, 1.0), error=error, freedom=8.0)
    there = Difference(n=0) if mini is None else Difference(n=3, mean=mini)
    return RowPair(first=FULL, second=PROBE, small=here, mini=there, paper=paper)


def test_a_pair_counts_where_both_scales_have_an_order():
    pairs = [
        pair(2.0, 1.0, 0.5),
        pair(-2.0, 1.0, -0.5),
        pair(3.0, -1.0, None),
        pair(1.0, None, 0.4),
        pair(4.0, 2.0, 0.0),
    ]
    first, second, third, sure = _agreement(pairs).splitlines()
    assert "Of 4 pairs, the miniature orders as MiniLM does 2: 50 %" in first
    assert "Of 3 pairs, MiniLM orders as the paper does 3: 100 %" in second
    assert "Of 2 pairs, the miniature orders as the paper does 1: 50 %" in third
    # the interval of a difference d with error 1 and 8 degrees of freedom excludes 0 from 2.31 on
    assert "Of the 2 pairs" in sure and "orders 1 as MiniLM" in sure
    assert pair(94.3 - 94.2 - 0.1, None, -0.1).signs() == {"small": 0, "mini": 0, "paper": -1}  # 0 but for rounding
    assert pair(2.31, 1.0, None).is_sure and not pair(2.30, 1.0, None).is_sure


def test_the_page_is_that_of_the_records_and_its_means_are_theirs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    page = PAGE.read_text(encoding="utf-8")
    made = tables()
    assert filled(page, made, name="page") == page
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for path in (SMALL / "small" / "sst2").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["coordinates"]["source"] == "local" and record["metrics"]["validation"]["n"] == 872
        at = record["coordinates"]["method"], f"{record['parameters']['percent_matrices']:.0f}"
        scores[at].append(record["metrics"]["validation"]["accuracy"])
    assert len(scores) == len(COMPARED)
    shown = [line.split(" | ")[2] for line in made["methods"].splitlines()[2:]]
    for values in scores.values():
        assert len(values) == 5
        half = stats.t.ppf(0.975, 4) * stdev(values) / math.sqrt(5)
        assert f"{mean(values):.1f} ± {half:.1f}" in shown


def test_every_row_had_the_same_trials_and_its_best_rate_is_on_no_edge():
    found = curves(rows(runs(ROOT / "results/small/tuning")))
    assert len(found) == len(COMPARED)
    for tuned, curve in found.items():
        assert curve.seeds == (1001, 1002, 1003) and len(curve.rates) >= 5 and curve.beyond() is None, tuned
    for path in (ROOT / "results/small/tuning").rglob("*.json"):
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        assert "train[-1000:]" in metrics and "validation" not in metrics
