"""One quick knock at the hub's door; the hub is played by sockets of this machine."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import huggingface_hub.constants
import pytest

from unidelta.network import hub

ANSWER = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door:
    """A socket that counts who comes, and answers them or says nothing."""

    def __init__(self, answer: bytes) -> None:
        self.socket, self.answer, self.guests = socket.create_server(("127.0.0.1", 0)), answer, []
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
                guest.sendall(self.answer)
                guest.close()

    def close(self) -> None:
        for opened in (self.socket, *self.guests):
            opened.close()


@pytest.fixture
def door(monkeypatch) -> Iterator[Callable[[bytes], Door]]:
    """A hub of one's own, with no proxy before it; nothing is known of it yet."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    opened: list[Door] = []

    def make(answer: bytes) -> Door:
        opened.append(Door(answer))
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


def test_a_hub_that_never_answers_costs_two_seconds_and_once(door) -> None:
    silent = door(b"")
    begin = time.perf_counter()
    why = hub.why_unreachable()
    seconds = time.perf_counter() - begin
    assert why == f"the hub ({silent.address}) did not answer within 2 s"
    assert 1.5 < seconds < 3
    begin = time.perf_counter()
    assert hub.why_unreachable() == why
    assert time.perf_counter() - begin < 0.1
    assert len(silent.guests) == 1


def test_a_proxy_that_swallows_everything_is_no_hub(door, monkeypatch) -> None:
    silent = door(b"")
    monkeypatch.setenv("https_proxy", silent.address)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://huggingface.co")
    begin = time.perf_counter()
    assert hub.why_unreachable() == "the hub (https://huggingface.co) did not answer within 2 s"
    assert time.perf_counter() - begin < 3
    assert len(silent.guests) == 1


def test_an_address_that_is_none_is_no_hub(door, monkeypatch) -> None:
    door(b"").close()
    for address in ("http://127.0.0.1:9", "http://no-such-host.invalid", "nonsense"):
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        begin = time.perf_counter()
        assert hub.why_unreachable() is not None
        assert time.perf_counter() - begin < 3


def test_a_hub_switched_off_is_not_knocked_at(door, monkeypatch) -> None:
    silent = door(b"")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert hub.why_unreachable() == "the hub is switched off (HF_HUB_OFFLINE)"
    assert silent.guests == []
