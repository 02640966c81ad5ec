"""Readers of Parquet and of Arrow, as `datasets` saves it; rows are counted from 1 in each file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from unidelta.errors import first_line
from unidelta.tasks.faults import Faults
from unidelta.tasks.file_rows import FileRows

_FILE = b"ARROW1"  # how an Arrow file begins; a stream has no such mark


def read_parquet(stream: BinaryIO, faults: Faults) -> FileRows:
    """All rows of a Parquet file; an empty file or duplicate column names are noted as faults."""
    with _as_os_error(), pq.ParquetFile(stream) as file:
        return _rows(list(file.schema_arrow.names), list(file.iter_batches()), faults)


def read_arrow(stream: BinaryIO, faults: Faults) -> FileRows:
    """All rows of an Arrow stream or file; as `read_parquet`."""
    with _as_os_error():
        is_file = stream.read(len(_FILE)) == _FILE
        stream.seek(0)
        found = pa.ipc.open_file(stream).read_all() if is_file else pa.ipc.open_stream(stream).read_all()
        return _rows(found.schema.names, found.to_batches(), faults)


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise OSError(None, first_line(error)) from None


def _rows(names: list[str], batches: list[pa.RecordBatch], faults: Faults) -> FileRows:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        faults.add_whole(f"the column {repeated!r} is there twice", "columns of different names")
        return FileRows(columns=names)
    rows = [row for batch in batches for row in batch.to_pylist()]
    if not rows:
        faults.add_whole("the file has no rows", "at least one row")
    return FileRows(columns=names, rows=list(enumerate(rows, 1)))
