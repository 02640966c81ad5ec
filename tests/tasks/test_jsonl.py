"""The JSONL reader: what it accepts, and the reported position of faults."""

import json
from pathlib import Path

import pytest

from unidelta.errors import DataError, Problems
from unidelta.tasks import jsonl
from unidelta.tasks.local import read_file

from ..task_facts import task_spec

SST2, MNLI, WMT = task_spec("sst2"), task_spec("mnli"), task_spec("wmt_en_ro")
GOOD = b'{"sentence": "a fine film", "label": 1}'


def told(file: Path, task=SST2) -> Problems:
    with pytest.raises(Problems) as caught:
        read_file(file, task)
    return caught.value


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_text_is_a_row_like_any_other(text: str, tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    rows = [{"sentence": text, "label": 1}, {"sentence": "a", "label": 0}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_file(file, SST2) == rows


_ROWS = [{"sentence": "a", "label": 0}, {"sentence": "b", "label": 1}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("content", "what", "instead"),
    [
        ({"data": _ROWS}, "with the rows in `data`", "that list alone"),
        ({"version": 2, "split": None, "train": _ROWS}, "with the rows in `train`", "that list alone"),
        ({"sentence": {"0": "a", "1": "b"}, "label": {"0": 0, "1": 1}}, "a column in each key", "orient='records'"),
        ({"sentence": ["a", "b"], "label": [0, 1]}, "a column in each key", "orient='records'"),
    ],
)
def test_rows_inside_one_object_are_told(content, what, instead, indent, tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text(json.dumps(content, indent=indent))
    (error,) = told(file).errors
    assert what in error.why and instead in error.instead


@pytest.mark.parametrize(
    "text",
    [
        '{"sentence": "a", "label": 0}',
        '{"sentence": "a", "label": 0, "spans": [{"at": 1}]}',
        '{"sentence": "a", "label": 0, "spans": [{"at": 1}]}\n{"sentence": "a", "label": 0}',
    ],
)
def test_lines_in_a_json_file_are_rows(text: str, tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text(text)
    assert read_file(file, SST2) == [{"sentence": "a", "label": 0}] * len(text.splitlines())


FAULTS = {
    "cut line": (GOOD[:20], "not JSON: Unterminated string starting at character 14"),
    "no object": (b"[1, 2]", "[1, 2] is not an object"),
    "blank": (b"   ", "the line is blank"),
    "repeated key": (b'{"sentence": "a", "label": 1, "label": 0}', "the key 'label' is there twice"),
    "absent column": (
        b'{"label": 1, "text": "a"}',
        "sentence: the column is missing; the row has label, text",
    ),
    "null": (b'{"sentence": null, "label": 1}', "sentence: null where text is needed"),
    "number for text": (b'{"sentence": 3, "label": 1}', "sentence: 3 is of type int, not text"),
    "NUL": (b'{"sentence": "a\\u0000", "label": 1}', "sentence: the text holds a NUL character"),
    "raw NUL": (b'{"sentence": "a\0", "label": 1}', "not JSON: Invalid control character at character 16"),
    "latin-1": ('{"sentence": "café", "label": 1}'.encode("latin-1"), "byte 18 (0xe9) is not UTF-8"),
    "lone surrogate": (b'{"sentence": "\\ud83d", "label": 1}', "sentence: the text holds a lone surrogate"),
    "NaN": (b'{"sentence": "a", "label": NaN}', "NaN is not a JSON number"),
    "endless brackets": (b"[" * 100_000, "not JSON: nested too deeply"),
    "endless digits": (
        b'{"sentence": "a", "label": ' + b"1" * 5000 + b"}",
        "not strict JSON: Exceeds the limit",
    ),
    "n_classes": (b'{"sentence": "a", "label": 2}', "label: 2 is outside 0 to 1"),
    "no label": (b'{"sentence": "a", "label": -1}', "label: -1 stands for no label"),
    "negative": (b'{"sentence": "a", "label": -5}', "label: -5 is outside 0 to 1"),
    "float": (b'{"sentence": "a", "label": 1.0}', "label: 1.0 is of type float, not a label"),
    "bool": (b'{"sentence": "a", "label": true}', "label: True is of type bool, not a label"),
    "string": (b'{"sentence": "a", "label": "possitive"}', "label: 'possitive' is none of the labels"),
    "label null": (b'{"sentence": "a", "label": null}', "label: null where a label is needed"),
}


@pytest.mark.parametrize("place", [1, 2, 3], ids=["first", "middle", "last"])
@pytest.mark.parametrize(("bad", "what"), FAULTS.values(), ids=FAULTS.keys())
def test_a_bad_row_is_located(bad: bytes, what: str, place: int, tmp_path: Path) -> None:
    lines = [GOOD] * 3
    lines[place - 1] = bad
    file = tmp_path / "train.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    error = told(file)
    assert len(error.errors) == 1
    assert error.errors[0].why.startswith(f"train.jsonl:{place}: ")
    assert what in error.errors[0].why
    assert error.errors[0].asked == f"sst2 rows from {file}"


def test_a_cut_last_line_says_that_the_file_may_be_cut(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(GOOD + b"\n" + GOOD[:-3])
    assert told(tmp_path / "train.jsonl").why.endswith("; the file may be cut short here")


def test_an_allowed_label_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(b'{"premise": "a", "hypothesis": "b", "label": 3}\n')
    assert told(tmp_path / "train.jsonl", MNLI).instead == "one of 0 (entailment), 1 (neutral), 2 (contradiction)"


def test_a_nested_column_is_named_in_full(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(b'{"translation": {"en": "a"}}\n{"translation": "a"}\n')
    assert [error.why.split(": ")[:2] for error in told(tmp_path / "train.jsonl", WMT).errors] == [
        ["train.jsonl:1", "translation.ro"],
        ["train.jsonl:2", "translation.en"],
        ["train.jsonl:2", "translation.ro"],
    ]


def test_bom_windows_line_ends_and_other_columns_are_fine(tmp_path: Path) -> None:
    row = '{"sentence": "peștișor", "label": 0, "idx": 7}'
    (tmp_path / "train.jsonl").write_bytes(b"\xef\xbb\xbf" + f"{row}\r\n{row}\r\n".encode())
    rows = read_file(tmp_path / "train.jsonl", SST2)
    assert rows == [{"sentence": "peștișor", "label": 0}] * 2


def test_unicode_line_separators_inside_text_do_not_end_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\x85three"
    (tmp_path / "train.jsonl").write_text(json.dumps({"sentence": text, "label": 0}, ensure_ascii=False))
    assert read_file(tmp_path / "train.jsonl", SST2)[0]["sentence"] == text


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").touch()
    assert told(tmp_path / "train.jsonl").why == "train.jsonl: the file is empty"


def test_a_line_without_end_is_refused_and_the_next_is_still_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 2**20)
    long = b'{"sentence": "' + b"a" * 3 * 2**20 + b'", "label": 1}'
    (tmp_path / "train.jsonl").write_bytes(b"\n".join([GOOD, long, GOOD, b"{}"]))
    whys = [error.why for error in told(tmp_path / "train.jsonl").errors]
    assert whys[0] == "train.jsonl:2: the line is longer than 1 MiB"
    assert [why.split(":")[1] for why in whys[1:]] == ["4", "4"]


def test_ten_faults_are_told_and_all_are_counted(tmp_path: Path) -> None:
    bad = [f'{{"sentence": {n}, "label": 1}}' for n in range(2, 1002)]
    (tmp_path / "train.jsonl").write_text("\n".join(bad))
    errors = told(tmp_path / "train.jsonl").errors
    assert len(errors) == 11
    assert errors[9].why == "train.jsonl:10: sentence: 11 is of type int, not text"
    assert errors[10].why == "train.jsonl: 1,000 problems in all, 10 of them listed above"


def test_a_fault_in_every_row_leaves_room_for_others(tmp_path: Path) -> None:
    rows = ['{"sentence": 1, "label": 1}'] * 50 + ['{"sentence": 1, "label": 9}']
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    errors = told(tmp_path / "train.jsonl").errors
    assert [error.why.split(":")[1] for error in errors[:-1]] == ["1", "2", "3", "51"]
    assert "label: 9 is outside 0 to 1" in errors[3].why
    assert "52 problems in all, 4 of them listed above" in errors[4].why


def test_an_unreadable_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl: Is a directory"):
        (tmp_path / "train.jsonl").mkdir()
        read_file(tmp_path / "train.jsonl", SST2)
