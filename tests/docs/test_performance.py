"""docs/performance.md shows the committed records, and tables are made from records correctly."""

import importlib.util
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

_spec = importlib.util.spec_from_file_location("benchmarks_table", ROOT / "benchmarks" / "table.py")
assert _spec is not None and _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)


def test_the_page_shows_the_records():
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert table.page(text) == text
    assert "<!-- table: speed-d256 -->" in text


def test_what_the_page_says_in_short_is_in_its_tables():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    tables = "".join(re.findall(r"<!-- table: speed-d(?:256|512) -->(.*?)<!-- end -->", page, re.DOTALL))
    rows = [[cell.split(" (")[0] for cell in line.split(" | ")] for line in tables.splitlines() if " (" in line]
    ours = [row for row in rows if row[0].startswith("| **") and not re.search("full|fast=false", row[0])]
    assert len(ours) == 20
    steps, times = [float(row[2]) for row in ours], [float(cell) for row in ours for cell in row[4:6]]
    said = " ".join(page.split())
    assert f"takes {min(steps):.2f} to {max(steps):.2f} times as long as full" in said
    assert f"generation at most {max(times):.2f} times as long" in said
    whole = [row for row in tables.splitlines() if re.match(r"\| (prefix|MAM) \(adapters\)", row)]
    theirs = [float(cell.split(" (")[0]) for row in whole for cell in row.split(" | ")[4:6]]
    assert f"adapters 1.3 takes {min(theirs):.1f} to {max(theirs):.1f} times as long" in said


def test_a_record_says_on_what_it_was_measured():
    for path in (ROOT / "benchmarks" / "results").glob("speed-*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["machine"]["cpu"] and record["date"] and record["machine"]["threads"] == 1
        assert all({"torch", "transformers", "python"} <= found.keys() for found in record["versions"].values())
        names = [(row["from"], row["name"]) for row in record["methods"]]
        assert len(set(names)) == len(names) and ("ours", "full") in names


def test_the_floor_is_two_forward_passes_without_gradients():
    def row(name: str, step: float, **more: object) -> dict[str, object]:
        timed = {"cpu": [step, step, step], "wall": [step, step, step], "seconds": 1.0}
        return {"from": "ours", "name": name, "trained": 7, "step": timed, "greedy": timed, "beam-4": timed} | {
            key: 2**20 for key in ("saved_bytes", "peak_bytes", "stored_bytes")
        }

    rows = [row("frozen forward", 0.4), row("full", 1.0), row("MAM", 0.9)]
    found = table.markdown({"methods": rows, "versions": {}}).splitlines()
    assert found[-1].split(" | ")[2:4] == ["0.90 (0.90–0.90)", "1.12"]
    assert found[-1].endswith("| 1 MB | 1 MB | 1,024 KB |")


def test_a_breakdown_is_in_percent_of_full_fine_tuning():
    record = {
        "milliseconds": {"step": {"full": {"products": 30.0, "rest": 10.0}, "MAM": {"products": 20.0, "rest": 14.0}}}
    }
    assert table.breakdown(record).splitlines()[2:] == [
        "| products | 75.0 | 50.0 |",
        "| rest | 25.0 | 35.0 |",
        "| **all** | 100 | 85 |",
    ]


def test_a_grid_is_in_percent_of_a_run_without_its_start():
    times = {"imports": 10.0, "steps": 30.0, "scores": 10.0}
    found = table.grid({"seconds": {"xsum": times, "sst2": {"imports": 8.0, "steps": 9.0, "scores": 1.0}}})
    assert found.splitlines()[2:] == [
        "| imports | 10.0 | 8.0 |",
        "| steps | 30.0 (75 %) | 9.0 (90 %) |",
        "| scores | 10.0 (25 %) | 1.0 (10 %) |",
    ]


def test_a_start_is_told_with_its_least_and_greatest():
    found = table.startup({"seconds": {"python a.py": {"wall": [1.0, 2.25, 4.0], "cpu": [0.5, 0.75, 1.0]}}})
    assert found.splitlines()[2:] == ["| `python a.py` | 2.25 (1.00–4.00) | 0.75 (0.50–1.00) |"]
