"""The cache of token ids: how files are named, and that the cache only saves time."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer

from unidelta.backbones.shipped import BACKBONES
from unidelta.errors import DataError, Problems
from unidelta.tasks import encoded_cache, fingerprint
from unidelta.tasks.encode import Encoded, ModelLimits
from unidelta.tasks.encoded_cache import Kept, encode

LIMITS = ModelLimits(vocab_size=100_000, n_positions=64)
ROWS = [{"document": f"story {i} " * (i % 20), "summary": f"a film {i}"} for i in range(1, 40)]


class Unread(list):
    """Rows that must not be read."""

    def __iter__(self):
        raise AssertionError("The rows were read.")


@pytest.fixture(autouse=True)
def small_splits_are_kept(monkeypatch) -> None:
    monkeypatch.setattr(encoded_cache, "MIN_ROWS", len(ROWS))


@pytest.fixture
def tokenizer():
    return AutoTokenizer.from_pretrained(BACKBONES / "bart")


def content(encoded: Encoded) -> list:
    rows = [{name: getattr(ids, "tolist", lambda ids=ids: ids)() for name, ids in f.items()} for f in encoded.features]
    cut = (encoded.n_truncated_sources, encoded.n_truncated_targets)
    return [rows, cut, encoded.n_empty_sources, encoded.n_empty_targets]


def kept(folder: Path, rows=ROWS) -> Kept:
    return Kept(folder=folder, fingerprint=fingerprint(rows))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("task", ["xsum", "sst2"])
def test_what_is_read_is_what_was_encoded(make_task, tokenizer, tmp_path: Path, task: str) -> None:
    rows = ROWS if task == "xsum" else [{"sentence": row["document"], "label": i % 2} for i, row in enumerate(ROWS)]
    arguments = {"spec": make_task(task), "tokenizer": tokenizer, "limits": LIMITS, "split": "train"}
    plain = encode(rows, **arguments)
    first = encode(rows, kept=kept(tmp_path, rows), **arguments)
    again = encode(Unread(rows), kept=kept(tmp_path, rows), **arguments)
    assert content(plain) == content(first) == content(again)
    assert plain.n_truncated_sources > 0
    assert len(files(tmp_path)) == 1


def test_a_tokenizer_from_another_place_with_the_same_files_finds_them(make_task, tokenizer, tmp_path: Path) -> None:
    arguments = {"spec": make_task("xsum"), "limits": LIMITS, "split": "train"}
    encode(ROWS, kept=kept(tmp_path / "cache"), tokenizer=tokenizer, **arguments)
    tokenizer.save_pretrained(tmp_path / "copy")
    copy = AutoTokenizer.from_pretrained(tmp_path / "copy")
    encode(Unread(ROWS), kept=kept(tmp_path / "cache"), tokenizer=copy, **arguments)


def test_whatever_changes_the_ids_changes_the_name(make_task, tokenizer, tmp_path: Path) -> None:
    spec = make_task("xsum")
    other_rows = [*ROWS[:-1], {"document": "a", "summary": "b"}]
    other_tokenizer = AutoTokenizer.from_pretrained(BACKBONES / "bart")
    other_tokenizer.add_tokens(["story"])
    changes = [
        {},
        {"rows": other_rows},
        {"tokenizer": other_tokenizer},
        {"split": "test"},
        {"spec": replace(spec, max_source_length=15)},
        {"spec": replace(spec, max_target_length=11)},
        {"spec": replace(spec, source_language="en_XX")},
        {"spec": make_task("wmt_en_ro")},
    ]
    for n, change in enumerate(changes, 1):
        asked = {"rows": ROWS, "spec": spec, "tokenizer": tokenizer, "split": "train", **change}
        if asked["spec"].name == "wmt_en_ro":
            asked["rows"] = [{"translation": {"en": row["document"], "ro": row["summary"]}} for row in ROWS]
        rows = asked.pop("rows")
        encode(rows, kept=kept(tmp_path, rows), limits=LIMITS, **asked)
        assert len(files(tmp_path)) == n, change


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other numbers", "no digest"])
def test_a_damaged_file_is_told_and_made_anew(make_task, tokenizer, tmp_path: Path, damage: str, capsys) -> None:
    arguments = {"spec": make_task("xsum"), "tokenizer": tokenizer, "limits": LIMITS, "split": "train"}
    plain = encode(ROWS, kept=kept(tmp_path), **arguments)
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    if damage in ("other numbers", "no digest"):
        arrays = load_file(file)
        arrays["input_ids.flat"] = arrays["input_ids.flat"] + 1
        save_file(arrays, file, metadata=None if damage == "no digest" else _metadata(file))
    else:
        spoilt = {"cut": whole[:-9], "empty": b"", "flipped": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]}
        file.write_bytes(spoilt[damage])
    assert content(encode(ROWS, kept=kept(tmp_path), **arguments)) == content(plain)
    said = capsys.readouterr().err
    assert said.startswith(f"Note: the token ids cached in {file} cannot be used (")
    assert said.count("\n") == 1
    assert content(encode(Unread(ROWS), kept=kept(tmp_path), **arguments)) == content(plain)


def _metadata(file: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as stored:
        return stored.metadata()


def test_a_folder_that_cannot_be_written_is_left_alone(make_task, tokenizer, tmp_path: Path, capsys) -> None:
    arguments = {"spec": make_task("xsum"), "tokenizer": tokenizer, "limits": LIMITS, "split": "train"}
    (tmp_path / "file").write_text("in the way")
    encoded = encode(ROWS, kept=kept(tmp_path / "file"), **arguments)
    assert content(encoded) == content(encode(ROWS, **arguments))
    assert capsys.readouterr().err == ""


def test_small_splits_and_no_folder_write_nothing(make_task, tokenizer, tmp_path: Path) -> None:
    arguments = {"spec": make_task("xsum"), "tokenizer": tokenizer, "limits": LIMITS, "split": "train"}
    encode(ROWS[:-1], kept=kept(tmp_path, ROWS[:-1]), **arguments)
    encode(ROWS, kept=None, **arguments)
    assert files(tmp_path) == []


def test_what_is_read_is_checked_like_what_is_encoded(make_task, tokenizer, tmp_path: Path) -> None:
    arguments = {"spec": make_task("xsum"), "tokenizer": tokenizer, "split": "train"}
    encode(ROWS, kept=kept(tmp_path), limits=LIMITS, **arguments)
    with pytest.raises(DataError, match="embeddings for 5 tokens"):
        encode(ROWS, kept=kept(tmp_path), limits=ModelLimits(vocab_size=5, n_positions=64), **arguments)
    with pytest.raises(Problems, match="positions for 2 to 8 tokens"):
        encode(ROWS, kept=kept(tmp_path), limits=ModelLimits(vocab_size=10_000, n_positions=8), **arguments)


@pytest.mark.parametrize("umask", [0o002, 0o027, 0o077])
def test_who_may_read_a_file_is_what_the_umask_says(make_task, tokenizer, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        encode(ROWS, kept=kept(tmp_path), spec=make_task("xsum"), tokenizer=tokenizer, limits=LIMITS, split="train")
    finally:
        os.umask(before)
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask
