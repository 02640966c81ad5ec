"""A strict reader of Parquet with the same row check as JSONL; rows are counted from 1 in each file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unidelta.errors import DataError
from unidelta.tasks.faults import Faults
from unidelta.tasks.rows import check_columns, check_row
from unidelta.tasks.task import Row, TaskKind


def read_parquet(file: Path, kind: TaskKind) -> list[Row]:
    """All rows of `file`.

    Raises:
        Problems: columns or rows do not fit the task; the first ten faults are told, all are counted.
        DataError: the file is no readable Parquet file.
    """
    rows: list[Row] = []
    faults = Faults(f"{kind.name} rows from {file}", file.name)
    try:
        with pq.ParquetFile(file) as parquet:
            check_columns(parquet.schema_arrow.names, kind, faults)
            for batch in parquet.iter_batches():
                for row in batch.to_pylist():
                    rows.append(row)
                    check_row(row, number=len(rows), kind=kind, faults=faults)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        why = f"{file.name}: {str(error).splitlines()[0]}"
        raise DataError(f"{kind.name} rows from {file}", why, "a whole Parquet file, or JSONL") from None
    if not rows:
        faults.add_whole("the file has no rows.", "at least one row")
    faults.raise_if_any()
    return rows
