"""A strict reader of JSONL: one JSON object per line, and the line number of every fault.

UTF-8, a byte-order mark at the start and Windows line ends are accepted. Errors, because each would silently lose
or change a row: blank lines, repeated keys, NaN and Infinity, lines above 16 MiB.
"""

import json
from typing import Any, BinaryIO

from unidelta.tasks.faults import Faults
from unidelta.tasks.table import Table

MAX_LINE_BYTES = 16 * 2**20
_BOM = b"\xef\xbb\xbf"
_ONE_OBJECT = "one JSON object a line, in UTF-8"


def read_jsonl(stream: BinaryIO, faults: Faults) -> Table:
    """All lines that are JSON; faults in the others are noted. Line numbers are row numbers."""
    table = Table()
    n_lines = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        n_lines += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            what = f"the line is longer than {MAX_LINE_BYTES // 2**20} MiB."
            faults.add(row=n_lines, what=what, instead=_ONE_OBJECT)
            _skip_line(stream)
            continue
        _read_line(line, n_lines, faults, table)
    if n_lines == 0:
        faults.add_whole("the file is empty.", _ONE_OBJECT)
    return table


def _read_line(line: bytes, number: int, faults: Faults, table: Table) -> None:
    if number == 1 and line.startswith(_BOM):
        line = line[len(_BOM) :]
    if not line.strip():
        faults.add(row=number, what="the line is blank.", instead="delete the line")
        return
    try:
        row = json.loads(line.rstrip(b"\r\n").decode(), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8."
        faults.add(row=number, what=what, instead="the file saved as UTF-8")
    except json.JSONDecodeError as error:
        hint = "" if line.endswith(b"\n") else " The file may be cut short here."
        faults.add(
            row=number,
            what=f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}.{hint}",
            instead=_ONE_OBJECT,
        )
    except (ValueError, RecursionError) as error:
        # ValueError: the two hooks, and numbers of more than 4,300 digits. RecursionError: [[[[…
        what = "not JSON: nested too deeply." if isinstance(error, RecursionError) else f"not strict JSON: {error}"
        faults.add(row=number, what=what, instead=_ONE_OBJECT)
    else:
        table.add(number, row)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {repeated!r} is there twice.")
    return row


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number.")


def _skip_line(stream: BinaryIO) -> None:
    while chunk := stream.readline(MAX_LINE_BYTES):
        if chunk.endswith(b"\n"):
            return
