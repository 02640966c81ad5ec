"""One row for each setting: what is averaged, what differs, what is left out and counted."""

import hashlib
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import unidelta
from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.board import board_table
from unidelta.analysis.explore.leaving_out import best_on_dev
from unidelta.analysis.explore.select import select
from unidelta.analysis.explore.setting import settings_of
from unidelta.analysis.render import to_text
from unidelta.errors import ConfigError
from unidelta.records.record import to_json

ROOT = Path(__file__).parents[3]


def counted(notes: tuple[str, ...]) -> tuple[int, int]:
    """Runs that the first note counts, and the sum of those shown and those of every reason."""
    shown, total = (int(word.replace(",", "")) for word in re.findall(r"[\d,]+", notes[0])[:2])
    assert all(re.match(r"[\d,]+ runs? not shown, because ", note) for note in notes[1:])
    return total, shown + sum(int(note.split()[0].replace(",", "")) for note in notes[1:])


def test_one_record(table, run):
    made = unidelta.board(table(run(1, 50.0)))
    (row,) = made.to_dict("records")
    assert (row["method"], row["n"], row["mean"], row["seeds"], row["pareto"]) == ("sandwich", 1, 50.0, "1", True)
    assert math.isnan(row["ci95"]) and "n=0" not in to_text(board_table(made))


def test_three_seeds_are_a_row_with_the_t_interval_that_scipy_has(table, run):
    scores = [50.0, 53.0, 55.5]
    made = unidelta.board(table(*(run(seed, score) for seed, score in enumerate(scores))))
    (row,) = made.to_dict("records")
    low, high = stats.t.interval(0.95, 2, loc=np.mean(scores), scale=stats.sem(scores))
    assert (row["n"], row["low"], row["high"]) == (3, pytest.approx(low), pytest.approx(high))
    assert made.columns.tolist()[3:5] == ["method", "percent"]  # nothing differs


def test_an_interval_ends_where_scores_do_and_that_of_an_unknown_metric_nowhere(table, run):
    for metric, ends in (("accuracy", (-math.inf, 100.0)), ("ter", (-math.inf, math.inf))):
        rows = [run(seed, score, metric=metric, **{metric: score}) for seed, score in ((1, 90.0), (2, 99.0))]
        (row,) = unidelta.board(table(*rows)).to_dict("records")
        assert row["high"] == min(ends[1], row["mean"] + row["ci95"])


def test_the_backbone_is_a_column_where_it_differs_whatever_else_does(table, run):
    found = []
    for rates in ((0.001, 0.001), (0.001, 0.01)):  # the rates tell the settings apart too
        rows = [
            run(1, 50.0, {"backbone": {"checkpoint": name}, "training.learning_rate": rate}, backbone=name)
            for name, rate in zip(("owl", "wren"), rates, strict=True)
        ]
        found.append(unidelta.board(table(*rows)))
    assert [made.columns.tolist()[4] for made in found] == ["backbone", "backbone"]
    assert [sorted(made["backbone"]) for made in found] == [["owl", "wren"]] * 2
    assert "training.learning_rate" in found[1].columns
    alone = [run(1, 50.0, backbone="owl"), run(1, 40.0, task="cards", backbone="wren")]
    assert "backbone" not in unidelta.board(table(*alone)).columns  # each task has its own


def test_rates_are_rows_of_their_own_and_the_only_column_that_differs(table, run):
    rows = [run(seed, 50 + 1e3 * rate, {"training.learning_rate": rate}) for rate in (1e-3, 2e-3) for seed in (1, 2)]
    made = unidelta.board(table(*rows))
    assert made["training.learning_rate"].tolist() == [2e-3, 1e-3]
    assert made["n"].tolist() == [2, 2]
    assert made.columns.tolist()[3:6] == ["method", "training.learning_rate", "percent"]


def test_what_follows_from_the_method_is_no_column_and_what_tells_settings_apart_is_one(table, run):
    rows = [run(1, 50.0), run(1, 60.0, {"design.parts.0.bottleneck": 16}, method="hero", bottlenecks="16")]
    assert "bottlenecks" not in unidelta.board(table(*rows))
    rows.append(run(1, 70.0, {"design.parts.0.bottleneck": 32}, method="hero", bottlenecks="32"))
    assert unidelta.board(table(*rows))["bottlenecks"].tolist() == ["32", "16", "8"]
    rows.append(run(1, 80.0, {"design.parts.0.slot": "attn"}, method="hero"))
    rows.append(run(1, 81.0, {"design.kind": "other"}, method="hero"))  # alike by every column of runs
    made = unidelta.board(table(*rows))
    shown = made.drop(columns=["mean", "dev", "seconds", "pareto"], errors="ignore").astype(str)
    assert not shown.duplicated().any()


def test_fingerprints_are_shown_and_chosen_by_their_first_characters(table, run):
    first, second = (hashlib.sha256(rows).hexdigest() for rows in (b"rows", b"other rows"))
    made = table(run(1, 50.0, {"data.train": first}), run(2, 60.0, {"data.train": second}))
    assert set(unidelta.board(made)["data.train"]) == {first[:12], second[:12]}
    for typed in (first, first[:12]):
        assert select(made, f"data.train={typed}")["seed"].tolist() == [1]


