"""Curves of any runs: which runs make a point, which of several settings is shown, and what is counted."""

import numpy as np
import pytest

import unidelta
from unidelta.analysis.curve import Figure
from unidelta.analysis.explore.curves import curves
from unidelta.analysis.limits import limits
from unidelta.errors import ConfigError

from .test_board import counted


def points(made: Figure, panel: int = 0) -> dict[str, list[tuple[float, tuple[float, ...]]]]:
    return {one.label: [(p.percent, p.score.values) for p in one.points] for one in made.panels[panel].series}


def test_own_methods_on_own_tasks_have_lines_and_panels_of_their_own(table, run):
    rows = [
        run(seed, 50.0 + seed, method=m, percent=p, settings={"design.parts.0.bottleneck": p})
        for m in ("sandwich", "hero")
        for p in (1.0, 4.0)
        for seed in (1, 2)
    ]
    made = curves(table(*rows, run(1, 9.0, task="drinks"), run(1, 8.0, task="drinks", scale="paper")))
    assert [panel.title for panel in made.panels] == ["menus, scale mini", "drinks, scale mini", "drinks, scale paper"]
    both = [(1.0, (51.0, 52.0)), (4.0, (51.0, 52.0))]
    assert points(made) == {"sandwich (ffn)": both, "hero (ffn)": both}
    assert made.panels[0].y_label == "ter" and made.notes == ("10 of 10 runs shown.",)


@pytest.mark.parametrize(
    ("sides", "key"),
    [(("lora_attn", "lora_ffn"), "lora"), (("lora_ffn", "lora_attn"), "lora"), (("lora_ffn",), "lora_ffn")],
)
def test_a_line_of_several_rows_of_the_paper_has_the_style_of_none(table, run, sides, key):
    rows = [
        run(1, 50.0, {"design.parts.0.bottleneck": p}, method="lora", side=side, percent=float(p))
        for p, side in enumerate(sides, 1)
    ]
    (line,) = curves(table(*rows), by=("method",)).panels[0].series
    assert (line.label, line.method) == ("lora", key)


def test_of_several_rates_the_best_on_dev_is_shown_whatever_test_says_and_the_rest_counted(table, run):
    rows = []
    for rate, dev, test in ((1e-3, 60.0, 10.0), (2e-3, 70.0, 5.0), (4e-3, 50.0, 99.0)):
        rows += [run(seed, test, {"training.learning_rate": rate}, dev=dev) for seed in (1, 2, 3)]
    rows.append(run(4, None, {"training.learning_rate": 2e-3}, status="failed"))
    rows[3:6] = [{**row, "dev": 71.0} for row in rows[3:6]]
    made = curves(table(*rows[:-1]))
    assert points(made) == {"sandwich (ffn)": [(1.0, (5.0, 5.0, 5.0))]}
    assert made.notes[0] == "3 of 9 runs shown." and "training.learning_rate" in made.notes[1]
    assert counted(made.notes) == (9, 9)
    with_lost = curves(table(*rows))  # a rate at which a run failed is not chosen
    assert points(with_lost) == {"sandwich (ffn)": [(1.0, (10.0, 10.0, 10.0))]}
    assert counted(with_lost.notes) == (10, 10)


def test_rates_become_lines_or_the_axis_when_asked(table, run):
    rows = [run(seed, 50.0, {"training.learning_rate": rate}) for rate in (1e-3, 2e-3) for seed in (1, 2)]
    made = curves(table(*rows), by=("method", "training.learning_rate"))
    assert set(points(made)) == {"sandwich, learning_rate 0.001", "sandwich, learning_rate 0.002"}
    along = curves(table(*rows), x="training.learning_rate", by=("method",))
    assert points(along) == {"sandwich": [(1e-3, (50.0, 50.0)), (2e-3, (50.0, 50.0))]}
    assert along.x_label == "training.learning_rate" and made.notes[0] == "4 of 4 runs shown."


