"""docs/extending.md: every file of the page, written to a separate folder, does what the page says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from unidelta.extensions.paths import CONF

from ..forked import forked

ROOT = CONF.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = {
    found[1]: found[2] for found in re.finditer(r"`mine/([\w./]+)`[^`]*?\n\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL)
}
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]
(SCRIPT,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if "inject(" in block)
ROWS = {"a method": 1, "a functional form": 1, "a composition": 1, "an architecture": 2, "a table or figure": 1}
ROWS |= {"a task": 1, "a metric": 1, "a generator of W_down and W_up, or of P_k and P_v": 1}
IS_CHECK = "unidelta.check"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder outside the checkout with all that the page adds."""
    for name, text in FILES.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "data").mkdir()
    for split in ("train", "dev", "test"):
        rows = [f'{i},"the mayor of town {i} resigned, people say",mayor of {i} resigned' for i in range(20)]
        (tmp_path / "data" / f"{split}.csv").write_text("\n".join(["id,article,title", *rows]) + "\n")
    return tmp_path


def checkout() -> dict[Path, int]:
    """When each file of the code and the configuration was last written."""
    files = (path for top in ("src", "conf") for path in (ROOT / top).rglob("*") if path.suffix in (".py", ".yaml"))
    return {path: path.stat().st_mtime_ns for path in files}


def run(words: list[str], folder: Path) -> str:
    before = checkout()
    done = forked(words, folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert checkout() == before
    return done.stdout


def words(command: str) -> list[str]:
    """A command of the page, its script found from any folder."""
    _, *rest = shlex.split(command)
    return [str(ROOT / word) if word in ("train.py", "report.py") else word for word in rest]


def test_an_addition_is_as_many_files_as_the_table_says():
    kinds = " ".join(name.split("/")[0] for name in FILES)
    assert kinds == "method forms generators compositions families backbone task metrics analysis"
    table = {
        row[0]: len(re.findall(r"`", row[1])) // 2
        for row in re.findall(r"^\| (an? .*?) \| .*? \| (.*?) \|$", PAGE, re.M)
    }
    assert {row: table[row] for row in ROWS} == ROWS


@pytest.mark.parametrize("command", [each for each in COMMANDS if "train.py" in each and "dry_run" in each])
def test_a_command_counts_what_the_page_adds(folder, command):
    shown = re.search(re.escape(command) + r"\n```\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    printed = run(words(command), folder)
    assert (shown[1] if shown else "stored") in printed


@pytest.mark.slow
def test_a_run_on_what_the_page_adds_is_scored_found_and_scored_again(folder):
    (command,) = (each for each in COMMANDS if "train.py" in each and "dry_run" not in each)
    printed = run([*words(command), "tracking=none"], folder)
    (file,) = (folder / "results" / "runs" / "mini" / "headlines").glob("*.predictions.jsonl")
    record = json.loads(file.with_name(file.name.replace(".predictions.jsonl", ".json")).read_text())
    test = record["metrics"]["test"]
    assert f"length_ratio {test['length_ratio']:.4g}" in printed
    predictions = [json.loads(line) for line in file.read_text().splitlines()]
    n_words = [sum(len(row[side].split()) for row in predictions) for side in ("prediction", "reference")]
    assert test["length_ratio"] == pytest.approx(100 * n_words[0] / n_words[1])
    again = run(["-m", "unidelta.tasks", "score", str(file), "--config-dir", "mine"], folder)
    assert json.loads(again)["test"] == {key: value for key, value in test.items() if key != "loss"}
    script = "import unidelta; print(unidelta.runs('results')[['task', 'metric', 'length_ratio']].to_csv(index=False))"
    (folder / "table.py").write_text(script, encoding="utf-8")
    assert run(["table.py"], folder).splitlines()[1].startswith("headlines,rouge2,")


@pytest.mark.slow
def test_of_two_runs_scored_by_an_error_rate_the_lower_comes_first(folder):
    metric = folder / "mine" / "metrics" / "length_ratio.py"
    metric.write_text(metric.read_text().replace('fits="text",', 'fits="text", higher_is_better=False,'))
    (command,) = (each for each in COMMANDS if "train.py" in each and "dry_run" not in each)
    typed = [word.replace("rouge,", "") for word in words(command)]
    for method in ("bitfit", "mam"):
        run([*typed, "tracking=none", f"method={method}", "training.max_steps=4"], folder)
    script = """import unidelta
board = unidelta.board(unidelta.runs("results"))
print(board["metric"].iloc[0], len(board), board["mean"].is_monotonic_increasing, board["pareto"].iloc[0])"""
    (folder / "table.py").write_text(script, encoding="utf-8")
    assert run(["table.py"], folder).splitlines()[-1] == "length_ratio 2 True True"


def test_the_script_puts_mam_into_the_new_architecture(folder):
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    printed = run(["script.py"], folder)
    assert printed.startswith("prefix(attn, l=") and "in a GraniteForCausalLM of" in printed


@pytest.mark.slow
def test_the_table_is_made_of_the_committed_records(folder):
    (folder / "results").symlink_to(ROOT / "results")
    (command,) = (each for each in COMMANDS if "report.py" in each)
    printed = run([*words(command), "--output", "out"], folder)
    assert "| mam |" in printed and (folder / "out" / "mini" / "tables" / "hours.md").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if IS_CHECK in each])
def test_what_the_page_adds_passes_its_check(folder, command):
    """In a Python of its own, which may take its minutes."""
    done = subprocess.run([sys.executable, *words(command)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")
