"""Signals: polled while training, raised everywhere else, and immediate if repeated."""

import os
import signal
import subprocess
import sys

import pytest

from unidelta.errors import ExitStatus, Interrupted
from unidelta.training.stopping import Stop


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_outside_training_a_signal_raises_and_handlers_are_given_back(which: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    said = rf"Stopped by {which.name} .*the same command resumes the run"
    with pytest.raises(Interrupted, match=said), Stop().listening():
        os.kill(os.getpid(), which)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before


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
