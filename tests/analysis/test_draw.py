"""Figures as files: what is drawn where, and the same bytes for any matplotlib settings."""

import itertools
import math
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex, to_rgb
from scipy import stats

from unidelta.analysis.curve import Figure, Panel, Point, Series
from unidelta.analysis.curve_labels import spread
from unidelta.analysis.draw import drawn, rendered
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.score import Score
from unidelta.analysis.theme import RC, free_style


def series(method: str, *points: tuple[float, tuple[float, ...]], is_published: bool = False) -> Series:
    made = tuple(
        Point(percent=percent, score=Score(values=values, seeds=tuple(range(len(values)))))
        for percent, values in points
    )
    return Series(label=method, method=method, points=made, is_published=is_published)


@pytest.fixture
def figure() -> Figure:
    """Two panels: measured and published, and one without any run."""
    measured = series("pa_ffn", (0.36, (18.0, 19.0, 20.0)), (6.1, (21.0,)), (12.3, ()))
    published = series("pa_ffn", (0.36, (18.5,)), (6.1, (20.98,)), is_published=True)
    full = Score(values=(22.0, 24.0), seeds=(1, 2))
    first = Panel(title="XSum", y_label="R-2", series=(measured, published), full=full, full_published=21.94)
    second = Panel(title="a < b & c", y_label="BLEU", series=())
    return Figure(name="fig4", title="t", caption="c", panels=(first, second))


def test_a_panel_has_means_and_runs_and_the_published_curve_beside_them(figure: Figure):
    axes, empty = drawn(figure).axes
    lines = {(line.get_linestyle(), line.get_marker()): line for line in axes.get_lines()}
    means = lines["-", "D"]
    assert (list(means.get_xdata()), list(means.get_ydata())) == ([0.36, 6.1], [19.0, 21.0])  # no run, no point
    hollow = lines["--", "D"]
    assert list(hollow.get_ydata()) == [18.5, 20.98]
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    assert hollow.get_color() == means.get_color()
    runs = lines["None", "."]
    assert list(runs.get_ydata()) == [18.0, 19.0, 20.0]
    assert not axes.collections  # three runs have no interval: they are shown themselves
    assert list(lines["--", "None"].get_ydata()) == [23.0, 23.0]
    assert list(lines[":", "None"].get_ydata()) == [21.94, 21.94]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in empty.texts] == ["no runs yet"]


def test_four_runs_have_an_interval_that_ends_where_scores_do(figure: Figure):
    (first,) = (one for one in figure.panels if one.title == "XSum")
    for values, bounds, ends in (
        ((18.0, 19.0, 20.0, 21.0), (-math.inf, math.inf), stats.t.interval(0.95, 3, 19.5, 1.2909944 / 2)),
        (
            (97.0, 98.0, 99.0, 99.9),
            (0.0, 100.0),
            (stats.t.interval(0.95, 3, 98.475, stats.sem((97.0, 98.0, 99.0, 99.9)))[0], 100.0),
        ),
    ):
        point = Point(percent=1.0, score=Score(values=values, seeds=(1, 2, 3, 4), bounds=bounds))
        panel = replace(first, series=(Series(label="mam", method="mam", points=(point,)),), full=None)
        axes = drawn(replace(figure, panels=(panel,))).axes[0]
        (bar,) = axes.collections
        assert bar.get_segments()[0][:, 1] == pytest.approx(ends, rel=1e-6)


def test_curves_are_named_at_their_ends_and_the_legend_says_what_hollow_means(figure: Figure):
    drawing = drawn(replace(figure, panels=(replace(figure.panels[0], oracle=25.0), figure.panels[1])))
    assert [text.get_text() for text in drawing.axes[0].texts] == ["pa_ffn", "full fine-tuning", "oracle"]
    (legend,) = drawing.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "mean, and runs beside it",
        "published",
        "full fine-tuning",
        "full fine-tuning, published",
        "Pareto frontier",
        "oracle: all but the noise",
    ]


@pytest.mark.parametrize("wanted", [[0.5] * 5, [0.0, 0.01, 0.9, 1.2], [-1.0, 0.3], [1.0] * 3, []])
def test_names_are_apart_and_within_the_axes(wanted: list[float]):
    places = spread(wanted, gap=0.1)
    assert all(after - before >= 0.1 - 1e-9 for before, after in itertools.pairwise(places))
    assert all(-1e-9 <= place <= 1 for place in places)
    assert spread([0.1] * 40, gap=0.1) == pytest.approx([i / 39 for i in range(40)])  # no room: as far as there is


def test_a_linear_axis_and_an_odd_number_of_panels(figure: Figure):
    three = replace(figure, panels=(*figure.panels, figure.panels[0]), is_log=False)
    assert [axes.get_xscale() for axes in drawn(three).axes] == ["linear"] * 4
    assert [axes.axison for axes in drawn(three).axes] == [True, True, True, False]


def test_the_same_bytes_whatever_the_user_has_set_and_the_users_settings_again(figure: Figure):
    files = rendered(figure)
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "lines.linewidth": 9}):
        assert rendered(figure) == files
        assert mpl.rcParams["font.size"] == 30
    assert files["svg"].startswith(b"<?xml") and files["pdf"].startswith(b"%PDF") and files["png"][1:4] == b"PNG"
    for content in files.values():
        assert b"Matplotlib" not in content.replace(b"matplotlib.org", b"") and not re.search(rb"20\d\d-\d\d", content)


@pytest.mark.slow
def test_the_same_bytes_in_another_process(figure: Figure):
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); import test_draw as t\n"
        "for content in t.rendered(t.figure.__wrapped__()).values(): print(hashlib.sha256(content).hexdigest())"
    )
    here = __file__.rpartition("/")[0]
    command = [sys.executable, "-c", code, here]
    first, second = (
        subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second and len(first.split()) == 3


def test_text_in_the_svg_is_text_and_escaped(figure: Figure):
    root = ElementTree.fromstring(rendered(figure)["svg"])
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"XSum", "R-2", "a < b & c", "no runs yet", "published"} <= set(texts)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_no_two_methods_look_the_same_and_all_are_seen_on_white():
    looks = [(look.colour, look.marker) for look in (row.style for row in ROWS.values())]
    assert len(set(looks)) == len(looks)
    assert all(1.05 / (luminance(look.colour) + 0.05) > 2 for look in (row.style for row in ROWS.values()))
    assert 1.05 / (luminance(RC["text.color"]) + 0.05) > 7


def test_methods_that_meet_in_one_figure_of_the_paper_differ_in_colour_and_marker():
    together = [
        ("bitfit", "prefix", "sa_ffn", "lora_attn", "mam"),
        ("prefix", "pa_attn", "lora_attn", "pa_ffn", "lora_ffn"),
    ]
    for methods in together:
        for first, second in itertools.combinations((ROWS[method].style for method in methods), 2):
            assert first.colour != second.colour and first.marker != second.marker


def test_a_method_of_ones_own_always_looks_the_same():
    assert free_style("sandwich", taken=()) == free_style("sandwich", taken=())
    assert free_style("sandwich", taken=()) != free_style("other", taken=())
