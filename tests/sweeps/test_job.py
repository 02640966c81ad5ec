"""What a sweep prints for a complete run."""

from pathlib import Path

from unidelta.records.store import RecordStore
from unidelta.sweeps.job import score

_MAIN = Path(__file__).parents[2] / "results" / "mini" / "main"


def test_score_names_the_splits_where_there_are_several_and_no_dev_split() -> None:
    [said, *_] = [
        score(record) for record in RecordStore(root=_MAIN).read_all().records if record.coordinates["task"] == "mnli"
    ]
    matched, mismatched = said.split("; ")
    assert matched.startswith("test_matched: accuracy ")
    assert mismatched.startswith("test_mismatched: accuracy ")


def test_score_of_one_split_is_its_metrics() -> None:
    [said, *_] = [
        score(record) for record in RecordStore(root=_MAIN).read_all().records if record.coordinates["task"] == "sst2"
    ]
    assert said.startswith("accuracy ") and ";" not in said
