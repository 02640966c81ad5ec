"""Every format gives the same rows, fingerprints and errors; only the position of a fault depends on the format."""

import csv
import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unidelta.errors import DataError, Problems, UserError
from unidelta.tasks import Columns, fingerprint, load, local, read_labels

from ..task_facts import task_spec

ROWS = [
    {"id": 1, "story": 'She said "no", twice.', "gist": "no; no", "mood": "bad", "stars": 1},
    {"id": 2, "story": "line one\nline two\r\n\ttab, comma", "gist": "două rânduri", "mood": "good", "stars": 5},
    {"id": 3, "story": "", "gist": "NaN", "mood": "N/A", "stars": 3},
    {"id": 3, "story": "null", "gist": " ", "mood": "bad", "stars": 1},
    {"id": 3, "story": "null", "gist": " ", "mood": "bad", "stars": 1},
    {"id": 6, "story": "\u2028x\x85y 🙂", "gist": "'", "mood": "good", "stars": 10},
]


def jsonl(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def json_list(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text(json.dumps(list(rows), indent=1), encoding="utf-8")


def arrow(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    table = pa.Table.from_pylist(list(rows))
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)


def parquet(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows)), file)


def delimited(delimiter: str) -> Callable[[Path, Sequence[Mapping[str, Any]]], None]:
    def write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)

    return write


