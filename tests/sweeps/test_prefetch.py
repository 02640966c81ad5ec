"""What runs read from the hub is fetched beforehand; the hub is a server of this machine with one repository."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import pytest

from unidelta.backbones.shipped import BACKBONES
from unidelta.errors import Problems
from unidelta.network import hub
from unidelta.run.prepare import prepare
from unidelta.sweeps.prefetch import prefetch

from ..composed import composed

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """A hub with `somebody/tiny`, the shipped BART, and `somebody/pickled`, which has no safetensors."""
    files = {path.name: path.read_bytes() for path in (BACKBONES / "bart").iterdir() if path.is_file()}
    repositories = {"tiny": files, "pickled": {**files, "pytorch_model.bin": b"no"}}
    del repositories["pickled"]["model.safetensors"]

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            words = self.path.partition("?")[0].strip("/").split("/")
            content = None
            if words[:3] == ["api", "models", "somebody"] and words[4:5] == ["tree"]:
                sizes = {name: len(text) for name, text in repositories[words[3]].items()}
                tree = [{"type": "file", "path": n, "size": size, "oid": "0" * 40} for n, size in sizes.items()]
                content = json.dumps(tree).encode()
            elif words[:3] == ["api", "models", "somebody"] and words[3] in repositories:
                siblings = [{"rfilename": name} for name in repositories[words[3]]]
                info = {"id": f"somebody/{words[3]}", "modelId": "", "sha": COMMIT, "siblings": siblings}
                content = json.dumps({**info, "tags": [], "downloads": 0, "likes": 0, "private": False}).encode()
            elif words[0] == "somebody" and words[2:3] == ["resolve"]:
                content = repositories[words[1]].get(words[4])
            self.send_response(404 if content is None else 200)
            if content is None:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content or b"").hexdigest()}"')
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET  # noqa: N815 the name that http.server looks up

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    started = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


def sweep(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    gone = ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    environment = {**kept, "PYTHONPATH": str(ROOT / "src"), "HF_HOME": str(home), "OMP_NUM_THREADS": "1", **more}
    command = [sys.executable, str(ROOT / "sweep.py"), *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_weights_and_tokenizer_are_then_there_without_the_hub(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    few = "task=xsum task.max_train_examples=8 task.max_eval_examples=4 task.max_test_examples=4 training.max_steps=2"
    line = f"method=bitfit {few} backbone.checkpoint=somebody/tiny results_dir=here tracking=none seed=1,2"
    (tmp_path / "sweeps" / "own.yaml").write_text(json.dumps([line]))
    address = f"http://127.0.0.1:{server.server_address[1]}"
    done = sweep("own", "--prefetch", home=tmp_path, HF_ENDPOINT=address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("weights  somebody/tiny@main: 0.0") == 1 and "data " not in done.stdout
    assert not (tmp_path / "here").exists()
    done = sweep("own", home=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "here").glob("mini/xsum/????????????????.json"))) == 2


def test_a_repository_without_safetensors_is_refused_by_name(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    lines = [f"method={m} task=xsum backbone.checkpoint=somebody/pickled" for m in ("lora", "mam")]
    (tmp_path / "sweeps" / "own.yaml").write_text(json.dumps(lines))
    address = f"http://127.0.0.1:{server.server_address[1]}"
    done = sweep("own", "--prefetch", home=tmp_path, HF_ENDPOINT=address)
    assert done.returncode == 2
    assert done.stderr.count("somebody/pickled") == 1 and "no safetensors" in done.stderr


@pytest.mark.slow
def test_runs_of_the_miniature_need_nothing(tmp_path: Path) -> None:
    done = sweep("table2", "--prefetch", "--config-dir", str(ROOT), home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "table2: nothing is read from the hub\n"), done.stderr


def test_every_data_set_is_read_once_and_what_fails_is_told_in_the_end(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_answers", lambda *_: True)
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "0")
    asked = []

    def load_dataset(name, config, *, split, revision):
        asked.append((name, split))
        if name == specs[2].task.hub_id:
            raise ConnectionError("the cable is out")
        return datasets.Dataset.from_list([{"sentence": "a film", "label": 1}] * 3)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    own = f"backbone.checkpoint={BACKBONES / 'roberta'}"
    typed = [["task=sst2", "method=lora", own], ["task=sst2", "method=mam", "seed=3", own]]
    other = ["task=xsum", "method=lora", f"backbone.checkpoint={BACKBONES / 'bart'}"]
    specs = [prepare(composed([*words, "scale=paper", "task.max_source_length=64"])) for words in (*typed, other)]
    lines: list[str] = []
    with pytest.raises(Problems, match="the cable is out"):
        for line in prefetch([specs[2], *specs[:2]]):
            lines.append(line)
    assert lines == [f"data     {specs[0].task.hub_id}@{specs[0].task.hub_revision}: train 3, validation 3 rows"]
    glue, xsum = specs[0].task.hub_id, specs[2].task.hub_id
    assert asked == [(xsum, "train"), (glue, "train"), (glue, "validation")]
