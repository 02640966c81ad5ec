"""The report page: one self-contained file in which text from records is escaped."""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unidelta.analysis import html, report_page
from unidelta.analysis.claims import CLAIMS, claims
from unidelta.analysis.command import main
from unidelta.analysis.curve import Figure, Panel, Point, Series
from unidelta.analysis.draw import rendered
from unidelta.analysis.more_seeds import commands_for, needed
from unidelta.analysis.plan import PLAN, plan_for
from unidelta.analysis.pointed import pointed
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import Score
from unidelta.analysis.table import Cell, Column, Table
from unidelta.analysis.verdicts import Verdict, verdicts

ROOT = Path(__file__).parents[2]
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "' onmouseover='alert(1)",
    "]]><!-- --><iframe src=//x>",
    "</title></style></script><b>",
    "&lt;script&gt; $digest ${scale}",
)


DRAWN = {"g", "path", "use", "text", "defs", "rect", "clippath"}  # ticks move with the width of words


class Page(HTMLParser):
    """Every tag with its attributes, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]


def figure(words: str = "t") -> Figure:
    point = Point(percent=1.0, score=Score(values=(1.0, 2.0), seeds=(1, 2), run_ids=("a", "b")), label=words)
    panel = Panel(title=words, y_label=words, series=(Series(label=words, method="mam", points=(point,)),))
    return Figure(name="fig2", title=words, caption=words, panels=(panel,), notes=(words,), commands=(words,))


def row(**changed: Any) -> dict[str, Any]:
    at = {"run_id": "a", "method": "mam", "position": "both", "task": "xsum", "seed": 1, "percent": 6.7, "key": "mam"}
    more = {"status": "failed", "reason": "r", "test": 1.0, "metric": "rouge2", "seconds": 60.0, "path": "a/a.json"}
    origin = {
        "when": "2026-01-02T03:04:05",
        "commit": "c",
        "device": "cpu",
        "platform": "p",
        "packages": '{"torch":"2"}',
    }
    return {**at, **more, **origin, **changed}


def made(words: str, **changed: Any) -> str:
    """A page on which everything that can come from a record says the same."""
    score = Score(values=(1.0,), seeds=(1,), run_ids=("a",))
    cells = (Cell(text=words), Cell(text=words, value=1.0, score=score), Cell(text=words, command=words))
    columns = (Column(title=words, kind="text"), Column(title=words, kind="score"), Column(title="c", kind="score"))
    table = Table(name="table3", title=words, caption=words, columns=columns, rows=(cells,), notes=(words,))
    runs = Runs.of(pd.DataFrame([row(**changed)]), scale="mini", origin=words)
    drawing = (figure(words), rendered(figure(words))["svg"])
    return report_page.page(runs, tables=[table], figures=[drawing], verdicts=(), up="../")


@cache
def ordinary() -> Page:
    return Page(made("x"))


@pytest.mark.parametrize(
    "payload", [pytest.param(text, marks=() if i % 3 == 0 else pytest.mark.slow) for i, text in enumerate(PAYLOADS)]
)
def test_nothing_from_a_record_is_alive(payload: str):
    names = ("method", "position", "task", "reason", "metric", "platform", "commit", "device", "path", "status")
    plain, page = ordinary(), Page(made(payload, **dict.fromkeys(names, payload)))
    counts = [Counter(tag for tag, _ in one.tags if tag not in DRAWN) for one in (page, plain)]
    assert counts[0] == counts[1]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert not [value for value in page.values("href") if re.match(r"\s*(javascript|data|https?):", value)]
    assert payload.strip() in page.words  # shown as it is


def test_the_page_needs_nothing_else_and_allows_nothing_else():
    page = ordinary()
    assert not page.values("src") and not page.values("srcset")
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    (policy,) = (attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert (
        policy is not None and "default-src 'none'" in policy and re.search(r"script-src 'sha256-[\w+/]{43}='", policy)
    )
    assert "unsafe-inline" not in policy.partition("script-src")[2] and "@import" not in made("x")


def test_names_are_there_once_and_every_link_within_the_page_leads_somewhere():
    page = ordinary()
    names = page.values("id")
    assert [name for name, n in Counter(names).items() if n > 1] == []
    inside = [*page.values("href"), *page.values("xlink:href")]
    assert {link[1:] for link in inside if link.startswith("#")} <= set(names)
    assert "../a/a.json" in inside


def test_scores_link_to_the_runs_behind_them_and_only_to_those_that_are_shown():
    score = Score(values=(1.0, 2.0), seeds=(7, 8), run_ids=("a", "b"))
    columns = (Column(title="c", kind="score"),)
    made = Table(name="t", title="", caption="", columns=columns, rows=((Cell(text="1.5", value=1.5, score=score),),))
    assert [value for value in Page(html.table(made, known={"a"})).values("href")] == ["#run-a"]
    assert 'data-value="1.5"' in html.table(made)


def test_the_drawing_has_the_pages_colours_so_that_it_is_seen_in_the_dark():
    text = html.drawing(figure(), rendered(figure())["svg"])
    assert not re.findall(r"(?:fill|stroke): #(?:222222|ffffff|d9d9d9|d55e00)", text)
    assert "var(--vermillion)" in text and "var(--ink)" in text
    template = Path(report_page.__file__).with_suffix(".html").read_text(encoding="utf-8")
    used = set(re.findall(r"var\(--([a-z]+)\)", text + template))
    for block in re.findall(r":root \{(.*?)\}", template, re.DOTALL):
        assert used <= set(re.findall(r"--([a-z]+):", block))


def judged(runs: Runs) -> tuple[Verdict, ...]:
    figures = published(ROOT / FIGURES)
    every = claims(figures, ROOT / CLAIMS)
    return verdicts(every, runs, figures, plan_for("mini", every, ROOT / PLAN))


def test_the_page_of_the_committed_records_links_to_files_that_are_there(committed: Runs):
    runs, found = committed, judged(committed)
    text = report_page.page(runs, tables=[], figures=[], verdicts=found, up="../")
    page = Page(text)
    links = [link for link in page.values("href") if link.endswith(".json")]
    assert len(links) == len(runs.frame) > 100
    assert [link for link in links if not (ROOT / "results" / link.removeprefix("../")).is_file()] == []
    groups = dict.fromkeys(verdict.claim.group for verdict in found)
    assert re.findall(r'<tbody id="(C\d+)">', text) == list(groups)
    assert len(groups) == 19
    shown = re.findall(r'<tr class="[a-z-]+" data-verdict="([a-z-]+)"', text)
    assert Counter(shown) == Counter(verdict.word.replace(" ", "-") for verdict in found)


def test_the_page_is_short_and_wide_tables_keep_their_first_column(committed: Runs):
    found = judged(committed)
    text = report_page.page(committed, tables=[], figures=[], verdicts=found, up="../")
    outside = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert outside.count("<tr") < 150  # 90 claims in 19 groups, and no run
    for table in re.finditer("<table", text):
        assert text[: table.start()].endswith('<div class="wide">')
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert re.search(r"td:first-child \{ position: sticky; left: 0", style) and ".wide { overflow-x: auto" in style
    assert "prefers-color-scheme: dark" in style and "@media print" in style


def test_every_marker_of_a_figure_says_its_value_and_leads_to_its_runs():
    point = Point(percent=3.56, score=Score(values=(1.0, 2.0), seeds=(7, 8), run_ids=("a", "b")), label="23")
    printed = Point(percent=3.6, score=Score(values=(20.46,)))
    series = (Series(label="mam", method="mam", points=(point,)),)
    series += (Series(label="mam", method="mam", points=(printed,), is_published=True),)
    made = replace(figure(), panels=(replace(figure().panels[0], series=series),))
    page = Page(pointed(made, html.drawing(made, rendered(made)["svg"]), {"a", "b"}))
    links = [attrs for tag, attrs in page.tags if tag == "a"]
    assert {(link["data-runs"], link["data-tip"]) for link in links} == {
        ("a", "mam, bottleneck 23, 3.6 %, seed 7: 1.00"),
        ("b", "mam, bottleneck 23, 3.6 %, seed 8: 2.00"),
        ("a b", "mam, bottleneck 23, 3.6 %: 1.50 ± 6.35 (n=2)"),
    }
    tips = page.values("data-tip")
    assert "mam, 3.6 %: 20.46, published" in tips
    assert page.values("href") and all(link["href"] in ("#run-a", "#run-b") for link in links)


def test_a_claim_says_how_many_seeds_it_needs_and_what_to_type_for_them(committed: Runs):
    found = judged(committed)
    open_ = [v for v in found if v.word == "undecided"]
    assert all((needed(v) or 10_000) > v.difference.n for v in open_)
    above = (v for v in open_ if v.claim.kind == "above" and v.claim.tolerance == "none")
    one = next(v for v in above if abs(v.difference.mean) > v.on_par and needed(v) > v.difference.n + 1)
    first, second = (np.array(side.values) for side in one.sides)
    n = needed(one)
    variances = np.array([first.var(ddof=1), second.var(ddof=1)])
    shift = (first.mean() - second.mean() - one.claim.bound) / np.sqrt(variances.sum() / n)
    freedom = (n - 1) * variances.sum() ** 2 / (variances**2).sum()
    critical = stats.t.ppf(0.975, freedom)
    power = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
    assert 0.8 <= power < 0.9  # at n = 5 and 6 it differs by several percent
    n = min(n, one.difference.n + 5)
    lines = commands_for(one, n, committed)
    seeds = {line.rpartition("seed=")[2].split()[0] for line in lines}
    assert len(lines) == 2 and len(seeds) == 1
    fresh = {int(seed) for seed in seeds.pop().split(",")}
    assert len(fresh) == n - one.difference.n and not fresh & {seed for side in one.sides for seed in side.seeds}
    assert commands_for(one, 10_000, committed) == ()


def test_a_page_without_any_run_says_so():
    runs = Runs.of(pd.DataFrame({"key": [], "task": []}), scale="paper", origin="x")
    page = report_page.page(runs, tables=[], figures=[(figure(), rendered(figure())["svg"])], verdicts=(), up="")
    assert "There are no runs yet." in page


@pytest.mark.slow
def test_everything_is_written_and_is_found_to_be_what_it_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert main(["all", "--output", str(tmp_path)]) == 0
    assert main(["all", "--check", "--output", str(tmp_path)]) == 0
    (tmp_path / "report/index.html").write_text("x", encoding="utf-8")
    assert main(["all", "--check", "--output", str(tmp_path)]) == 1
