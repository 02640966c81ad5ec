"""Records rebuilt from W&B equal the originals: from offline folders of real runs, and from a server's answers."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from unidelta.analysis import tracked
from unidelta.analysis.source import read
from unidelta.errors import RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.tracking import tracker

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "results/mini/main"
FEW = (
    "training.max_steps=4 training.eval_every=2 task.max_train_examples=40 task.max_eval_examples=8 "
    "task.max_test_examples=8 training.progress=false tracking.mode=offline"
).split()


def committed(n: int) -> list[RunRecord]:
    return list(RecordStore(root=MAIN).read_all().records[:n])


def flat(name: str, value: Any) -> dict[str, Any]:
    """A nested mapping in one level, as W&B's summary has it."""
    if not isinstance(value, dict) or value == {}:
        return {name: value}
    return {path: leaf for key, below in value.items() for path, leaf in flat(f"{name}/{key}", below).items()}


def as_wandb_has_it(record: RunRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """Config and summary, written down here once more from docs/tracking.md."""
    config = {**record.coordinates, "spec": record.spec, "provenance": record.provenance}
    summary = {"status": record.status, "reason": record.reason, "_step": 4, "loss": 0.5}
    for part in ("metrics", "parameters", "cost"):
        summary |= flat(part, getattr(record, part))
    return config, summary


def test_a_record_is_put_together_again():
    for record in committed(12):
        config, flattened = as_wandb_has_it(record)
        assert tracked.record_of(record.run_id, config, flattened, origin="x") == record
        assert flattened == {**tracker.summary(record), "_step": 4, "loss": 0.5}


def test_numbers_that_are_not_finite_are_named_as_in_a_record():
    record = committed(1)[0]
    config, summary = as_wandb_has_it(record)
    made = tracked.record_of(
        "a", config, {**summary, "metrics/test/loss": "NaN", "cost/seconds": "Infinity"}, origin="x"
    )
    assert made is not None
    assert made.not_finite == {"metrics.test.loss": "nan", "cost.seconds": "inf"}
    assert made.metrics["test"]["loss"] is None


@pytest.mark.parametrize("missing", ["spec", "status"])
def test_runs_of_other_programs_and_runs_that_did_not_end_are_no_records(missing: str):
    config, summary = as_wandb_has_it(committed(1)[0])
    for part in (config, summary):
        part.pop(missing, None)
    assert tracked.record_of("a", config, summary, origin="x") is None


@pytest.mark.parametrize(("part", "key"), [("config", "provenance"), ("config", "task"), ("summary", "status")])
def test_half_a_run_is_refused_by_name(part: str, key: str):
    config, summary = as_wandb_has_it(committed(1)[0])
    if part == "config":
        del config[key]
    else:
        summary[key] = "<script>"
    with pytest.raises(RecordError, match="the run some/where of W&B"):
        tracked.record_of("a", config, summary, origin="some/where")


def test_a_folder_without_our_runs_is_refused(tmp_path: Path):
    assert not tracked.is_offline_folder(tmp_path)
    with pytest.raises(RecordError, match="no run of unidelta has finished there"):
        tracked.read_folder(tmp_path)


@pytest.mark.parametrize("source", ["wandb:", "wandb:a/b/c", "wandb:/b"])
def test_what_is_no_project_is_refused_before_anybody_is_asked(source: str):
    with pytest.raises(RecordError, match="that is not a project of W&B"):
        tracked.read_project(source)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records and offline runs of two real runs, one of them done twice."""
    folder = tmp_path_factory.mktemp("tracked")
    jobs = (
        ["method=bitfit", "task=sst2"],
        ["method=bitfit", "task=sst2", "force=true"],
        ["method=lora", "task=xsum", "seed=2"],
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HOME": str(folder / "home")}
    for job in jobs:
        command = [sys.executable, "train.py", *FEW, *job, f"results_dir={folder / 'runs'}"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode in (0, 4), done.stderr
    return folder / "runs"


@pytest.mark.slow
def test_the_frame_from_offline_folders_is_the_frame_from_records(results: Path):
    from_records, from_wandb = RecordStore(root=results).read_all(), tracked.read_folder(results)
    assert len(list(results.glob("wandb/offline-run-*"))) == 3 and len(from_records.records) == 2
    assert from_wandb == from_records
    frames = [read(str(folder), scale="mini").frame for folder in (results, results / "wandb")]
    assert frames[1]["path"].tolist() == ["", ""]  # there is no file to link to
    pd.testing.assert_frame_equal(*(frame.drop(columns="path") for frame in frames))
    assert tracked.read_folder(results / "wandb") == from_records


@pytest.mark.slow
def test_a_cut_log_is_named_or_read_as_far_as_it_goes(results: Path, tmp_path: Path):
    shutil.copytree(results / "wandb", tmp_path / "wandb", symlinks=True)
    (lora,) = (path for path in tmp_path.glob("wandb/offline-run-*/*.wandb") if b"xsum" in path.read_bytes())
    whole = lora.read_bytes()
    for n_bytes in (0, 3, len(whole) // 2, len(whole) - 200):
        lora.write_bytes(whole[:n_bytes])
        listing = tracked.read_folder(tmp_path)
        assert {record.coordinates["task"] for record in listing.records} >= {"sst2"}
        xsum = [record for record in listing.records if record.coordinates["task"] == "xsum"]
        original = [r for r in RecordStore(root=results).read_all().records if r.coordinates["task"] == "xsum"]
        assert xsum in ([], original)  # all of a record, or none of it


class _Server(BaseHTTPRequestHandler):
    """What W&B's server tells its client of a project: GraphQL's answers, of W&B's own published shape."""

    def do_POST(self) -> None:
        server: Any = self.server
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        data: dict[str, Any] = {"viewer": {"id": "u", "username": "somebody", "entity": "somebody", "flags": "{}"}}
        if "runs(" in asked["query"]:
            project = asked["variables"]["project"]
            data = {"project": server.project if project == "ours" else None}
        text = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Any]:
    """A server with the first committed records, one NaN among them, and a run of another program."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.daemon_threads = True
    nodes = []
    for record in committed(3):
        config, summary = as_wandb_has_it(record)
        wrapped = {key: {"value": value, "desc": None} for key, value in config.items()}
        nodes.append({"name": record.run_id, "config": json.dumps(wrapped), "summaryMetrics": json.dumps(summary)})
    nodes.append({"name": "other", "config": json.dumps({"lr": {"value": 1}}), "summaryMetrics": "{}"})
    common = {
        "id": "b",
        "displayName": "a run",
        "state": "finished",
        "tags": [],
        "user": {"name": "S", "username": "somebody"},
        "projectId": "1",
    }
    common |= {"systemMetrics": "{}", "historyLineCount": 4, "historyKeys": {}, "sweepName": None, "group": None}
    common |= {
        "createdAt": "2026-01-01T00:00:00Z",
        "heartbeatAt": "2026-01-01T00:00:00Z",
        "commit": None,
        "notes": None,
    }
    common |= {"jobType": None, "readOnly": True, "description": None}
    edges = [{"node": {**common, **node}, "cursor": node["name"]} for node in nodes]
    page = {"edges": edges, "pageInfo": {"endCursor": "x", "hasNextPage": False}}
    server.project = {"internalId": "1", "runCount": len(nodes), "readOnly": True, "runs": page}
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


ASK = """
import sys
from unidelta.analysis.tracked import read_project
from unidelta.errors import RecordError
from unidelta.records.record import to_json
try:
    for record in read_project(sys.argv[1]).records:
        print(to_json(record).replace("\\n", " "))
