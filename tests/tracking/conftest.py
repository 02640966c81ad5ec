"""A run to be tracked, and a stand-in for W&B's server."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from unidelta.records.record import RunRecord
from unidelta.tracking import RunFacts


@pytest.fixture
def record() -> RunRecord:
    """The record of a small run."""
    coordinates = {"method": "mam", "task": "xsum", "scale": "mini", "position": "both", "seed": 3}
    return RunRecord(
        run_id="0123456789abcdef",
        status="complete",
        coordinates=coordinates,
        spec={"seed": 3, "training": {"max_steps": 4, "epochs": None}, "design": {"parts": [{"form": "prefix"}]}},
        parameters={"trained": 30, "percent_trained": 0.5},
        metrics={"signature": "v1", "test[:8]": {"loss": 1.25, "rouge1": 17.5, "n": 8}},
        cost={"steps": 4, "best_step": None, "truncated_sources": {"train": 0}},
        provenance={"command": ["train.py"], "git": {"commit": None}},
    )


@pytest.fixture
def entries() -> list[dict[str, float]]:
    """Four steps; an evaluation after the second and the last."""
    steps = [
        {"step": i, "loss": 2 / i, "learning_rate": 1e-3, "grad_norm": 0.1 * i, "epoch": i / 4} for i in range(1, 5)
    ]
    scores = [{"step": i, "eval_loss": 1 / i, "eval_rouge1": 10.0 + i, "epoch": i / 4} for i in (2, 4)]
    return [steps[0], steps[1], scores[0], steps[2], steps[3], scores[1]]


@pytest.fixture
def facts(record: RunRecord) -> RunFacts:
    """What is known of the run before it begins."""
    return RunFacts(run_id=record.run_id, coordinates=record.coordinates, spec=record.spec)


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if server.status == "hang":
            server.released.wait(60)
        status = 200 if server.status == "works" else int(server.status)
        content = {"errors": [{"message": "refused"}]}
        if status == 200:
            content = {"data": _data(json.loads(body), server.url)} if self.path.startswith("/graphql") else {}
            server.received.append(body)
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_PUT = do_POST  # noqa: N815 the names that http.server looks up

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


def _data(asked: dict[str, Any], url: str) -> dict[str, Any]:
    """As little as W&B's client needs for a run: the run itself, and where its files go."""
    if "createRunFiles" in asked["query"]:
        files = [{"name": name, "uploadUrl": f"{url}/files/{name}"} for name in asked["variables"]["files"]]
        return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
    if "upsertBucket" not in asked["query"]:
        return {}
    project = {"id": "p", "name": "unidelta", "entity": {"id": "e", "name": "nobody"}}
    bucket = {"id": "b", "name": "0123456789abcdef", "displayName": "a run", "config": "{}", "project": project}
    return {"upsertBucket": {"bucket": {**bucket, "sweepName": None, "historyLineCount": 0}, "inserted": True}}


@pytest.fixture
def wandb_server() -> Iterator[Callable[[str], Any]]:
    """Start a server that answers every request with a status, hangs, or works well enough for a run."""
    servers: list[Any] = []

    def start(status: str) -> Any:
        server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        server.daemon_threads = True
        server.status, server.received, server.released = status, [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()
