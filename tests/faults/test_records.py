"""Damaged records among many intact ones: every one is found, and nothing else is lost."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.records.record import to_json
from unidelta.records.store import RecordStore

from .conftest import do

DAMAGES: tuple[Callable[[str], str], ...] = (
    lambda text: text[: len(text) // 2],
    lambda text: "",
    lambda text: "\0" * len(text),
    lambda text: "no JSON",
    lambda text: text.replace('"status": "complete"', '"status": 7'),
    lambda text: text.replace('"run_id"', '"name"'),
    lambda text: text.replace('"accuracy": ', '"accuracy": 1'),
    lambda text: text.replace('"run_id": "', '"run_id": "f'),
)


@pytest.mark.parametrize("n", [pytest.param(400, id="few"), pytest.param(10_000, id="many", marks=pytest.mark.slow)])
def test_damaged_records_among_many(n: int, tally, tmp_path: Path) -> None:
    counted = tally(f"C8 damaged records among {n}")
    record, store = do(tmp_path / "one"), RecordStore(root=tmp_path / "all")
    first = store.write(record)
    text = first.read_text(encoding="utf-8")
    for i in range(1, n):  # by hand: 10,000 times fsync would be most of the time
        name = f"{i:016x}"
        (first.parent / f"{name}.json").write_text(to_json(replace(record, run_id=name)), encoding="utf-8")
    chosen = random.Random(4).sample(range(1, n), n // 100 * 4)
    for k, i in enumerate(chosen):
        path = first.parent / f"{i:016x}.json"
        before = path.read_text(encoding="utf-8")
        after = DAMAGES[k % len(DAMAGES)](before)
        assert after != before
        path.write_text(after, encoding="utf-8")
    assert first.read_text(encoding="utf-8") == text
    listing = store.read_all()
    said = "\n".join(str(error) for error in listing.damaged)
    for i in chosen:
        counted.count(f"{i:016x}" in said, i)
    assert (len(listing.damaged), len(listing.records)) == (len(chosen), n - len(chosen))
