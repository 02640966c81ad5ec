"""The Parquet reader refuses the same rows as the JSONL reader."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unidelta.errors import DataError, Problems
from unidelta.tasks.local import read_file

from ..task_facts import task_spec

SST2, WMT = task_spec("sst2"), task_spec("wmt_en_ro")


def write(file: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), file)
    return file


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = write(tmp_path / "train.parquet", {"sentence": ["a", "b"], "label": [0, 1], "idx": [5, 6]})
    assert read_file(file, SST2) == [
        {"sentence": "a", "label": 0},
        {"sentence": "b", "label": 1},
    ]


def test_nested_columns_are_read(tmp_path: Path) -> None:
    file = write(tmp_path / "train.parquet", {"translation": [{"en": "sea", "ro": "mare"}]})
    assert read_file(file, WMT) == [{"translation": {"en": "sea", "ro": "mare"}}]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"sentence": ["a", None], "label": [0, 1]}, "train.parquet:2: sentence: null where text is needed"),
        ({"sentence": ["a", "b"], "label": [0, -2]}, "train.parquet:2: label: -2 is outside 0 to 1"),
        (
            {"sentence": ["a"], "label": [1.0]},
            "train.parquet:1: label: 1.0 is of type float, not a label",
        ),
        (
            {"sentence": ["a"], "label": [True]},
            "train.parquet:1: label: True is of type bool, not a label",
        ),
        (
            {"text": ["a"] * 99, "label": [0] * 99},
            "train.parquet: no column sentence; it has text, label",
        ),
        ({"sentence": pa.array([], pa.string()), "label": pa.array([], pa.int64())}, "the file has no rows"),
    ],
)
def test_a_bad_row_is_located(columns: dict[str, Any], why: str, tmp_path: Path) -> None:
    file = write(tmp_path / "train.parquet", columns)
    with pytest.raises(Problems) as caught:
        read_file(file, SST2)
    assert len(caught.value.errors) == 1
    assert why in caught.value.why


def test_a_damaged_file_is_a_data_error(tmp_path: Path) -> None:
    file = write(tmp_path / "train.parquet", {"sentence": ["a"] * 500, "label": [0] * 500})
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DataError) as caught:
        read_file(file, SST2)
    assert caught.value.why.startswith("train.parquet: ")
    assert caught.value.instead == "a whole parquet file that can be read"
