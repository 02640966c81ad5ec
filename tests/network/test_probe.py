"""Whether a server answers: an error page does, a closed door and silence do not, and silence costs the patience."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from unidelta.network.probe import answers


def test_an_error_page_is_an_answer():
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # knows no method: 501
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.handle_request, daemon=True).start()
    assert answers(f"http://127.0.0.1:{server.server_address[1]}", timeout_s=10)
    server.server_close()


def test_a_closed_door_no_address_and_silence_are_none():
    silent = socket.create_server(("127.0.0.1", 0))  # accepts, and never says a word
    url, begin = f"http://127.0.0.1:{silent.getsockname()[1]}", time.perf_counter()
    assert not answers(url, timeout_s=0.3)
    assert time.perf_counter() - begin < 5
    silent.close()
    assert not answers(url, timeout_s=10)
    assert not answers("no address", timeout_s=10)
