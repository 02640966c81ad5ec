"""README.md shows what the miniature decides of the paper's claims."""

import re
from collections import Counter
from pathlib import Path

from unidelta.analysis.page import filled
from unidelta.analysis.readme import PAGE, tables

from ..forked import forked

ROOT = Path(__file__).parents[2]
PEERS = ("**MAM**", "MAM (adapters)")


def test_the_page_shows_what_the_records_say():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(page, tables(ROOT), name="README.md") == page


def test_every_comparison_is_counted_once():
    """Against the verdicts of the single comparisons, further down in results/CLAIMS.md."""
    claims = (ROOT / "results" / "CLAIMS.md").read_text(encoding="utf-8")
    words = "supported|contradicted|practically equal|at ceiling|undecided|not run"
    verdicts = Counter(re.findall(rf"^\| C\d.*\| ({words})(?! \(as )[^|]*\|$", claims, re.MULTILINE))
    assert verdicts.total() == 88
    body, rest = tables(ROOT)["findings"].split("\n\n")
    counts = [[int(cell) for cell in line.split("|")[2:6]] for line in body.splitlines()[2:]]
    holds, does_not, equal, others = map(sum, zip(*counts, strict=True))
    assert (holds, does_not) == (verdicts["supported"], verdicts["contradicted"])
    assert equal == verdicts["practically equal"]
    left, not_run = re.fullmatch(r".*\((\d+) comparisons\).*\. (\d+) comparisons are .*\.", rest).groups()  # pyright: ignore
    assert others + int(left) == verdicts["undecided"] + verdicts["at ceiling"]
    assert int(not_run) == verdicts["not run"]


def test_what_a_run_prints_first_is_shown():
    (shown,) = re.findall(r"^```text\n(.*?)^```$", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    done = forked(["train.py", "dry_run=true"], ROOT)
    assert (done.returncode, done.stdout.startswith(shown)) == (0, True), done.stdout


def test_the_speed_that_is_told_is_the_one_of_the_table():
    """docs/performance.md, at d = 256."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").partition("table: speed-d256")[2]
    measured = {name: re.findall(rf"^\| {re.escape(name)} \|(.*)$", page, re.MULTILINE)[0] for name in PEERS}
    told = re.findall(r"^\| (step|greedy)[^|]*\|(.*)\|$", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row, _ in told] == ["step", "greedy"]
    for column, (_, cells) in zip((1, 3), told, strict=True):
        ours, _, theirs = (cell.strip() for cell in cells.split("|"))
        assert [ours, theirs.split()[0]] == [measured[name].split("|")[column].split()[0] for name in PEERS]
    (without_mlp,) = re.findall(r"^\| MAM, no MLP \(adapters\) \|(.*)$", page, re.MULTILINE)[:1]
    assert f"({without_mlp.split('|')[3].split()[0]} without its prefix MLP)" in told[1][1]
