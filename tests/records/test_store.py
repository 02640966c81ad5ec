"""Records as files: complete or absent, found again, and never outside their folder."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.errors import RecordError
from unidelta.records import RecordStore, atomic, to_json
from unidelta.records.atomic import write_atomically


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(root=tmp_path / "runs")


def place(record) -> dict[str, str]:
    return {"scale": "mini", "task": "sst2", "run_id": record.run_id}


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*") if entry.is_file())


def test_a_record_lies_where_its_coordinates_say(store, record) -> None:
    path = store.write(record)
    assert path == store.root / "mini" / "sst2" / f"{record.run_id}.json"
    assert path.read_text() == to_json(record)
    assert to_json(store.files_of(record).read()) == to_json(record)
    assert names(store.root) == [path.name]


def test_a_run_without_a_record_has_none(store, record) -> None:
    assert store.files_of(record).read() is None
    assert store.read_all().records == ()


def test_a_second_record_of_a_run_takes_the_place_of_the_first(store, record) -> None:
    store.write(replace(record, status="interrupted", reason="by hand"))
    store.write(record)
    assert [r.status for r in store.read_all().records] == ["complete"]


def test_all_records_are_found_and_damaged_ones_are_listed(store, record) -> None:
    others = [replace(record, run_id=f"{i:016x}") for i in range(4)]
    paths = [store.write(other) for other in others]
    paths[1].write_text(paths[1].read_text()[:100])
    paths[2].write_bytes(b"\xff\xfe")
    (paths[0].parent / f".{'f' * 16}.json.123.tmp").write_text("{")
    paths[3].rename(paths[3].with_name("0000000000000009.json"))
    store.files_of(record).write_predictions([{"index": 0}])
    listing = store.read_all()
    assert [found.run_id for found in listing.records] == ["0" * 16]
    whys = [error.why for error in listing.damaged]
    assert "not strict JSON" in whys[0]
    assert whys[1] == "byte 1 is not UTF-8"
    assert whys[2] == "it is the record of run 0000000000000003"


def test_predictions_are_one_object_a_line(store, record) -> None:
    rows = [{"split": "test", "index": i, "prediction": "ș\n", "reference": "b"} for i in range(3)]
    path = store.files_of(record).write_predictions(rows)
    assert path.name == f"{record.run_id}.predictions.jsonl"
    assert [json.loads(line) for line in path.read_text().splitlines()] == rows


@pytest.mark.parametrize("name", ["../x", "/abs", "a/../../b", "", ".hidden", "-rf", "a\0b", "a\n", "~", "x" * 101])
@pytest.mark.parametrize("part", ["scale", "task", "run_id"])
def test_a_name_cannot_lead_out_of_the_store(store, record, part: str, name: str) -> None:
    with pytest.raises(RecordError, match="is not a plain name") as caught:
        store.files(**{**place(record), part: name})
    assert caught.value.why == f"{name!r} is not a plain name"
    assert caught.value.instead == "letters, digits, _ and - only, up to 100 of them"


def test_a_link_cannot_lead_out_of_the_store(store, record, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    store.root.mkdir()
    (store.root / "mini").symlink_to(tmp_path / "outside")
    with pytest.raises(RecordError, match="a link leads out of") as caught:
        store.write(record)
    assert caught.value.why == f"a link leads out of {store.root}"
    assert names(tmp_path / "outside") == []


def test_in_a_circle_of_links_there_is_nothing_and_nothing_can_be_written(store, record) -> None:
    store.root.symlink_to("other")
    store.root.with_name("other").symlink_to(store.root.name)
    assert store.files(**place(record)).read() is None
    with pytest.raises(RecordError, match="write"):
        store.write(record)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EFBIG, errno.ESTALE, errno.ENAMETOOLONG])
def test_a_failed_write_leaves_what_was_there(store, record, monkeypatch, step: str, code: int) -> None:
    path = store.write(record)
    before = path.read_bytes()

    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(RecordError) as caught:
        store.write(replace(record, status="failed", reason="x"))
    monkeypatch.undo()
    assert caught.value.why.startswith(f"{os.strerror(code)} (errno {code}): {path}")
    instead = {
        errno.EROFS: "a folder that you may write to",
        errno.ENAMETOOLONG: "a shorter name",
        errno.ESTALE: "everything back in its place and the same command again, or another folder",
    }
    assert caught.value.instead.startswith(instead.get(code, "room on that disk, or another folder"))
    assert path.read_bytes() == before
    assert names(store.root) == [path.name]


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(RecordError, match="write runs"):
        RecordStore(root=tmp_path / "runs").check_writable()


def test_the_check_leaves_nothing_behind(store) -> None:
    store.check_writable()
    assert names(store.root) == []


def test_the_order_is_write_sync_replace_sync(tmp_path: Path, monkeypatch) -> None:
    calls: list[str] = []
    fsync, replace_ = os.fsync, os.replace
    monkeypatch.setattr(atomic.os, "fsync", lambda fd: (calls.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(atomic.os, "replace", lambda a, b: (calls.append("replace"), replace_(a, b))[1])
    write_atomically(tmp_path / "a.json", "x")
    assert calls == ["fsync", "replace", "fsync"]


def test_eight_writers_lose_nothing(store, record) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.write(replace(record, run_id=f"{i:016x}")), range(80)))
        list(pool.map(lambda _: store.write(record), range(80)))
    listing = store.read_all()
    assert (len(listing.records), listing.damaged) == (81, ())


def test_a_record_that_cannot_be_opened_says_what_the_system_says(store, record) -> None:
    files = store.files_of(record)
    files.record.mkdir(parents=True)
    with pytest.raises(RecordError) as caught:
        files.read()
    assert (caught.value.why, caught.value.instead) == (os.strerror(errno.EISDIR), "a readable file")
