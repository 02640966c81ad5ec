"""Where rows come from, which of them are kept, and their fingerprint."""

import hashlib
import json
import shlex
import sys
import types
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unidelta.errors import ConfigError, DataError, Problems
from unidelta.tasks import fingerprint, load, load_all, local

from ..composed import composed

ROWS = [{"sentence": f"film {i}", "label": i % 2} for i in range(5)]


def write_jsonl(file: Path, rows: list[dict]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(file: Path, rows: list[dict]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), file)


def test_jsonl_and_parquet_give_the_same_rows_and_fingerprint(make_task, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    write_parquet(tmp_path / "validation.parquet", ROWS)
    loaded = load_all(make_task("sst2", path=str(tmp_path)))
    assert loaded == {"train": ROWS, "validation": ROWS}
    assert fingerprint(loaded["train"]) == fingerprint(loaded["validation"])


def test_parts_are_read_in_order(make_task, tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-00001-of-00002.parquet", ROWS[3:])
    write_parquet(tmp_path / "train-00000-of-00002.parquet", ROWS[:3])
    assert load(make_task("sst2", path=str(tmp_path)), "train") == ROWS


def test_rows_held_out_of_a_split_are_its_last_and_no_longer_in_it(make_task, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    write_parquet(tmp_path / "dev.parquet", ROWS[:3])
    spec = make_task("sst2", path=str(tmp_path), eval_split="train[-2:]", test_split="validation")
    assert load_all(spec) == {"train": ROWS[:3], "train[-2:]": ROWS[3:], "validation": ROWS[:3]}
    first = make_task("sst2", path=str(tmp_path), eval_split="train[-3:]", test_split="dev", max_eval_examples=1)
    assert load_all(first) == {"train": ROWS[:2], "train[-3:]": [ROWS[2]], "dev": ROWS[:3]}
    cut = make_task("sst2", path=str(tmp_path), eval_split="train[-3:]", max_train_examples=1)
    assert load_all(cut) == {"train": ROWS[:1], "train[-3:]": ROWS[2:]}


def test_a_split_that_rows_are_held_out_of_is_read_once(make_task, tmp_path: Path, monkeypatch) -> None:
    read: list[str] = []
    read_file = local.read_file
    monkeypatch.setattr(local, "read_file", lambda file, task: [read.append(file.name), *read_file(file, task)][1:])
    for split in ("train", "dev"):
        write_jsonl(tmp_path / f"{split}.jsonl", ROWS)
    load_all(make_task("sst2", path=str(tmp_path), eval_split="train[-2:]", test_split="dev"))
    assert read == ["train.jsonl", "dev.jsonl"]


def test_a_miniature_holds_out_rows_as_well(make_task) -> None:
    whole = load(make_task("sst2", source="mini"), "train")
    spec = make_task("sst2", source="mini", eval_split="train[-7:]", test_split="test", max_train_examples=5)
    assert load(spec, "train") == whole[:5]
    assert load(spec, "train[-7:]") == whole[-7:]


@pytest.mark.parametrize("n", [5, 6, 2000])
def test_a_split_keeps_some_of_its_rows(make_task, tmp_path: Path, n: int) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(Problems, match="the split train has 5 rows, and this leaves it none"):
        load_all(make_task("sst2", path=str(tmp_path), eval_split=f"train[-{n}:]"))


@pytest.mark.parametrize("n_rows", [2, 24, 7000])
@pytest.mark.parametrize("asked", ["eval_split", "test_split", "extra_eval_splits", "no dev split"])
def test_rows_held_out_are_offered_as_they_are_typed_and_as_many_as_there_are(
    make_task, tmp_path: Path, n_rows: int, asked: str
) -> None:
    write_jsonl(tmp_path / "train.jsonl", [{"sentence": f"film {i}", "label": i % 2} for i in range(n_rows)])
    all_of_them = f"train[-{n_rows}:]"
    changes = {} if asked == "no dev split" else {asked: (all_of_them,) if asked.endswith("s") else all_of_them}
    with pytest.raises(Problems) as caught:
        load_all(make_task("sst2", path=str(tmp_path), **({"eval_split": "train"} if changes else {}) | changes))
    (offered,) = shlex.split(caught.value.errors[0].instead.rpartition("; or ")[2].partition(", the last")[0])
    task = composed(["task=sst2", "scale=paper", offered]).task
    split = {"extra_eval_splits": task.extra_eval_splits, "test_split": [task.test_split]}.get(asked, [task.eval_split])
    held_out = load(make_task("sst2", path=str(tmp_path), eval_split=split[0]), split[0])
    assert len(held_out) == {2: 1, 24: 2, 7000: 500}[n_rows]


@pytest.mark.parametrize("split", ["train[:3]", "train[-0:]", "train[-10%:]", "train[2:4]"])
def test_other_slices_are_no_splits(make_task, tmp_path: Path, split: str) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(DataError, match="letters, digits and _ only"):
        load(make_task("sst2", path=str(tmp_path)), split)


def test_a_missing_part_is_refused(make_task, tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-00000-of-00003.parquet", ROWS)
    write_parquet(tmp_path / "train-00002-of-00003.parquet", ROWS)
    with pytest.raises(DataError) as caught:
        load(make_task("sst2", path=str(tmp_path)), "train")
    assert caught.value.why == "2 files where the names say 3 parts; missing: 1"


def test_matched_and_mismatched_never_run_together(make_task, tmp_path: Path) -> None:
    for split in ("train", "validation_matched", "validation_mismatched"):
        write_jsonl(tmp_path / f"{split}.jsonl", [{"premise": split, "hypothesis": "b", "label": 0}])
    spec = make_task(
        "mnli",
        path=str(tmp_path),
        eval_split="validation_matched",
        extra_eval_splits=("validation_mismatched",),
    )
    assert {split: rows[0]["premise"] for split, rows in load_all(spec).items()} == {
        split: split for split in ("train", "validation_matched", "validation_mismatched")
    }
    with pytest.raises(DataError) as caught:
        load(make_task("mnli", path=str(tmp_path)), "validation")
    assert caught.value.why == (
        "the folder has no such file; it has train.jsonl, validation_matched.jsonl, validation_mismatched.jsonl"
    )
    assert caught.value.instead == (
        "a file named validation.jsonl, .json, .csv, .tsv or .parquet;"
        " or task.eval_split=NAME for a dev split named otherwise"
    )


def test_a_split_that_is_there_twice_is_refused(make_task, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    write_parquet(tmp_path / "train.parquet", ROWS)
    with pytest.raises(DataError, match=r"more than once: train\.jsonl, train\.parquet"):
        load(make_task("sst2", path=str(tmp_path)), "train")


def test_a_folder_instead_of_a_file_is_refused(make_task, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").mkdir()
    with pytest.raises(DataError, match=r"train\.jsonl is a folder"):
        load(make_task("sst2", path=str(tmp_path)), "train")


@pytest.mark.parametrize("split", ["../train", "*", "", "train.jsonl", "tr\0ain"])
def test_a_split_is_a_plain_name(make_task, tmp_path: Path, split: str) -> None:
    with pytest.raises(DataError, match="a split's name has letters, digits and _ only"):
        load(make_task("sst2", path=str(tmp_path)), split)


def test_a_missing_folder_is_told_once_and_before_any_hub_is_asked(make_task, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "unidelta.tasks.hub", None)  # importing it would raise
    with pytest.raises(Problems) as caught:
        load_all(make_task("sst2", path="no/such/folder"))
    assert str(caught.value) == (
        "You asked:  task.path=no/such/folder\n"
        "Why not:    there is no such folder\n"
        "Instead:    task.path=DIR with a folder of data files"
    )


def test_a_local_source_needs_a_folder(make_task) -> None:
    with pytest.raises(DataError, match="no folder is given"):
        load(make_task("sst2"), "train")


def test_faults_of_all_splits_are_told_together(make_task, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [{"sentence": "a", "label": 5}])
    with pytest.raises(Problems) as caught:
        load_all(make_task("sst2", path=str(tmp_path)))
    assert [error.asked for error in caught.value.errors] == [
        f"sst2 rows from {tmp_path / 'train.jsonl'}",
        f"split validation in {tmp_path}",
    ]


def test_limits_keep_the_first_rows_of_their_split(make_task, tmp_path: Path) -> None:
    for split in ("train", "validation", "test", "other"):
        write_jsonl(tmp_path / f"{split}.jsonl", ROWS)
    spec = make_task(
        "sst2",
        path=str(tmp_path),
        test_split="test",
        extra_eval_splits=("other",),
        max_train_examples=4,
        max_eval_examples=3,
        max_test_examples=2,
    )
    assert {split: len(rows) for split, rows in load_all(spec).items()} == {
        "train": 4,
        "validation": 3,
        "test": 2,
        "other": 2,
    }
    assert load(spec, "test") == ROWS[:2]


def test_a_limit_does_not_hide_a_fault_behind_it(make_task, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [*ROWS, {"sentence": "a", "label": 5}])
    with pytest.raises(Problems, match=r"train\.jsonl:6: label"):
        load(make_task("sst2", path=str(tmp_path), max_train_examples=2), "train")


def test_the_miniature_is_asked_for_its_rows(make_task, monkeypatch) -> None:
    asked = []

    def rows(task: str, split: str, *, seed: int) -> list[dict]:
        asked.append((task, split, seed))
        return ROWS

    monkeypatch.setitem(sys.modules, "unidelta.mini", types.SimpleNamespace(rows=rows))
    assert load(make_task("sst2", source="mini", test_split="test", max_eval_examples=2), "validation") == ROWS[:2]
    assert asked == [("sst2", "validation", 0)]


def test_an_unknown_source_is_refused(make_task) -> None:
    with pytest.raises(ConfigError, match="one of: hub, local, mini"):
        load(make_task("sst2", source="ftp"), "train")


def test_the_fingerprint_is_sha256_over_canonical_json() -> None:
    expected = hashlib.sha256(b'{"label":0,"sentence":"\\u0219"}\n{"label":1,"sentence":"b"}\n').hexdigest()
    assert fingerprint([{"sentence": "ș", "label": 0}, {"label": 1, "sentence": "b"}]) == expected


def test_the_fingerprint_sees_order_and_content() -> None:
    prints = {
        fingerprint(ROWS),
        fingerprint(ROWS[::-1]),
        fingerprint(ROWS[:4]),
        fingerprint([*ROWS[:4], {"sentence": "film 4", "label": 1}]),
    }
    assert len(prints) == 4
