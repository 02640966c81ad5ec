"""A pin that the hub does not have, on a hub that is played by a server of this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from unidelta.backbones.hub import Hub
from unidelta.backbones.loading import Loading
from unidelta.design.architecture import Architecture
from unidelta.errors import UserError
from unidelta.network import hub
from unidelta.run.prepare import prepare
from unidelta.sweeps.prefetch import prefetch
from unidelta.tasks import load_all

from ..composed import composed

PIN = "c" * 40


class NoSuchRevision(BaseHTTPRequestHandler):
    """Knows every repository and no commit."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RevisionNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815  (the name is the library's)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def a_hub(monkeypatch, tmp_path: Path) -> Iterator[None]:
    """A hub without that commit, and an empty cache."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), NoSuchRevision)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    constants = {
        "HF_HUB_OFFLINE": False,
        "HF_HUB_CACHE": str(tmp_path),
        "ENDPOINT": address,
        "HUGGINGFACE_CO_URL_TEMPLATE": address + "/{repo_id}/resolve/{revision}/{filename}",
    }
    for name, value in constants.items():
        monkeypatch.setattr(huggingface_hub.constants, name, value)
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", address)
    hub.forget()
    yield
    hub.forget()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("task", ["xsum", "sst2"])
def test_so_does_the_one_of_a_data_set(task: str, a_hub, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path))
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
    spec = prepare(composed([f"task={task}", "scale=paper", f"task.hub_revision={PIN}"])).task
    with pytest.raises(UserError) as refusal:
        load_all(spec)
    assert f"task.hub_revision={PIN}" in refusal.value.asked
    assert "no such commit" in refusal.value.why
    assert refusal.value.instead.startswith("task.hub_revision=main")


def test_the_error_names_the_main_branch(a_hub, bart_large: Architecture) -> None:
    weights = Hub(family="bart", name="someone/small", revision=PIN)
    spec = prepare(composed(["task=wmt_en_ro", "scale=paper", "task.source=mini", f"backbone.hub_revision={PIN}"]))
    for fetch in (
        lambda: weights.architecture(bart_large),
        lambda: weights.load(Loading(seed=0)),
        lambda: list(prefetch([spec])),
    ):
        with pytest.raises(UserError) as refusal:
            fetch()
        assert f"backbone.hub_revision={PIN}" in refusal.value.asked
        assert "no such commit" in refusal.value.why
        assert refusal.value.instead.startswith("backbone.hub_revision=main")
