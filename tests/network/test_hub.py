"""One quick probe of the hub, which is played by sockets of this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import huggingface_hub.constants
import pytest

from unidelta.errors import ConfigError
from unidelta.network import hub

ANSWER = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door:
    """A socket that counts who comes, and answers them or says nothing."""

    def __init__(self, answer: bytes, *, after_s: float = 0.0) -> None:
        self.socket, self.answer, self.guests = socket.create_server(("127.0.0.1", 0)), answer, []
        self.after_s = after_s
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                guest, _ = self.socket.accept()
            except OSError:
                return
            self.guests.append(guest)
            if self.answer:
                guest.recv(4096)
                time.sleep(self.after_s)
                with contextlib.suppress(OSError):  # who had not the patience is gone
                    guest.sendall(self.answer)
                guest.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # wakes the thread that waits for guests
            self.socket.shutdown(socket.SHUT_RDWR)
        for opened in (self.socket, *self.guests):
            opened.close()


@pytest.fixture
def door(monkeypatch) -> Iterator[Callable[..., Door]]:
    """A hub of one's own, with no proxy before it; nothing is known of it yet."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    opened: list[Door] = []

    def make(answer: bytes, **more: float) -> Door:
        opened.append(Door(answer, **more))
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", opened[-1].address)
        return opened[-1]

    hub.forget()
    yield make
    hub.forget()
    for each in opened:
        each.close()


def test_a_hub_that_answers_is_reachable_even_with_an_error_page(door) -> None:
    door(ANSWER)
    assert hub.why_unreachable() is None


def test_a_hub_that_never_answers_costs_the_patience_and_once(door, monkeypatch) -> None:
    monkeypatch.setenv("UNIDELTA_HUB_TIMEOUT_S", "1.5")
    silent = door(b"")
    begin = time.perf_counter()
    why = hub.why_unreachable()
    seconds = time.perf_counter() - begin
    assert why == f"the hub ({silent.address}) did not answer within 1.5 s (UNIDELTA_HUB_TIMEOUT_S)"
    assert 1.4 < seconds < 3
    begin = time.perf_counter()
    assert hub.why_unreachable() == why
    assert time.perf_counter() - begin < 0.1
    assert len(silent.guests) == 1


def test_a_proxy_that_swallows_everything_is_no_hub(door, monkeypatch) -> None:
    silent = door(b"")
    monkeypatch.setenv("UNIDELTA_HUB_TIMEOUT_S", "1")
    monkeypatch.setenv("https_proxy", silent.address)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://huggingface.co")
    begin = time.perf_counter()
    why = hub.why_unreachable()
    assert why == "the hub (https://huggingface.co) did not answer within 1 s (UNIDELTA_HUB_TIMEOUT_S)"
    assert time.perf_counter() - begin < 3
    assert len(silent.guests) == 1


def test_an_address_that_is_none_is_no_hub(door, monkeypatch) -> None:
    door(b"").close()
    monkeypatch.setenv("UNIDELTA_HUB_TIMEOUT_S", "2")
    for address in ("http://127.0.0.1:9", "http://no-such-host.invalid", "nonsense"):
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        begin = time.perf_counter()
        assert hub.why_unreachable() is not None
        assert time.perf_counter() - begin < 3


def test_a_slow_hub_is_reachable_for_who_is_patient(door, monkeypatch) -> None:
    door(ANSWER, after_s=2.5)
    assert hub.why_unreachable() is None
    hub.forget()
    monkeypatch.setenv("UNIDELTA_HUB_TIMEOUT_S", "0.5")
    assert "within 0.5 s" in str(hub.why_unreachable())
    for typed in ("soon", "0", "-1", "inf", "nan"):
        monkeypatch.setenv("UNIDELTA_HUB_TIMEOUT_S", typed)
        with pytest.raises(ConfigError, match="number of seconds") as refusal:
            hub.why_unreachable()
        assert refusal.value.asked == f"UNIDELTA_HUB_TIMEOUT_S={typed}"


# which variables are set: what rules for weights, what rules for data
SWITCHES = {
    "HF_HUB_OFFLINE=1": ("HF_HUB_OFFLINE", "HF_HUB_OFFLINE"),
    "TRANSFORMERS_OFFLINE=yes": ("TRANSFORMERS_OFFLINE", "TRANSFORMERS_OFFLINE"),
    "HF_DATASETS_OFFLINE=on": (None, "HF_DATASETS_OFFLINE"),
    "HF_HUB_OFFLINE=0 TRANSFORMERS_OFFLINE=1": (None, None),
    "HF_DATASETS_OFFLINE=0": (None, None),
    "HF_HUB_OFFLINE=true HF_DATASETS_OFFLINE=0": ("HF_HUB_OFFLINE", "HF_HUB_OFFLINE"),
}


@pytest.mark.parametrize("typed", SWITCHES)
def test_a_hub_that_the_libraries_are_switched_off_from_is_not_asked(typed: str, door) -> None:
    """In a process of its own: the libraries read their switches when they are imported."""
    silent = door(ANSWER)
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    said = dict(word.split("=") for word in typed.split())
    code = "from unidelta.network.hub import why_unreachable as w; print(w()); print(w(of_data=True))"
    environment = {**kept, **said, "HF_ENDPOINT": silent.address}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    expected = [None if name is None else f"the hub is switched off ({name})" for name in SWITCHES[typed]]
    assert done.stdout.splitlines() == [str(line) for line in expected]
    assert len(silent.guests) == (None in expected)
