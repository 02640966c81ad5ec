"""The history on the disk: complete at every moment, floats as they were, damage set aside."""

import json
import math
from pathlib import Path

from unidelta.records.history import HistoryLog, read_history


def test_every_entry_is_there_at_once_and_floats_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.history.jsonl"
    log = HistoryLog(path)
    entries = [{"step": i, "loss": value} for i, value in enumerate((0.1 + 0.2, 5e-324, 1e300, math.pi / 7), 1)]
    for n, entry in enumerate(entries, 1):
        log.append(entry)
        assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == entries[:n]
    log.append({"step": 5, "loss": math.nan})
    log.close()
    assert path.read_text(encoding="utf-8").endswith('{"loss":null,"step":5}\n')


def test_what_an_earlier_attempt_wrote_after_its_checkpoint_is_replaced(tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.history.jsonl"
    log = HistoryLog(path)
    for step in (1, 2, 3):
        log.append({"step": step})
    log.close()
    again = HistoryLog(path, before='{"step":1}\n{"step":2}\n')
    again.append({"step": 3})
    again.close()
    assert [entry["step"] for entry in read_history(path.read_text(encoding="utf-8"))] == [1, 2, 3]
    assert capsys.readouterr().out == ""


def test_a_damaged_one_is_set_aside_and_named(tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.history.jsonl"
    for i, damage in enumerate((b'{"step":1}\n{"st', b"\x00" * 40, b'{"step":NaN}\n', b"[1]\n"), 1):
        path.write_bytes(damage)
        HistoryLog(path).close()
        aside = path.with_name("a.history.jsonl.corrupt" if i == 1 else f"a.history.jsonl.{i}.corrupt")
        assert aside.read_bytes() == damage
        assert capsys.readouterr().out.strip() == f"{path} is damaged; set aside as {aside.name}"
        assert path.read_bytes() == b""
