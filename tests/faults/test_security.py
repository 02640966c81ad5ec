"""What comes from outside is data: no pickle is opened, no path leads out, no configuration names code to run."""

import ast
import pickle
import shutil
from pathlib import Path

import pytest

from unidelta.backbones.shipped import BACKBONES
from unidelta.config.overrides import check
from unidelta.errors import RecordError, UserError
from unidelta.records.store import RecordStore
from unidelta.run.run import run

from ..composed import composed
from ..outcome import outcome
from .conftest import TYPED, do, ended, typed
from .test_crashes import has_lines

SOURCES = Path(__file__).parents[2] / "src"
OPENS_PICKLES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_pickles_beside_a_checkpoint(whole, tally, tmp_path: Path) -> None:
    counted = tally("E1 pickles beside checkpoints, weights and rows")
    canary, results = tmp_path / "canary", tmp_path / "runs"
    content = pickle.dumps(Canary(canary))
    ended(typed(results), watch=lambda: has_lines(results, 9))
    for step in results.rglob("step-*"):
        for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "pytorch_model.bin"):
            (step / name).write_bytes(content)
    do(results)
    counted.count(not canary.exists() and outcome(results) == whole, "checkpoints")

    weights = tmp_path / "weights"
    shutil.copytree(BACKBONES / "roberta", weights)
    for name in ("model.safetensors", "provenance.json"):
        (weights / name).unlink()
    for name in ("pytorch_model.bin", "adapter_model.bin"):
        (weights / name).write_bytes(content)
    counted.count(is_refused(f"backbone.checkpoint={weights}", results) and not canary.exists(), "weights")

    rows = tmp_path / "rows"
    rows.mkdir()
    for name in ("train.pkl", "train.jsonl", "train.parquet", "validation.npy"):
        (rows / name).write_bytes(content)
    counted.count(is_refused(f"task.path={rows}", results, "task.source=local") and not canary.exists(), "rows")


def is_refused(*typed: str) -> bool:
    try:
        run(composed([*TYPED, typed[0], f"results_dir={typed[1]}", *typed[2:]]), command=["train.py"])
    except UserError:
        return True
    return False


def test_nothing_in_the_sources_opens_pickles(tally) -> None:
    counted = tally("E1 calls in the sources that would open pickles, files without")
    for path in SOURCES.rglob("*.py"):
        found = [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if opens_pickles(node)]
        counted.count(not found, (path, found))


def opens_pickles(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in OPENS_PICKLES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in OPENS_PICKLES
    if not isinstance(node, ast.Call):
        return False
    trusts = {"allow_pickle", "trust_remote_code"}
    if any(word.arg in trusts and not is_false(word.value) for word in node.keywords):
        return True
    called = ast.unparse(node.func)
    is_weights_only = any(word.arg == "weights_only" and not is_false(word.value) for word in node.keywords)
    return called in ("yaml.load", "yaml.unsafe_load") or (called == "torch.load" and not is_weights_only)


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


NAMES = (
    "../x", "/abs", "..%2f", "%252e", "a/../../b", "~", "a\x00b", "a\nb", "a" * 300, "a\u202eb", "a.", "a ", "-rf",
    "", ".", "..", "a/b", "a\\b", "C:x", "$HOME", "${hydra:runtime.cwd}", "*", "?", "a;b", "a|b", "a&b", "a`b`", "ä",
    "\ufeffa", "\t",
)  # fmt: skip


def test_names_that_lead_out(tally, tmp_path: Path) -> None:
    counted = tally("E3 names of scale, task, run and method that are no names")
    store = RecordStore(root=tmp_path / "in")
    good = {"scale": "mini", "task": "sst2", "run_id": "0123456789abcdef"}
    for name in NAMES:
        for part in good:
            try:
                store.files(**{**good, part: name})
            except RecordError:
                counted.count(True, name)
            else:
                counted.count(False, (part, name))
        for group in ("task", "method"):
            counted.count(is_unknown(f"{group}={name}"), (group, name))
    assert list(tmp_path.rglob("*")) == []


TARGETS = (
    "os.system",
    "builtins.open",
    "builtins.eval",
    "shutil.copy",
    "pandas.eval",
    "subprocess.Popen",
    "posix.system",
)
PLACES = (
    "+hydra.callbacks.mine._target_", "hydra.launcher._target_", "++hydra.sweeper._target_", "+method._target_",
    "++task._target_", "training._target_", "+hydra.job_logging.handlers.mine.class",
    "+hydra.job_logging.handlers.mine.()",
)  # fmt: skip


def test_configurations_that_name_code(tally) -> None:
    counted = tally("E7 configurations that name code or places to search")
    for place in PLACES:
        for target in TARGETS:
            counted.count(is_unknown(f"{place}={target}"), (place, target))
    for word in (
        "+method={_target_:os.system}",
        "hydra.searchpath=[http://elsewhere]",
        "hydra.searchpath=[file:///tmp]",
        "+hydra.callbacks={mine:{_target_:os.system}}",
        "results_dir='${oc.env:HF_TOKEN}'",
    ):
        counted.count(is_unknown(word), word)


def is_unknown(word: str) -> bool:
    try:
        check([word])
    except UserError:
        return True
    return False


@pytest.mark.parametrize("word", ["hydra.launcher.workers=2", "hydra.run.dir=here", "hydra/job_logging=disabled"])
def test_what_people_type_of_hydra_passes(word: str) -> None:
    check([word])
