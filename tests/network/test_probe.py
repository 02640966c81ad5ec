"""Whether a server answers: an error page counts, a closed port and silence do not, and silence takes the timeout."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from unidelta.network.probe import answers


def test_an_error_page_is_an_answer():
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # knows no method: 501
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.handle_request, daemon=True).start()
    assert answers(f"http://127.0.0.1:{server.server_address[1]}", timeout_s=10)
    server.server_close()


def test_a_certificate_that_python_does_not_trust_is_an_answer(tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=nobody -keyout {tmp_path}/k -out {tmp_path}/c"
    subprocess.run(made.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        guest, _ = server.accept()
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(guest, server_side=True)
        guest.close()

    threading.Thread(target=serve, daemon=True).start()
    assert answers(f"https://127.0.0.1:{server.getsockname()[1]}", timeout_s=10)
    server.close()


@pytest.mark.parametrize(("says", "is_answer"), [(b"HTTP/1.1 400 no TLS here\r\n\r\n", True), (b"", False)])
def test_a_server_without_tls_answers_and_a_connection_that_is_cut_does_not(says: bytes, is_answer: bool):
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        guest, _ = server.accept()
        guest.recv(4096)
        guest.sendall(says)
        guest.close()

    threading.Thread(target=serve, daemon=True).start()
    assert answers(f"https://127.0.0.1:{server.getsockname()[1]}", timeout_s=10) == is_answer
    server.close()


def test_a_closed_door_no_address_and_silence_are_none():
    silent = socket.create_server(("127.0.0.1", 0))  # accepts, and never says a word
    url, begin = f"http://127.0.0.1:{silent.getsockname()[1]}", time.perf_counter()
    assert not answers(url, timeout_s=0.3)
    assert time.perf_counter() - begin < 5
    silent.close()
    assert not answers(url, timeout_s=10)
    assert not answers("no address", timeout_s=10)
