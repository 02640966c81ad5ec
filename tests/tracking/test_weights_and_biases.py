"""W&B: what lies offline is what the record says, and no server, key or kill keeps a run from its end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from unidelta.tracking.tracker import summary

KEY = "canary" * 7  # of a valid shape

# argv: what to do, as JSON. Prints one JSON object a run.
FOLLOW = """
import json, sys, time
from pathlib import Path
from unidelta.records.record import RunRecord
from unidelta.tracking import RunFacts, TrackingSpec, start_tracking

asked = json.loads(sys.argv[1])
spec = TrackingSpec(**{**asked["tracking"], "folder": Path(asked["tracking"]["folder"])})
for run in asked["runs"]:
    facts = RunFacts(**{name: run["record"][name] for name in ("run_id", "coordinates", "spec")})
    begin = time.perf_counter()
    with start_tracking(spec, facts) as tracker:
        opened = time.perf_counter()
        for i, entry in enumerate(run["entries"]):
            if run.get("waits") == i:
                print("waiting", flush=True)
                sys.stdin.readline()
            tracker.log(entry)
        if run.get("raises"):
            raise RuntimeError("a fault of the run")
        record = tracker.noted(RunRecord(**run["record"]))
        logged = time.perf_counter()
        record = tracker.finish(record, run["predictions"])
    seconds = {"open": opened - begin, "finish": time.perf_counter() - logged}
    print(json.dumps({"seconds": seconds, "provenance": record.provenance}), flush=True)
"""
ROWS = [{"split": "test", "index": i, "prediction": f"p {i}", "reference": "r"} for i in range(120)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a process did that followed runs: its answers, and everything it printed."""

    answers: list[dict[str, Any]]
    returncode: int
    out: str
    err: str


def request(folder: Path, *runs: dict[str, Any], **tracking: Any) -> str:
    """What `FOLLOW` is told."""
    common = {"kind": "wandb", "mode": "auto", "project": "unidelta", "entity": None, "group": None}
    return json.dumps({"tracking": {**common, "folder": str(folder), **tracking}, "runs": runs})


