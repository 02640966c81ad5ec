"""A strict reader of Parquet with the same row check as JSONL; rows are counted from 1 in each file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unidelta.errors import DataError
from unidelta.tasks.faults import Faults
from unidelta.tasks.rows import check_row
from unidelta.tasks.task import Row, TaskKind


def read_parquet(file: Path, kind: TaskKind) -> list[Row]:
    """All rows of `file`.

    Raises:
        Problems: columns or rows do not fit the task; the first ten faults are told, all are counted.
        DataError: the file is no readable Parquet file.
    """
    rows: list[Row] = []
    faults = Faults(file, kind.name)
    try:
        with pq.ParquetFile(file) as parquet:
            _check_columns(parquet.schema_arrow, kind, faults)
            for batch in parquet.iter_batches():
                for row in batch.to_pylist():
                    rows.append(row)
                    check_row(row, number=len(rows), kind=kind, faults=faults)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        why = f"{file.name}: {str(error).splitlines()[0]}"
        raise DataError(f"{kind.name} rows from {file}", why, "a whole Parquet file, or JSONL") from None
    if not rows:
        faults.add_file("the file has no rows.", "at least one row")
    faults.raise_if_any()
    return rows


def _check_columns(schema: pa.Schema, kind: TaskKind, faults: Faults) -> None:
    absent = [column.path[0] for column in kind.columns if column.path[0] not in schema.names]
    if absent:
        # Told once for the file: every one of its rows would say the same.
        what = f"no column {', '.join(sorted(set(absent)))}; the file has {', '.join(schema.names) or 'none'}."
        faults.add_file(what, f"the columns {', '.join(column.name for column in kind.columns)}")
        faults.raise_if_any()
