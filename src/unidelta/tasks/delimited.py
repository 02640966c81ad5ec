"""A strict reader of CSV and TSV: a header, quotes as in RFC 4180, and the line number of every fault.

UTF-8, a byte-order mark and Windows line ends are accepted. Values are text; an empty one is an empty text. pandas and
pyarrow read the same files faster, but silently fill rows that are cut short, so Python's own reader is used.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from unidelta.tasks.faults import Faults
from unidelta.tasks.file_rows import FileRows

MAX_CHARACTERS = 16 * 2**20  # of one value
_INSTEAD = "as many values in every row as there are columns, quoted where they hold a delimiter or a line end"


def read_delimited(stream: BinaryIO, faults: Faults, *, delimiters: str) -> FileRows:
    """All rows with a value for every column; faults in the others are noted by line number.

    Args:
        stream: the file.
        faults: what is wrong is added to them.
        delimiters: the first of these that the header has outside of quotes separates the values.
    """
    limit = csv.field_size_limit(MAX_CHARACTERS)
    lines = _lines(stream)
    table = FileRows()
    reader = csv.reader(lines, strict=True)
    try:
        header = next(lines, "")
        reader = csv.reader(chain([header], lines), delimiter=_delimiter(header, delimiters), strict=True)
        table.columns = next(reader, [])
        repeated = next((name for name in table.columns if table.columns.count(name) > 1), None)
        if repeated is not None:
            faults.add(row=1, what=f"the column {repeated!r} is there twice", instead="columns of different names")
            return table
        if len(table.columns) == 1 and (sign := _other_sign(table.columns[0], delimiters)):
            what = f"the header is one column, {table.columns[0]!r}"
            separated = "values separated by commas, semicolons or tabs"
            renamed = "the file named .csv, whose values may be separated by commas or semicolons"
            faults.add(row=1, what=what, instead=separated if sign == "|" else renamed)
            return table
        for values in reader:
            if len(values) == len(table.columns):
                table.rows.append((reader.line_num, dict(zip(table.columns, values, strict=True))))
            elif not values:
                faults.add(row=reader.line_num, what="the line is blank", instead="delete the line")
            else:
                what = f"{len(values)} values where the header has {len(table.columns)}"
                faults.add(row=reader.line_num, what=what, instead=_INSTEAD)
    except csv.Error as error:
        faults.add(row=reader.line_num, what=f"not CSV: {error}", instead=_INSTEAD)
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} (0x{error.object[error.start]:02x}) is not UTF-8"
        faults.add(row=reader.line_num + 1, what=what, instead="the file saved as UTF-8")
    finally:
        csv.field_size_limit(limit)
    if not table.columns and not faults.total:
        faults.add_whole("the file is empty", "a header, and at least one row")
    elif not table.rows and not faults.total:
        faults.add_whole("the file has no rows", "at least one row")
    return table


def _delimiter(header: str, delimiters: str) -> str:
    unquoted = re.sub('"[^"]*"?', "", header)
    return next((delimiter for delimiter in delimiters if delimiter in unquoted), delimiters[0])


def _other_sign(header: str, delimiters: str) -> str | None:
    """What seems to separate the names of a header that is one column, though it does not in such a file."""
    return next((sign for sign in ",;|" if sign in header and sign not in delimiters), None)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines as text, so that the line of a byte that is not UTF-8 is known."""
    for number, line in enumerate(stream):
        yield (line.removeprefix(codecs.BOM_UTF8) if number == 0 else line).decode()
