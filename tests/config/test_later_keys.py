"""A command names the run that it named when its record was made: keys that came later change no name."""

from pathlib import Path

import pytest

from unidelta.records.identity import run_id
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.run.identity import identity
from unidelta.run.prepare import prepare

from ..composed import composed

MAIN = Path(__file__).parents[2] / "results" / "mini" / "main"
RECORDS = sorted(RecordStore(root=MAIN).read_all().records, key=lambda record: record.run_id)


@pytest.mark.parametrize("record", RECORDS[::40], ids=lambda record: record.run_id)
def test_a_committed_record_has_the_name_that_its_command_has_now(record: RunRecord) -> None:
    spec = prepare(composed(record.provenance["command"][1:]))
    weights = record.spec["backbone"]["checkpoint"]
    assert run_id(identity(spec, data=dict(record.spec["data"]), weights=weights)) == record.run_id