def test_what_a_method_has_not_is_no_column_for_the_others(table, run):
    bare = run(1, 10.0, method="frozen")
    bare["settings"] = bare["settings"].replace('"learning_rate": 0.001, "max_steps": 100', "")
    made = unidelta.board(table(run(1, 50.0), run(1, 60.0, method="hero"), bare))
    assert made.columns.tolist()[3:5] == ["method", "percent"]


def test_scales_tasks_and_metrics_are_never_in_one_row(table, run):
    rows = [run(1, 50.0), run(1, 60.0, scale="paper"), run(1, 70.0, task="drinks"), run(2, 80.0, task="drinks")]
    made = unidelta.board(table(*rows))
    assert made[["scale", "task", "mean"]].values.tolist() == [
        ["mini", "drinks", 75.0],
        ["mini", "menus", 50.0],
        ["paper", "menus", 60.0],
    ]
    assert made["pareto"].all()  # each the only one of its group


def test_the_frontier_has_who_no_other_beats(table, run):
    at = [("a", 1.0, 50.0), ("b", 2.0, 50.0), ("c", 2.0, 60.0), ("d", 3.0, 55.0), ("e", 9.0, 70.0)]
    made = unidelta.board(table(*(run(1, score, method=name, percent=percent) for name, percent, score in at)))
    assert sorted(made[made["pareto"]]["method"]) == ["a", "c", "e"]
    low = unidelta.board(table(*(run(1, s, method=name, percent=p, lower_is_better="wer ter") for name, p, s in at)))
    assert sorted(low[low["pareto"]]["method"]) == ["a"] and low["mean"].is_monotonic_increasing


def test_runs_without_a_score_are_in_no_mean_and_none_is_lost(table, run):
    rows = [run(1, 50.0), run(2, None, status="diverged"), run(3, None), run(4, 70.0, task="drinks")]
    rows += [run(1, 50.0), run(5, None, status="failed", method="hero")]
    made = unidelta.board(table(*rows), task="menus")
    assert made["n"].tolist() == [1, 0]
    assert made["lost"].tolist() == ["1 diverged, 1 no score", "1 failed"]
    assert counted(made.attrs["notes"]) == (6, 6)
    assert made.attrs["notes"][0] == "4 of 6 runs shown."
    text = to_text(board_table(made))
    assert "1 run not shown, because they are of other tasks (drinks 1)." in text and "1 diverged" in text


def test_of_two_copies_of_a_run_the_complete_one_counts(table, run):
    stopped, done = run(1, None, status="interrupted"), run(1, 60.0)
    for rows in ([stopped, done], [done, stopped]):
        made = unidelta.board(table(*rows))
        assert (made["mean"].tolist(), made["n"].tolist(), made["lost"].tolist()) == ([60.0], [1], [""])


def test_dev_chooses_by_its_own_direction(table, run):
    """Dev scores are of the headline, whatever metric is asked for."""
    rates = {"training.learning_rate": 0.1}
    low_ter = {"metric": "f1", "lower_is_better": "ter"}
    rows = [run(1, 90.0, f1=90.0, **low_ter, ter=20.0), run(1, 30.0, rates, f1=30.0, **low_ter, ter=80.0)]
    chosen = best_on_dev(settings_of(table(*rows), Accounts(n_runs=2), metric="ter"))
    assert chosen is not None and chosen.value("dev") == 90.0
    low = [run(1, 90.0, lower_is_better="ter"), run(1, 30.0, rates, lower_is_better="ter")]  # the headline itself
    chosen = best_on_dev(settings_of(table(*low), Accounts(n_runs=2)))
    assert chosen is not None and chosen.value("dev") == 30.0


def test_what_is_not_there_is_refused_with_what_is(table, run):
    with pytest.raises(ConfigError, match="drinks") as refused:
        unidelta.board(table(run(1, 50.0)), task="drinks")
    assert refused.value.instead == "one of: menus"
    with pytest.raises(ConfigError, match="no run has a score of this name"):
        unidelta.board(table(run(1, 50.0)), metric="chrf")


def test_every_committed_run_is_in_a_row_or_counted():
    frame = unidelta.runs(ROOT / "results" / "mini")
    made = unidelta.board(frame)
    assert counted(made.attrs["notes"]) == (len(frame), len(frame))
    assert made["n"].sum() == frame.drop_duplicates("run_id")["test"].notna().sum()
    plain = frame.drop_duplicates("run_id").groupby("settings")["test"].mean()
    assert sorted(made["mean"].round(9)) == sorted(plain.round(9))
    shown = made.drop(columns=["mean", "ci95", "low", "high", "seconds", "pareto", "n", "seeds"]).astype(str)
    assert not shown.duplicated().any()  # no two rows look the same


@pytest.mark.slow
def test_ten_thousand_records_take_ten_seconds(tmp_path: Path, real):
    originals = list(real.values())
    for i in range(10_000):
        first = originals[i % len(originals)]
        record = replace(first, run_id=f"{i:016x}", coordinates={**first.coordinates, "seed": i})
        folder = tmp_path / "mini" / record.coordinates["task"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{record.run_id}.json").write_text(to_json(record), encoding="utf-8")
    start = time.process_time()
    frame = unidelta.runs(tmp_path)
    made = unidelta.board(frame)
    seconds = time.process_time() - start
    print(seconds)
    assert made["n"].sum() == 10_000
    assert seconds < 10, f"{seconds:.1f} s"


def test_a_frame_of_nothing_has_no_row():
    frame = pd.DataFrame({"task": [], "run_id": [], "scale": [], "metric": [], "settings": []})
    assert len(unidelta.board(frame)) == 0
