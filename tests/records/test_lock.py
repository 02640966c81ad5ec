"""The lock of a run: held by one process, released when its owner ends, removed afterwards."""

import fcntl
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from unidelta.errors import AlreadyRunning
from unidelta.records.lock import locked

HOLD = """
import sys
from pathlib import Path
from unidelta.records.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    return owner


def test_it_is_refused_while_another_process_lives_and_taken_over_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "mini" / "a.lock"
    owner = hold(path)
    for _ in range(3):
        with pytest.raises(AlreadyRunning, match=rf"already running \(pid {owner.pid}\)"), locked(path):
            pass
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert (
        path.read_text(encoding="utf-8") == f"{owner.pid} {socket.gethostname()}\n"
    )  # left behind, and nobody has to clean up
    with locked(path):
        assert path.exists()
    assert list(path.parent.iterdir()) == []


def test_it_ends_with_an_exception(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a.lock"):
        raise ZeroDivisionError
    with locked(tmp_path / "a.lock"):
        pass


def test_an_owner_on_another_machine_is_named_with_what_to_do_if_it_is_dead(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    path = tmp_path / "a.lock"
    owner = hold(path)
    pid, here = path.read_text().split()
    monkeypatch.setattr(socket, "gethostname", lambda: f"not-{here}")
    with pytest.raises(AlreadyRunning) as refusal, locked(path):
        pass
    assert f"(pid {pid} on {here})" in str(refusal.value) and f"rm {path}" in str(refusal.value)
    assert capsys.readouterr().err == ""
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    with locked(path):
        assert path.read_text().split()[1] == f"not-{here}"
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"process {pid} on {here}" in said


def test_a_forgotten_file_of_whatever_content_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    for content in ("1\n", "999999999\n", "", "not a number"):
        path.write_text(content)
        with locked(path):
            pass


def test_a_file_that_its_owner_removes_just_before_it_is_locked_is_not_the_lock(tmp_path: Path, monkeypatch) -> None:
    """Who opened the file of the last owner would lock a file without a name, and the next one another."""
    path, really = tmp_path / "a.lock", fcntl.flock

    def removed_first(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", really)
        path.unlink()
        really(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with locked(path), pytest.raises(AlreadyRunning), locked(path):
        pass
