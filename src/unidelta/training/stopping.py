"""Graceful stops: the first signal ends a run after the current step, a second SIGINT at once. No torch.

SIGHUP is sent when a terminal or an ssh connection closes; under `nohup` it is ignored, and stays ignored. Batch
systems send SIGTERM, SIGUSR1 or SIGXCPU before a time limit.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from unidelta.errors import ExitStatus, Interrupted

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGXCPU)
_RETRY_S = 0.05


def stopping_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask this process to stop; SIGHUP is left out if it is ignored, as under `nohup`."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(each for each in _SIGNALS if not (is_ignored and each is signal.SIGHUP))


class Stop:
    """Whether the run was asked to stop. Training checks `signal`; everywhere else the signal raises.

    Attributes:
        signal: name of the signal received; None before.
    """

    def __init__(self) -> None:
        self.signal: str | None = None
        self._is_deferred = False
        self._n_interrupts = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals from now on. Does nothing outside the main thread, the only one that can handle them.

        Raises:
            Interrupted: a signal came outside `deferred`.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._take) for number in stopping_signals()}
        alarm = signal.getsignal(signal.SIGALRM)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGALRM) == self._raise:
                signal.setitimer(signal.ITIMER_REAL, 0)
                before[signal.SIGALRM] = alarm
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """In this context signals do not raise: the code there checks `signal` where it can stop."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    def raise_if_asked(self, where: str) -> None:
        """Raise `Interrupted` if a signal came.

        Args:
            where: how far the run got, for the message.
        """
        if self.signal is not None:
            raise self.interrupted(where)

    def interrupted(self, where: str) -> Interrupted:
        """The error of a run that was asked to stop."""
        return Interrupted(f"Stopped by {self.signal} {where}; the same command resumes the run.")

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number).name
        self._n_interrupts += number == signal.SIGINT
        if self._n_interrupts > 1:
            os._exit(ExitStatus.INTERRUPTED)  # without waiting for whatever is running
        self._raise(number, frame)

    def _raise(self, _number: int, frame: FrameType | None) -> None:
        """Raise, but not in the middle of an import, which would leave half a module to whatever imports it next."""
        if self._is_deferred:
            return
        if _is_importing(frame):
            signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, _RETRY_S)
            return
        self.raise_if_asked("outside of training")


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
