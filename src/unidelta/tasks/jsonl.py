"""Strict readers of JSON: one object per line, with the line number of every fault, or one list of objects.

UTF-8, a byte-order mark at the start and Windows line ends are accepted. Errors, because each would silently lose
or change a row: blank lines, repeated keys, NaN and Infinity, lines above 16 MiB.
"""

import json
import re
from codecs import BOM_UTF8
from io import BytesIO
from typing import Any, BinaryIO

from unidelta.records.strict_json import STRICT
from unidelta.tasks.faults import Faults
from unidelta.tasks.file_rows import FileRows

MAX_LINE_BYTES = 16 * 2**20
_LIST_OF_OBJECTS = re.compile(rb"\s*\[\s*(\{|$)")
_ONE_OBJECT = "one JSON object a line, in UTF-8"


def read_json(stream: BinaryIO, faults: Faults) -> FileRows:
    """A list of objects, whose items are rows, or else lines as `read_jsonl` reads them."""
    content = stream.read()
    body = content.removeprefix(BOM_UTF8)
    table = FileRows()
    if body.lstrip()[:1] != b"[":
        if (wrapped := _wrapped(body)) is None:
            return read_jsonl(BytesIO(content), faults)
        faults.add_whole(*wrapped)
        return table
    try:
        rows = _strict(body)
    except (ValueError, RecursionError) as error:
        faults.add_whole(_fault(error), _instead(error, f"a list of JSON objects, or {_ONE_OBJECT}"))
        return table
    for number, row in enumerate(rows, 1):
        table.add(number, row)
    if not rows:
        faults.add_whole("the file has no rows", "at least one row")
    return table


def _wrapped(body: bytes) -> tuple[str, str] | None:
    """What a file is that holds its rows or columns in one object, and what to make of it; None if it is another."""
    try:
        whole = None if b"\n{" in body.strip() else _strict(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict) or not whole or any(isinstance(value, str) for value in whole.values()):
        return None  # lines: a row has a text
    for name, value in whole.items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return f"the file is one object, with the rows in `{name}`", "that list alone, in a file"
    if len(whole) > 1 and all(isinstance(value, dict | list) for value in whole.values()):
        return "the file is one object, with a column in each key", "a list of rows: df.to_json(FILE, orient='records')"
    return None


def read_jsonl(stream: BinaryIO, faults: Faults) -> FileRows:
    """All lines that are JSON; faults in the others are noted. Line numbers are row numbers."""
    table = FileRows()
    if stream.read(len(BOM_UTF8)) != BOM_UTF8:
        stream.seek(0)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1 and _LIST_OF_OBJECTS.match(line):
            instead = f"{_ONE_OBJECT}; a file with one list is named .json"
            faults.add(row=1, what="the line begins a list", instead=instead)
            break
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            what = f"the line is longer than {MAX_LINE_BYTES // 2**20} MiB"
            faults.add(row=number, what=what, instead=_ONE_OBJECT)
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
        elif not line.strip():
            faults.add(row=number, what="the line is blank", instead="delete the line")
        else:
            _read_line(line, number, faults, table)
    if not number:
        faults.add_whole("the file is empty", _ONE_OBJECT)
    return table


def _read_line(line: bytes, number: int, faults: Faults, table: FileRows) -> None:
    try:
        table.add(number, _strict(line.rstrip(b"\r\n")))
    except (ValueError, RecursionError) as error:
        is_cut = isinstance(error, json.JSONDecodeError) and not line.endswith(b"\n")
        hint = "; the file may be cut short here" if is_cut else ""
        faults.add(row=number, what=f"{_fault(error)}{hint}", instead=_instead(error, _ONE_OBJECT))


def _strict(content: bytes) -> Any:
    return json.loads(content.decode(), **STRICT)


def _fault(error: ValueError | RecursionError) -> str:
    """What is wrong with JSON that `_strict` does not read."""
    match error:
        case UnicodeDecodeError():
            return f"byte {error.start + 1} (0x{error.object[error.start]:02x}) is not UTF-8"
        case json.JSONDecodeError():
            place = f"line {error.lineno}, " if error.lineno > 1 else ""
            return f"not JSON: {error.msg.removesuffix(' at')} at {place}character {error.colno}"
        case RecursionError():  # [[[[…
            return "not JSON: nested too deeply"
        case _:  # what `STRICT` refuses, and numbers of more than 4,300 digits
            return f"not strict JSON: {error}"


def _instead(error: Exception, usual: str) -> str:
    return "the file saved as UTF-8" if isinstance(error, UnicodeDecodeError) else usual
