"""Checkpoints on the disk: intact or not used, the last two kept, never one of another run."""

import errno
import json
import os
from pathlib import Path

import pytest

from unidelta.errors import IntegrityError, RecordError
from unidelta.records import checkpoints as module
from unidelta.records.attempt import refuses_other_machines
from unidelta.records.checkpoints import Checkpoints

IDENTITY, MACHINE = {"run_id": "a", "processes": 1}, {"threads": 1, "device": "cpu"}

ON = ("cpu", "cuda")


def opened(root: Path, *, identity=IDENTITY, machine=MACHINE, is_strict: bool = True) -> Checkpoints:
    return Checkpoints(root, identity=identity, machine=machine, is_strict=is_strict)


def keep(root: Path, *steps: int, resumed: int = 0) -> Checkpoints:
    checkpoints = opened(root)
    for step in steps:
        checkpoints.save(step, lambda folder, step=step: _write(folder, step), resumed=resumed)
    return checkpoints


def _write(folder: Path, step: int) -> None:
    (folder / "a.bin").write_bytes(bytes([step % 256]) * 1000)
    (folder / "b.json").write_text(json.dumps({"step": step}))


def test_the_newest_is_found_and_two_are_kept(tmp_path: Path) -> None:
    checkpoints = keep(tmp_path, 2, 9, 10, resumed=3)
    newest = checkpoints.newest()
    assert newest is not None
    assert (newest.step, newest.resumed, newest.folder) == (10, 3, tmp_path / "step-10")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-10", "step-9"]
    checkpoints.remove()
    assert not tmp_path.exists()


def test_where_there_are_none_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert opened(tmp_path / "nowhere").newest() is None


