"""Several processes at once: identical runs, and many writers with a reader, share a folder and lose nothing."""

from pathlib import Path

import pytest

from unidelta.errors import ExitStatus
from unidelta.records.store import RecordStore

from ..outcome import outcome
from .conftest import at_once, do, typed

RUN = "runpy.run_path(sys.argv[0], run_name='__main__')"
WRITE = """
from dataclasses import replace
from unidelta.records.store import RecordStore
one, many, writer = sys.argv
(record,), store = RecordStore(root=pathlib.Path(one)).read_all().records, RecordStore(root=pathlib.Path(many))
for i in range(50):
    store.write(replace(record, run_id=f"{int(writer):08x}{i:08x}"))
"""


@pytest.mark.parametrize(
    ("n", "at_a_time"), [pytest.param(1, 4, id="once"), pytest.param(20, 8, id="many", marks=pytest.mark.slow)]
)
def test_identical_runs(n: int, at_a_time: int, whole, tally, tmp_path: Path) -> None:
    counted = tally(f"B1 {at_a_time} identical runs at once")
    for i in range(n):
        results = tmp_path / str(i)
        statuses = at_once(RUN, [typed(results)] * at_a_time, tmp_path / f"{i}.gate")
        did = statuses.count(ExitStatus.DONE)  # a late one may find the record complete, and prints it
        is_told = did >= 1 and did + statuses.count(ExitStatus.INTERRUPTED) == at_a_time
        counted.count(is_told and outcome(results) == whole, statuses)


def test_eight_writers_and_a_reader(tally, tmp_path: Path) -> None:
    kept, torn = tally("B2 records of eight writers at once"), tally("B3 readings meanwhile")
    do(tmp_path / "one")
    store, sizes = RecordStore(root=tmp_path / "all"), [0]

    def read() -> None:
        listing = store.read_all()
        torn.count(not listing.damaged and len(listing.records) >= sizes[-1], listing.damaged)
        sizes.append(len(listing.records))

    each = [[tmp_path / "one", store.root, str(writer)] for writer in range(8)]
    assert at_once(WRITE, each, tmp_path / "gate", meanwhile=read) == [0] * 8
    names = {one.run_id for one in store.read_all().records}
    for writer in range(8):
        for i in range(50):
            counted_name = f"{writer:08x}{i:08x}"
            kept.count(counted_name in names, counted_name)