except RecordError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


def ask(source: str, url: str, home: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    environment = {**kept, "HOME": str(home), "WANDB_API_KEY": "canary" * 7, "WANDB_BASE_URL": url}
    command = [sys.executable, "-c", ASK, source]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)


@pytest.mark.slow
def test_the_records_of_a_project_come_through_wandbs_api(server: Any, tmp_path: Path):
    done = ask("wandb:somebody/ours", server.url, tmp_path)
    assert done.returncode == 0, done.stderr
    expected = [record.run_id for record in committed(3)]
    assert sorted(json.loads(line)["run_id"] for line in done.stdout.splitlines()) == sorted(expected)
    for line in done.stdout.splitlines():
        content = json.loads(line)
        (original,) = (record for record in committed(3) if record.run_id == content["run_id"])
        assert all(content[part] == getattr(original, part) for part in ("metrics", "spec", "coordinates", "cost"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "url", "why"),
    [
        ("wandb:somebody/theirs", "", "W&B does not give it: Could not find project"),
        ("wandb:somebody/ours", "http://127.0.0.1:9", "W&B's server did not answer within 5 s"),
    ],
)
def test_no_project_and_no_server_are_told_in_three_lines(source: str, url: str, why: str, server: Any, tmp_path: Path):
    done = ask(source, url or server.url, tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 3 and why in done.stderr and "canary" not in done.stderr