def zipped(write: Callable[[Path, Sequence[Mapping[str, Any]]], None]) -> Callable[..., None]:
    def write_zipped(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        write(file, rows)
        file.write_bytes(gzip.compress(file.read_bytes()))

    return write_zipped


WRITERS = {".jsonl": jsonl, ".json": json_list, ".csv": delimited(","), ".tsv": delimited("\t")}
WRITERS |= {f"{suffix}.gz": zipped(write) for suffix, write in WRITERS.items()} | {".parquet": parquet, ".arrow": arrow}
BOOK = {"columns": Columns(source="story", target="gist")}
MOOD = {"columns": Columns(text="story", label="mood"), "labels": ("N/A", "bad", "good")}
STARS = {"columns": Columns(text="story", label="stars"), "labels": ("1", "3", "5", "10")}
TASKS = {"text": ("xsum", BOOK), "names": ("sst2", MOOD), "numbers": ("sst2", STARS)}


def test_every_format_is_tried() -> None:
    assert set(WRITERS) == set(local.FORMATS)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_csv_may_have_the_delimiter_of_another_country(delimiter: str, tmp_path: Path) -> None:
    task = task_spec("xsum", path=str(tmp_path), **BOOK)
    delimited(delimiter)(tmp_path / "train.csv", ROWS)
    assert load(task, "train") == [{"story": row["story"], "gist": row["gist"]} for row in ROWS]
    content = (tmp_path / "train.csv").read_bytes()
    (tmp_path / "train.csv").write_bytes(content.replace(b"id", b'"i,d"', 1))  # in quotation marks it separates nothing
    assert len(load(task, "train")) == len(ROWS)
    (tmp_path / "train.csv").write_text("story,gist;note\na;b,c;d\n", encoding="utf-8")
    task = task_spec("xsum", path=str(tmp_path), columns=Columns(source="story", target="gist;note"))
    assert load(task, "train") == [{"story": "a;b", "gist;note": "c;d"}]


def test_a_json_file_may_have_lines_too_and_a_list_is_as_strict(tmp_path: Path) -> None:
    task = task_spec("xsum", path=str(tmp_path), **BOOK)
    jsonl(tmp_path / "train.json", ROWS)
    assert len(load(task, "train")) == len(ROWS)
    for content, told in {
        b'\xef\xbb\xbf\n [{"story": "a", "gist": "b"}]\n': "",
        b'[{"story": "a", "gist": "b"},\n {"story": "a",]': r"not JSON: .* at line 2, character 1\d",
        b'[{"story": "a", "story": "b", "gist": "c"}]': "the key 'story' is there twice",
        b'[{"story": "a", "gist": NaN}]': "NaN is not a JSON number",
        b'[{"story": "\xff", "gist": "b"}]': r"byte 13 \(0xff\) is not UTF-8",
        b"[]": "the file has no rows",
        b"[" * 99_999: "nested too deeply",
        b'{"data": [{"story": "a", "gist": "b"}]}': "one object, with the rows in `data`",
    }.items():
        (tmp_path / "train.json").write_bytes(content)
        if told:
            with pytest.raises(Problems, match=told):
                load(task, "train")
        else:
            assert load(task, "train") == [{"story": "a", "gist": "b"}]


def test_a_data_set_that_datasets_saved_is_read_from_its_folder(tmp_path: Path) -> None:
    import datasets

    splits = {"train": ROWS, "validation": ROWS[:2]}
    saved = datasets.DatasetDict({name: datasets.Dataset.from_list(list(rows)) for name, rows in splits.items()})
    saved.save_to_disk(tmp_path / "whole")
    saved.save_to_disk(tmp_path / "parts", num_shards={"train": 3, "validation": 1})
    (tmp_path / "whole/train/cache-0123.arrow").write_bytes(b"what a map left")
    for folder in ("whole", "parts"):
        task = task_spec("xsum", path=str(tmp_path / folder), **BOOK)
        for split, rows in splits.items():
            assert load(task, split) == [{"story": row["story"], "gist": row["gist"]} for row in rows]
    (tmp_path / "parts/train/data-00001-of-00003.arrow").unlink()
    with pytest.raises(DataError, match=r"missing: 1"):
        load(task_spec("xsum", path=str(tmp_path / "parts"), **BOOK), "train")


@pytest.mark.parametrize("what", TASKS)
@pytest.mark.parametrize("suffix", WRITERS)
def test_the_same_rows_are_read_from_every_format(suffix: str, what: str, tmp_path: Path) -> None:
    name, facts = TASKS[what]
    task = task_spec(name, path=str(tmp_path), **facts)
    WRITERS[suffix](tmp_path / f"train{suffix}", ROWS)
    rows = load(task, "train")
    expected = [{column: row[column] for column in task.column_names().values()} for row in ROWS]
    assert rows == expected
    assert fingerprint(rows) == fingerprint(expected)
    if what == "numbers":
        assert [task.target(row) for row in rows] == [0, 2, 1, 0, 0, 3]


@pytest.mark.parametrize("suffix", WRITERS)
def test_labels_are_read_from_the_training_split(suffix: str, tmp_path: Path) -> None:
    WRITERS[suffix](tmp_path / f"train{suffix}", ROWS)
    for facts in (MOOD, STARS):
        task = task_spec("sst2", path=str(tmp_path), max_train_examples=2, **(facts | {"labels": ()}))
        assert read_labels(task) == facts["labels"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_parts_are_read_in_their_order_and_a_missing_one_is_told(suffix: str, tmp_path: Path) -> None:
    for i in (0, 1, 2):
        WRITERS[suffix](tmp_path / f"train-{i:05}-of-00003{suffix}", ROWS[2 * i : 2 * i + 2])
    task = task_spec("sst2", path=str(tmp_path), **MOOD)
    assert [row["mood"] for row in load(task, "train")] == [row["mood"] for row in ROWS]
    (tmp_path / f"train-00001-of-00003{suffix}").unlink()
    with pytest.raises(DataError, match=r"2 files where the names say 3 parts; missing: 1"):
        load(task, "train")


@pytest.mark.parametrize("name", ["validation", "dev", "valid", "val"])
def test_a_dev_split_has_any_of_its_usual_names(name: str, tmp_path: Path) -> None:
    jsonl(tmp_path / f"{name}.jsonl", ROWS)
    for asked in ("validation", "dev"):
        assert len(load(task_spec("xsum", path=str(tmp_path), **BOOK), asked)) == len(ROWS)
    parquet(tmp_path / "val.parquet", ROWS)
    with pytest.raises(DataError, match="more than once"):
        load(task_spec("xsum", path=str(tmp_path), **BOOK), "validation")


def problems(suffix: str, rows: Sequence[Mapping[str, Any]], tmp_path: Path, name: str, **facts: Any) -> list[str]:
    """What is said about a file, without places."""
    WRITERS[suffix](tmp_path / f"train{suffix}", rows)
    with pytest.raises(UserError) as caught:
        load(task_spec(name, path=str(tmp_path), **facts), "train")
    errors = caught.value.errors if isinstance(caught.value, Problems) else [caught.value]
    return [re.sub(r"^train[a-z.]+(:\d+)?: ", "", f"{error.why}|{error.instead}") for error in errors]


FAULTS = {
    "column": ("xsum", [{"storey": "a", "gist": "b"}], BOOK, "no column story; it has storey, gist"),
    "nearest": ("xsum", [{"storey": "a", "gist": "b"}], BOOK, "task.columns.source=storey"),
    "empty": ("xsum", [{"story": "a", "gist": ""}, {"story": "b", "gist": " "}], BOOK, "the column gist is empty in"),
    "unseen": ("sst2", [{"story": "a", "mood": "godo"}], MOOD, "'godo' is none of the labels"),
    "nearest label": ("sst2", [{"story": "a", "mood": "godo"}], MOOD, "good, or another of the labels N/A, bad, good"),
    "unseen number": ("sst2", [{"story": "a", "stars": 4}], STARS, "4 is none of the labels"),
    "no label": (
        "sst2",
        [{"story": "a", "stars": -1}],
        STARS,
        "without labels for the test split: task.test_split=null",
    ),
    "a split without labels": ("sst2", [{"story": "a", "stars": -1}], STARS, "-1 stands for no label"),
    "spaces": ("sst2", [{"story": "a", " the mood": "good"}], MOOD, """"task.columns.label=' the mood'\""""),
    "decimal": ("sst2", [{"story": "a", "stars": 1.5}], STARS, "1.5 is of type float, not a label"),
    "NUL": ("xsum", [{"story": "a\0", "gist": "b"}], BOOK, "story: the text holds a NUL character"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_same_fault_is_told_in_the_same_words(fault: str, tmp_path: Path) -> None:
    name, rows, facts, said = FAULTS[fault]
    told = {}
    for suffix in WRITERS:
        folder = tmp_path / suffix
        folder.mkdir()
        told[suffix] = problems(suffix, rows, folder, name, **facts)
    assert len({tuple(each) for each in told.values()}) == 1, told
    assert said in told[".csv"][0]


CSV_FAULTS = {
    "short": (b"story,gist\na,b\nc\n", "train.csv:3: 1 values where the header has 2"),
    "long": (b"story,gist\na,b,c\n", "train.csv:2: 3 values where the header has 2"),
    "blank": (b"story,gist\n\na,b\n", "train.csv:2: the line is blank"),
    "open quote": (b'story,gist\na,b\n"c,d\n', "train.csv:3: not CSV: unexpected end of data"),
    "late quote": (b'story,gist\n"a" b,c\n', "train.csv:2: not CSV: "),
    "twice": (b"story,gist,story\na,b,c\n", "train.csv:1: the column 'story' is there twice"),
    "latin-1": ("story,gist\ncafé,b\n".encode("latin-1"), "train.csv:2: byte 4 (0xe9) is not UTF-8"),
    "bars": (b"story|gist\na|b\n", "train.csv:1: the header is one column, 'story|gist'"),
    "empty": (b"", "train.csv: the file is empty"),
    "header": (b"story,gist\n", "train.csv: the file has no rows"),
}


@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_what_is_no_csv_is_told_with_its_line(fault: str, tmp_path: Path) -> None:
    content, said = CSV_FAULTS[fault]
    (tmp_path / "train.csv").write_bytes(content)
    with pytest.raises(Problems) as caught:
        load(task_spec("xsum", path=str(tmp_path), **BOOK), "train")
    assert len(caught.value.errors) == 1
    assert said in caught.value.why


@pytest.mark.parametrize("sign", [",", ";"])
def test_a_tsv_of_another_separator_is_to_be_named_csv(sign: str, tmp_path: Path) -> None:
    delimited(sign)(tmp_path / "train.tsv", ROWS)
    with pytest.raises(Problems) as caught:
        load(task_spec("xsum", path=str(tmp_path), **BOOK), "train")
    assert [error.why.partition("'")[0] for error in caught.value.errors] == ["train.tsv:1: the header is one column, "]
    assert caught.value.errors[0].instead.startswith("the file named .csv,")
    (tmp_path / "train.tsv").rename(tmp_path / "train.csv")
    assert len(load(task_spec("xsum", path=str(tmp_path), **BOOK), "train")) == len(ROWS)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_in_a_file_of_lines_is_to_be_named_json(indent: int | None, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(json.dumps(ROWS, indent=indent), encoding="utf-8")
    with pytest.raises(Problems) as caught:
        load(task_spec("xsum", path=str(tmp_path), **BOOK), "train")
    assert [error.why for error in caught.value.errors] == ["train.jsonl:1: the line begins a list"]
    assert caught.value.errors[0].instead.endswith("a file with one list is named .json")


def test_a_byte_order_mark_windows_line_ends_and_long_texts_are_fine(tmp_path: Path) -> None:
    long = "word " * 100_000
    (tmp_path / "train.csv").write_bytes(b"\xef\xbb\xbf" + f"story,gist\r\n{long},b\r\n".encode())
    limit = csv.field_size_limit()
    assert load(task_spec("xsum", path=str(tmp_path), **BOOK), "train") == [{"story": long, "gist": "b"}]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv.gz"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "not zipped"])
def test_a_damaged_archive_is_a_data_error(suffix: str, damage: str, tmp_path: Path) -> None:
    file = tmp_path / f"train{suffix}"
    WRITERS[suffix](file, ROWS * 50)
    whole = file.read_bytes()
    spoilt = {"cut": whole[:-30], "flipped": whole[:40] + bytes([whole[40] ^ 255]) + whole[41:], "not zipped": b"a,b\n"}
    file.write_bytes(spoilt[damage])
    with pytest.raises(UserError) as caught:
        load(task_spec("xsum", path=str(tmp_path), **BOOK), "train")
    assert f"train{suffix}" in caught.value.why


def test_a_nested_column_may_be_flat_where_a_format_cannot_nest(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("translation.en,translation.ro\nsea,mare\n")
    task = task_spec("wmt_en_ro", path=str(tmp_path))
    assert load(task, "train") == [{"translation": {"en": "sea", "ro": "mare"}}]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"story": "a", "mood": "bad"}] * 3, "all 3 rows of the training split have the label bad"),
        ([{"story": "a", "mood": f"m{i}"} for i in range(30)], "each of the 30 rows of the training split has a label"),
    ],
)
def test_a_column_that_tells_nothing_apart_is_no_label(rows: list[dict], said: str, tmp_path: Path) -> None:
    jsonl(tmp_path / "train.jsonl", rows)
    with pytest.raises(DataError) as caught:
        read_labels(task_spec("sst2", path=str(tmp_path), **(MOOD | {"labels": ()})))
    assert said in caught.value.why
