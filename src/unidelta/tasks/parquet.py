"""A reader of Parquet; rows are counted from 1 in each file."""

from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from unidelta.tasks.faults import Faults
from unidelta.tasks.table import Table


def read_parquet(stream: BinaryIO, faults: Faults) -> Table:
    """All rows of a file; an empty file or duplicate column names are noted as faults."""
    try:
        with pq.ParquetFile(stream) as file:
            names = list(file.schema_arrow.names)
            repeated = next((name for name in names if names.count(name) > 1), None)
            if repeated is not None:
                faults.add_whole(f"the column {repeated!r} is there twice.", "columns of different names")
                return Table(columns=names)
            rows = [row for batch in file.iter_batches() for row in batch.to_pylist()]
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise OSError(None, str(error).splitlines()[0]) from None
    if not rows:
        faults.add_whole("the file has no rows.", "at least one row")
    return Table(columns=names, rows=list(enumerate(rows, 1)))
