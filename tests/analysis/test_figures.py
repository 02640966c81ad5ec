"""Figures 2, 4 and 5: which runs stand for which published point, and what is shown without any."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from unidelta.analysis.curve import Figure
from unidelta.analysis.figures import comparison, data
from unidelta.analysis.names import Scale
from unidelta.analysis.published import published
from unidelta.analysis.render import to_csv
from unidelta.analysis.runs import Runs

ROOT = Path(__file__).parents[2]
FIGURES = published(ROOT / "results/paper/results.csv")


def row(key: str, task: str, seed: int, score: float, *, percent: float, status: str = "complete") -> dict[str, Any]:
    at = {"key": key, "task": task, "seed": seed, "status": status, "run_id": f"{key}-{task}-{seed}"}
    scores = dict.fromkeys(("rouge1", "rouge2", "rougeLsum", "bleu", "bleu_romanian", "accuracy"), score)
    return {**at, "percent": percent, **scores}


def runs(*rows: dict[str, Any], scale: Scale) -> Runs:
    frame = pd.DataFrame(list(rows)) if rows else pd.DataFrame({"key": [], "task": []})
    return Runs.of(frame, scale=scale, origin="results/runs")


def points(made: Figure, panel: int, *, is_published: bool) -> dict[str, list[tuple[float, Sequence[float]]]]:
    series = (one for one in made.panels[panel].series if one.is_published == is_published)
    return {one.label: [(point.percent, point.score.values) for point in one.points] for one in series}


def test_published_curves_are_the_papers_and_what_its_figure_does_not_show_is_left_out():
    made = comparison("fig4", runs(scale="paper"), FIGURES)
    assert [panel.title for panel in made.panels] == ["XSum", "WMT16 en-ro"]
    assert points(made, 0, is_published=True) == {
        "prefix (attn)": [(0.02, (18.14,)), (0.54, (20.01,)), (3.6, (20.46,)), (9.2, (20.40,))],
        "SA (ffn)": [(0.36, (18.81,)), (2.4, (20.4,)), (6.1, (20.58,)), (12.3, (20.98,))],  # r=1 is in the script only
        "LoRA (attn)": [(0.04, (17.4,)), (1.1, (19.59,)), (7.2, (20.29,)), (14.4, (20.5,))],
        "BitFit": [(0.08, (17.32,))],
    }
    assert [panel.full_published for panel in made.panels] == [21.94, 37.3]
    assert "XSum, SA (ffn) 200: Table 12 prints 19.98 for SA(ffn) r=200." in made.notes


def test_every_missing_point_says_what_to_type():
    made = comparison("fig2", runs(scale="paper"), FIGURES)
    assert made.commands == (
        "python train.py method=full task=xsum scale=paper",
        "python train.py method=bitfit task=xsum scale=paper",
        "python train.py method=prefix method.attn.bottleneck=200 task=xsum scale=paper",
        "python train.py method=adapter position=ffn method.ffn.bottleneck=1024 task=xsum scale=paper",
        "python train.py method=lora position=attn method.attn.bottleneck=400 task=xsum scale=paper",
        "python train.py method=mam method.attn.bottleneck=30 method.ffn.bottleneck=512 task=xsum scale=paper",
    )


@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_measured_points_are_means_over_seeds_at_the_share_of_the_runs(scale: Scale):
    rows = [
        row("prefix@200", "xsum", 1, 20.0, percent=3.7),
        row("prefix@200", "xsum", 2, 21.0, percent=3.7),
        row("prefix@200", "xsum", 3, 99.0, percent=3.7, status="diverged"),
        row("prefix@30", "xsum", 1, 19.0, percent=0.5),
        row("full_ft", "xsum", 1, 22.0, percent=100.0),
        row("lora_ffn@102", "wmt_en_ro", 1, 36.0, percent=6.1),
    ]
    four = comparison("fig4", runs(*rows, scale=scale), FIGURES)
    assert points(four, 0, is_published=False) == {"prefix (attn)": [(0.5, (19.0,)), (3.7, (20.0, 21.0))]}
    assert four.panels[0].full is not None and four.panels[0].full.values == (22.0,)
    assert four.panels[1].full is None
    title = "mini-XSum" if scale == "mini" else "XSum"
    assert f"{title}, prefix (attn) 200: 1 diverged, not averaged." in four.notes
    assert not any("method=prefix method.attn.bottleneck=200 task=xsum" in command for command in four.commands)
    five = comparison("fig5", runs(*rows, scale=scale), FIGURES)
    assert points(five, 1, is_published=False) == {"LoRA (ffn)": [(6.1, (36.0,))]}


def test_the_miniature_shares_no_axis_with_the_paper():
    made = comparison("fig5", runs(row("pa_ffn@200", "xsum", 1, 80.0, percent=2.4), scale="mini"), FIGURES)
    titles = [panel.title for panel in made.panels]
    assert titles == ["mini-XSum", "mini-WMT", "XSum, published", "WMT16 en-ro, published"]
    assert [{one.is_published for one in panel.series} for panel in made.panels] == [{False}, set(), {True}, {True}]


def test_the_numbers_of_a_figure_are_a_table_with_a_row_for_each_point():
    rows = [row("prefix@200", "xsum", seed, 20.0 + seed, percent=3.7) for seed in (1, 2)]
    rows += [row("full_ft", "xsum", 1, 22.0, percent=100.0)]
    made = data(comparison("fig4", runs(*rows, scale="paper"), FIGURES))
    heads = [f"{column.group}: {column.title}" for column in made.columns]
    assert heads[2:] == [
        "XSum: %",
        "XSum: ROUGE-2, score",
        "XSum: %, printed",
        "XSum: ROUGE-2, published",
        "WMT16 en-ro: %, printed",
        "WMT16 en-ro: BLEU, published",
    ]
    texts = [[cell.text for cell in row] for row in made.rows]
    assert ["prefix (attn)", "200", "3.7", "21.50 ± 6.35 (n=2)", "3.6", "20.46", "3.6", "35.6"] in texts
    assert ["full fine-tuning", "–", "100", "22.00 (n=1)", "100", "21.94", "100", "37.3"] in texts
    assert {len(row) for row in texts} == {8}
    assert to_csv(made).count("\n") == 1 + 7 * len(texts)


def test_an_empty_figure_has_a_table_too():
    empty = comparison("fig2", runs(scale="paper"), FIGURES)
    assert data(replace(empty, panels=())).rows == ()


def test_the_committed_records_make_all_three(committed: Runs):
    for name in ("fig2", "fig4", "fig5"):
        made = comparison(name, committed, FIGURES)
        assert made.panels[0].full is not None and made.panels[0].full.n >= 3