def environment(home: Path, **variables: str) -> dict[str, str]:
    """This process's, with a home of its own and nothing of W&B's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    return {**kept, "HOME": str(home), "OMP_NUM_THREADS": "1", **variables}


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., Followed]:
    """Track runs in a process of its own, under `tmp_path/runs`, with `tmp_path/home` as its home."""

    def in_a_process(*runs: dict[str, Any], variables: dict[str, str] | None = None, **tracking: Any) -> Followed:
        (tmp_path / "home").mkdir(exist_ok=True)
        # Files and no pipes: W&B's service inherits them, and a pipe would be read until the service ends too.
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            done = subprocess.run(
                [sys.executable, "-c", FOLLOW, request(tmp_path / "runs", *runs, **tracking)],
                env=environment(tmp_path / "home", **(variables or {})),
                stdout=out,
                stderr=err,
                timeout=180,
            )
            out.seek(0)
            err.seek(0)
            said, errors = out.read(), err.read()
        answers = [json.loads(line) for line in said.splitlines()]
        return Followed(answers=answers, returncode=done.returncode, out=said, err=errors)

    return in_a_process


def offline_runs(folder: Path) -> list[Path]:
    """The files of the offline runs below a folder, in the order in which they began."""
    return sorted(folder.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime)


def inspect(path: Path, home: Path) -> list[dict[str, Any]]:
    """Every record of a run's file, as W&B's own reader tells it."""
    command = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment(home), check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_of(record, entries, **more: Any) -> dict[str, Any]:
    return {"record": asdict(record), "entries": entries, "predictions": ROWS, **more}


def told(items: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """All updates of a kind (config, summary), the last of each key."""
    updates = [item[kind]["update"] for item in items if item["type"] == kind]
    begin = [item["run"]["config"]["update"] for item in items if kind == "config" and item["type"] == "run"]
    return {key: value for update in (*begin, *updates) for key, value in update.items()}


def history(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [item["history"]["item"] for item in items if item["type"] == "history"]
    return [{k: v for k, v in row.items() if not k.startswith(("_", "predictions"))} for row in rows]


def by_step(entries: list[dict[str, float]]) -> list[dict[str, float]]:
    rows: dict[float, dict[str, float]] = {}
    for entry in entries:
        rows.setdefault(entry["step"], {}).update(entry)
    return list(rows.values())


def secret_free(folder: Path) -> bool:
    return not any(KEY.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_offline_runs_of_one_process_hold_what_their_records_say(record, entries, follow, tmp_path: Path):
    diverged = replace(record, run_id="fedcba9876543210", status="diverged", reason="loss nan at step 4", metrics={})
    nan = [*entries[:-1], {"step": 4, "loss": float("nan")}]
    done = follow(
        run_of(record, entries), run_of(diverged, nan), run_of(record, entries[:2], raises=True), group="a-sweep"
    )
    assert done.returncode == 1 and "a fault of the run" in done.err  # the third run's own exception
    assert done.err.startswith("Traceback") and len(done.answers) == len(done.out.splitlines()) == 2  # W&B is silent
    for answer in done.answers:
        assert answer["provenance"]["tracking"] == {"kind": "wandb", "mode": "offline", "note": None}
    complete, stopped, failed = (inspect(path, tmp_path / "home") for path in offline_runs(tmp_path / "runs"))

    (begin,) = (item["run"] for item in complete if item["type"] == "run")
    assert (begin["run_id"], begin["run_group"], begin["project"]) == (record.run_id, "a-sweep", "unidelta")
    assert begin["tags"] == ["mam", "xsum", "mini"]
    assert "host" not in begin
    config = told(complete, "config")
    assert config.pop("provenance") == done.answers[0]["provenance"]
    config.pop("_wandb", None)
    assert config == {**record.coordinates, "spec": record.spec}
    assert history(complete) == by_step(entries)
    assert told(complete, "summary").items() >= summary(record).items()
    assert summary(record)["metrics/test[:8]/rouge1"] == 17.5 and summary(record)["cost/truncated_sources/train"] == 0
    (table,) = (tmp_path / "runs").glob(f"wandb/*{record.run_id}/files/media/table/*.json")
    shown = json.loads(table.read_text(encoding="utf-8"))
    assert shown["columns"] == list(ROWS[0])
    assert shown["data"] == [list(row.values()) for row in ROWS[:100]]

    assert history(stopped)[-1]["loss"] == "NaN"
    assert told(stopped, "summary")["status"] == "diverged"
    assert len(history(failed)) == 2
    codes = [
        [item["exit"].get("exit_code", 0) for item in run if item["type"] == "exit"]
        for run in (complete, stopped, failed)
    ]
    assert codes == [[0], [4], [1]]
    assert {path.name for path in tmp_path.iterdir()} == {"home", "runs"}
    assert not (tmp_path / "home" / ".local").exists()  # where W&B would stage artifacts


@pytest.mark.parametrize(
    "wrong", ["WANDB_QUIET=a: input should be a valid boolean", "WANDB_TAGS=a,: tag at index 1 is"]
)
def test_a_variable_that_wandb_does_not_take_is_named_with_the_reason(wrong: str, record, entries, follow):
    name, value, why = re.split("[=:] ?", wrong)
    done = follow(run_of(record, entries), variables={name: value})
    assert f"which goes on: UsageError: {name}: {why}" in done.err and done.returncode == 0


@pytest.mark.slow
def test_what_was_not_asked_is_read_from_wandbs_own_variables(record, entries, follow, tmp_path: Path):
    variables = {"WANDB_PROJECT": "theirs", "WANDB_RUN_GROUP": "a group", "WANDB_TAGS": "x,y", "WANDB_ENTITY": "team"}
    variables["WANDB_NAME"] = "a title"
    follow(run_of(record, entries), variables=variables, project=None)
    follow(run_of(record, entries), variables=variables, project="asked", group="too", entity="me")
    runs = [inspect(path, tmp_path / "home") for path in offline_runs(tmp_path / "runs")]
    found = [next(item["run"] for item in items if item["type"] == "run") for items in runs]
    assert [run["project"] for run in found] == ["theirs", "asked"]
    assert [run["run_group"] for run in found] == ["a group", "too"]
    assert [(run["entity"], run["display_name"]) for run in found] == [("team", "a title"), ("me", "a title")]
    assert [run["tags"] for run in found] == [["x", "y", "mam", "xsum", "mini"]] * 2


@pytest.mark.slow
def test_under_an_agent_the_run_is_the_agents(record, entries, follow, tmp_path: Path):
    variables = {"WANDB_SWEEP_ID": "sweep1", "WANDB_RUN_ID": "agents-own", "WANDB_PROJECT": "theirs"}
    done = follow(run_of(record, entries), variables=variables, project=None)
    (path,) = offline_runs(tmp_path / "runs")
    begin = next(item["run"] for item in inspect(path, tmp_path / "home") if item["type"] == "run")
    assert (begin["run_id"], begin["project"], done.err) == ("agents-own", "theirs", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("refused", "the server did not answer within 3 s"),
        ("hang", "the server did not answer within 3 s"),
        ("401", "the server does not take the run (CommError)"),
        ("403", "the server does not take the run (CommError)"),
        ("429", "the server does not take the run (CommError)"),
        ("500", "the server does not take the run (CommError)"),
    ],
)
def test_a_server_that_cannot_be_used_costs_seconds_and_one_line(
    status: str, why: str, record, entries, follow, wandb_server: Callable[[str], Any], tmp_path: Path
):
    url = "http://127.0.0.1:9" if status == "refused" else wandb_server(status).url
    offline = follow(run_of(record, entries), mode="offline")
    done = follow(run_of(record, entries), variables={"WANDB_API_KEY": KEY, "WANDB_BASE_URL": url})
    assert done.returncode == 0
    assert done.err == f"W&B is offline for this run, because {why}; `wandb sync` sends it later.\n"
    (answer,) = done.answers
    assert answer["provenance"]["tracking"] == {"kind": "wandb", "mode": "offline", "note": f"offline, because {why}"}
    assert sum(answer["seconds"].values()) < sum(offline.answers[0]["seconds"].values()) + 10
    assert history(inspect(offline_runs(tmp_path / "runs")[-1], tmp_path / "home")) == by_step(entries)
    assert KEY not in done.out + done.err and secret_free(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "key", "why"),
    [
        ("auto", "canary-short", "the API key that is set is not a valid key"),
        ("online", "", "no API key is set (`wandb login` sets one)"),
    ],
)
def test_a_key_that_is_malformed_or_missing_is_told_without_it(mode: str, key: str, why: str, record, entries, follow):
    done = follow(run_of(record, entries), mode=mode, variables={"WANDB_API_KEY": key} if key else {})
    assert done.err == f"W&B is offline for this run, because {why}; `wandb sync` sends it later.\n"
    assert done.answers[0]["provenance"]["tracking"]["note"] == f"offline, because {why}"


@pytest.mark.slow
def test_a_run_goes_online_where_the_server_takes_it(record, entries, follow, wandb_server, tmp_path: Path):
    server = wandb_server("works")
    done = follow(run_of(record, entries), variables={"WANDB_API_KEY": KEY, "WANDB_BASE_URL": server.url})
    assert (done.returncode, done.err) == (0, "")
    assert done.answers[0]["provenance"]["tracking"] == {"kind": "wandb", "mode": "online", "note": None}
    assert any('\\"eval_rouge1\\":14' in body for body in server.received)
    assert secret_free(tmp_path)


def begin(record, entries, tmp_path: Path, variables: dict[str, str]) -> "subprocess.Popen[str]":
    """A run that waits for a line on its standard input before its fifth entry."""
    (tmp_path / "home").mkdir()
    pipe = subprocess.PIPE
    asked = request(tmp_path / "runs", run_of(record, entries, waits=4))
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOW, asked],
        env=environment(tmp_path / "home", **variables),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    return process


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_ends_no_run(record, entries, wandb_server, tmp_path: Path):
    server = wandb_server("works")
    process = begin(record, entries, tmp_path, {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": server.url})
    server.status = "500"
    start = time.perf_counter()
    out, err = process.communicate("go on\n", timeout=120)
    assert process.returncode == 0
    assert time.perf_counter() - start < 60
    assert err.count("\n") == 1 and "off for the rest of this run, which goes on: TimeoutError" in err
    assert json.loads(out)["provenance"]["tracking"]["note"].startswith("off after TimeoutError")
    assert KEY not in out + err and secret_free(tmp_path)


@pytest.mark.slow
def test_a_killed_run_leaves_its_steps_but_the_last_seconds(record, entries, tmp_path: Path):
    process = begin(record, entries, tmp_path, {})
    time.sleep(4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (path,) = offline_runs(tmp_path / "runs")
    items = inspect(path, tmp_path / "home")
    assert told(items, "config")["spec"] == record.spec
    assert history(items) == by_step(entries[:4])[:2]  # the row of the step that goes on is not closed yet
