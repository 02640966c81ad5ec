"""Signals: asked for while training, raised everywhere else, at once when they come again."""

import os
import signal

import pytest

from unidelta.errors import ExitStatus, Interrupted
from unidelta.training.stopping import Stop


def test_outside_training_a_signal_raises_and_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"Stopped by SIGINT .*the same command continues"), Stop().listening():
        os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_while_training_it_is_asked_for() -> None:
    stop = Stop()
    with stop.listening(), stop.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # torchrun says it to each process once more
        assert stop.signal == "SIGTERM"
        with pytest.raises(Interrupted, match="Stopped by SIGTERM after step 3; the same command continues"):
            stop.raise_if_asked("after step 3")


def test_a_second_interrupt_ends_the_process_at_once() -> None:
    child = os.fork()
    if child == 0:
        stop = Stop()
        with stop.listening(), stop.deferred():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == ExitStatus.INTERRUPTED
