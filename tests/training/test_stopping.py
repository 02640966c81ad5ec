"""Signals: polled while training, raised everywhere else, and immediate if repeated."""

import importlib
import os
import signal
import subprocess
import sys
import time

import pytest

from unidelta.errors import ExitStatus, Interrupted
from unidelta.training.stopping import Stop


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGXCPU])
def test_outside_training_a_signal_raises_and_handlers_are_given_back(which: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    said = rf"Stopped by {which.name} .*the same command resumes the run"
    with pytest.raises(Interrupted, match=said), Stop().listening():
        os.kill(os.getpid(), which)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before


IMPORTED = """
import os, signal, time
os.kill(os.getpid(), signal.{which})
deadline = time.monotonic() + 0.3
while time.monotonic() < deadline:
    pass
done = True
"""


@pytest.mark.parametrize("which", ["SIGTERM", "SIGHUP", "SIGXCPU"])
def test_in_the_middle_of_an_import_a_signal_waits_for_its_end(which, tmp_path, monkeypatch) -> None:
    name = f"stopped_by_{which.lower()}"
    (tmp_path / f"{name}.py").write_text(IMPORTED.format(which=which))
    monkeypatch.syspath_prepend(tmp_path)
    before, seconds = signal.getsignal(signal.SIGALRM), time.monotonic()
    with pytest.raises(Interrupted, match=f"Stopped by {which}"), Stop().listening():
        importlib.import_module(name)
        time.sleep(5)  # the alarm ends it
    assert time.monotonic() - seconds < 4
    assert sys.modules.pop(name).done
    assert signal.getsignal(signal.SIGALRM) == before


def test_under_nohup_a_closing_terminal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop()
        with stop.listening():
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_while_training_it_is_asked_for() -> None:
    stop = Stop()
    with stop.listening(), stop.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # torchrun says it to each process once more
        assert stop.signal == "SIGTERM"
        with pytest.raises(Interrupted, match="Stopped by SIGTERM after step 3; the same command resumes the run"):
            stop.raise_if_asked("after step 3")


TWICE = """
import os, signal
from unidelta.training.stopping import Stop
stop = Stop()
with stop.listening(), stop.deferred():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_second_interrupt_ends_the_process_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", TWICE], timeout=120, check=False)
    assert done.returncode == ExitStatus.INTERRUPTED