def test_of_what_seeds_differ_in_the_axis_has_the_mean(table, run):
    rows = [run(seed, 50.0, seconds=10.0 * seed) for seed in (1, 2)]
    assert points(curves(table(*rows), x="seconds")) == {"sandwich (ffn)": [(15.0, (50.0, 50.0))]}
    for asked in ({"x": "seed"}, {"by": ("method", "seed")}, {"by": ("seconds",)}):
        with pytest.raises(ConfigError, match="they differ in"):
            curves(table(*rows), **asked)


def test_the_frontier_of_an_error_rate_is_the_lowest(table, run):
    at = [("a", 1.0, 10.0), ("b", 2.0, 30.0), ("c", 3.0, 5.0)]
    rows = [run(1, score, method=name, percent=percent) for name, percent, score in at]
    assert curves(table(*rows)).panels[0].frontier == ((1.0, 10.0), (2.0, 30.0))
    low = curves(table(*({**row, "lower_is_better": "ter"} for row in rows)))
    assert low.panels[0].frontier == ((1.0, 10.0), (3.0, 5.0))


def test_without_dev_scores_the_loss_decides_and_without_either_nothing_is_shown(table, run):
    rows = [
        run(1, 5.0, {"training.learning_rate": r}, dev=None, dev_loss=loss) for r, loss in ((1e-3, 0.2), (2e-3, 0.1))
    ]
    assert curves(table(*rows), by=("training.learning_rate",)).notes[0] == "2 of 2 runs shown."
    rows[1]["test"] = 7.0
    assert points(curves(table(*rows))) == {"sandwich (ffn)": [(1.0, (7.0,))]}
    with pytest.raises(ConfigError, match="no dev score says which is best"):
        curves(table(*({**row, "dev_loss": None} for row in rows)))


def test_full_fine_tuning_is_a_level_and_nothing_has_no_place_on_a_logarithm(table, run):
    rows = [run(1, 50.0, percent=1.0), run(1, 60.0, {"design.parts.0.bottleneck": 99}, percent=20.0)]
    rows.append(run(1, 70.0, {"design.kind": "full_fine_tuning"}, method="full", percent=100.0, position="none"))
    rows.append(run(1, 10.0, {"design.kind": "frozen"}, method="frozen", percent=0.0, position="none"))
    made = curves(table(*rows))
    assert made.panels[0].full is not None and made.panels[0].full.values == (70.0,)
    assert (
        made.is_log and made.notes[1] == "1 run not shown, because their percent has no place on the axis (frozen 1)."
    )
    assert made.panels[0].frontier == ((1.0, 50.0), (20.0, 60.0))


def test_the_axis_is_never_zoomed_into_noise(table, run):
    seeds = (0.0, 0.2, -0.2)
    rows = [run(i, 90.0 + d, method=method) for method in ("a", "b") for i, d in enumerate(seeds)]
    made = curves(table(*rows))
    span = limits(made.panels[0])
    assert span is not None and span[1] - span[0] >= 3 * np.std(seeds, ddof=1)


def test_the_figure_says_what_it_does_not_show(table, run):
    drawing = unidelta.curve(table(run(1, 50.0), run(1, 60.0, task="drinks")), task="menus")
    words = " ".join(text.get_text() for text in drawing.texts) + str(drawing.get_supxlabel())
    assert "1 of 2 runs shown." in words and "they are of other tasks (drinks 1)" in words
    assert drawing._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"x": "training.rate"}, "no run has a column or a setting `training.rate`"),
        ({"by": ("colour",)}, "no run has a column or a setting `colour`"),
        ({"x": "method"}, "their method has no place on the axis"),
    ],
)
def test_a_name_that_nothing_has_is_refused(table, run, asked, told):
    with pytest.raises(ConfigError, match=told):
        curves(table(run(1, 50.0)), **asked)