def damages(path: Path) -> dict[str, bytes | None]:
    whole = path.read_bytes()
    flipped = {f"bit {place}": whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in
               (0, len(whole) // 2, len(whole) - 1)}  # fmt: skip
    return {"missing": None, "empty": b"", "cut": whole[: len(whole) // 2], **flipped}


@pytest.mark.parametrize("file", ["a.bin", "b.json", "manifest.json"])
def test_a_damaged_one_is_set_aside_and_the_one_before_is_used(file: str, tmp_path: Path, capsys) -> None:
    n = 0
    for n, damage in enumerate(damages(keep(tmp_path / "x", 2).newest().folder / file), 1):  # type: ignore[union-attr]
        root = tmp_path / f"root-{n}"
        checkpoints = keep(root, 1, 2)
        content = damages(root / "step-2" / file)[damage]
        (root / "step-2" / file).unlink()
        if content is not None:
            (root / "step-2" / file).write_bytes(content)
        newest = checkpoints.newest()
        assert newest is not None and newest.step == 1, damage
        assert (root / "step-2.corrupt").is_dir()
        said = capsys.readouterr().out
        assert said.count("\n") == 1 and "step-2 is damaged" in said and "step-2.corrupt" in said
    assert n == 6


def test_a_manifest_that_says_something_else_is_damaged(tmp_path: Path) -> None:
    checkpoints = keep(tmp_path, 1, 2)
    path = tmp_path / "step-2" / "manifest.json"
    text = path.read_text()
    assert '"resumed":0' in text
    path.write_text(text.replace('"resumed":0', '"resumed":7'))
    newest = checkpoints.newest()
    assert newest is not None and (newest.step, newest.resumed) == (1, 0)


@pytest.mark.parametrize("is_strict", [True, False])
def test_one_of_another_run_is_refused(is_strict: bool, tmp_path: Path) -> None:
    keep(tmp_path, 4)
    for identity in ({"processes": 2, "run_id": "b"}, {**IDENTITY, "run_id": "b"}, {"processes": 1}):
        with pytest.raises(IntegrityError, match="it belongs to another run\n") as caught:
            opened(tmp_path, identity=identity, is_strict=is_strict).newest()
        assert "rm " not in caught.value.instead
    assert (tmp_path / "step-4").is_dir()


@pytest.mark.parametrize(("before", "now", "typed"), [(1, 4, "python"), (2, 1, "torchrun --nproc_per_node 2")])
def test_one_of_another_number_of_processes_is_refused_with_the_command_that_resumes_it(
    before: int, now: int, typed: str, tmp_path: Path
) -> None:
    saved, asked = ({**IDENTITY, "processes": n} for n in (before, now))
    opened(tmp_path, identity=saved).save(3, lambda folder: _write(folder, 3), resumed=0)
    with pytest.raises(IntegrityError, match=f"processes {before}; this is processes {now}") as caught:
        opened(tmp_path, identity=asked, is_strict=False).newest()
    assert f" {typed} train.py; or a new start: mv " in caught.value.instead


@pytest.mark.parametrize("moved", ["results", "results/task"])
def test_a_folder_that_is_moved_away_is_told_and_not_made_again(moved: str, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "task" / "run.checkpoints"
    folder.parent.mkdir(parents=True)
    checkpoints = keep(folder, 1)

    def move_and_write(temporary: Path) -> None:
        (tmp_path / moved).rename(tmp_path / "elsewhere")
        _write(temporary, 2)

    for step, write in ((2, move_and_write), (3, lambda temporary: _write(temporary, 3))):
        with pytest.raises(RecordError, match="it was moved or removed") as caught:
            checkpoints.save(step, write, resumed=0)
        assert "back in its place" in caught.value.instead and "room" not in caught.value.instead
    assert not folder.exists()


CHANGES = {
    "threads": ({"threads": 2, "device": "cpu"}, {"threads": [1, 2]}),
    "device": ({"threads": 1, "device": "NVIDIA B"}, {"device": ["cpu", "NVIDIA B"]}),
    "both": ({"threads": 8, "device": "NVIDIA A"}, {"threads": [1, 8], "device": ["cpu", "NVIDIA A"]}),
    "a version that nobody noted": ({**MACHINE, "torch": "9"}, {"torch": [None, "9"]}),
}


@pytest.mark.parametrize("which", CHANGES)
def test_one_of_another_machine_is_refused_if_strict_and_noted_if_not(which: str, tmp_path: Path, capsys) -> None:
    machine, change = CHANGES[which]
    keep(tmp_path, 4)
    with pytest.raises(IntegrityError) as caught:
        opened(tmp_path, machine=machine).newest()
    assert caught.value.instead.startswith("resume=any") and "rm " not in caught.value.instead
    assert caught.value.why.endswith("would not be the same, bit for bit")
    assert all(name in caught.value.why and name in caught.value.instead for name in change)
    assert capsys.readouterr().out == ""
    newest = opened(tmp_path, machine=machine, is_strict=False).newest()
    assert newest is not None and newest.changes == ({"step": 4, **change},)
    assert capsys.readouterr().out.count("step-4: it was made with") == 1


def test_bits_are_promised_on_a_cpu_and_only_there_is_another_machine_refused_unasked() -> None:
    found = {(word, on): refuses_other_machines(word, device=on) for word in ("auto", "strict", "any") for on in ON}
    assert [key for key, is_strict in found.items() if is_strict] == [("auto", "cpu"), *(("strict", on) for on in ON)]


def test_what_changed_is_remembered_over_several_machines(tmp_path: Path) -> None:
    keep(tmp_path, 4)
    for step, threads in ((9, 2), (12, 2), (20, 5)):
        checkpoints = opened(tmp_path, machine={**MACHINE, "threads": threads}, is_strict=False)
        newest = checkpoints.newest()
        assert newest is not None
        checkpoints.save(step, lambda folder: _write(folder, 1), resumed=newest.resumed + 1, changes=newest.changes)
    newest = opened(tmp_path, is_strict=False).newest()
    assert newest is not None
    assert newest.changes == tuple({"step": s, "threads": t} for s, t in ((4, [1, 2]), (12, [2, 5]), (20, [5, 1])))


def test_a_full_disk_is_told_with_its_number_and_leaves_the_last_one(tmp_path: Path) -> None:
    checkpoints = keep(tmp_path, 1, 2)

    def write(folder: Path) -> None:
        _write(folder, 3)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(RecordError, match=rf"errno {errno.ENOSPC}.*step-3"):
        checkpoints.save(3, write, resumed=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-1", "step-2"]
    newest = checkpoints.newest()
    assert newest is not None and newest.step == 2


def test_a_kill_at_any_moment_of_a_save_leaves_a_usable_checkpoint(tmp_path: Path, monkeypatch) -> None:
    """Every call that changes names on the disk, or waits for it, is once the last one that is done."""

    class Killed(BaseException):
        pass

    n_calls, k = 0, 0
    while True:
        root = tmp_path / f"root-{k}"
        keep(root, 1, 2)
        n_calls = 0

        def counted(call, k=k):
            def or_die(*args, **kwargs):
                nonlocal n_calls
                if n_calls == k:
                    raise Killed
                n_calls += 1
                return call(*args, **kwargs)

            return or_die

        with monkeypatch.context() as patch:
            patch.setattr(module, "sync", counted(module.sync))
            patch.setattr(Path, "rename", counted(Path.rename))
            patch.setattr(Path, "write_text", counted(Path.write_text))
            patch.setattr(Path, "mkdir", counted(Path.mkdir))
            patch.setattr(module.shutil, "rmtree", lambda *args, **kwargs: None)  # the dead do not clean up
            try:
                keep(root, 3)
                break
            except Killed:
                pass
        newest = opened(root).newest()
        assert newest is not None and newest.step in (2, 3), k
        assert list(root.glob(".*")) == [] and list(root.glob("*.corrupt")) == []
        k += 1
    assert k >= 8
