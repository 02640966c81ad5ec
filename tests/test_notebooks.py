"""Every notebook runs from its source, in the order of its cells."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


def test_there_are_five():
    assert len(NOTEBOOKS) == 5


def cells_of_source(text: str) -> list[str]:
    """What the cells of a source say, prose without its comment signs."""
    cells = []
    for part in f"\n{text}".split("\n# %%")[1:]:
        kind, _, body = part.partition("\n")
        lines = body.strip("\n").split("\n")
        is_prose = "[markdown]" in kind
        cells.append("\n".join(line.removeprefix("#").removeprefix(" ") if is_prose else line for line in lines))
    return cells


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_built_notebook_is_that_of_its_source_and_was_executed(path: Path):
    cells = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    assert ["".join(cell["source"]) for cell in cells] == cells_of_source(path.read_text(encoding="utf-8"))
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert all(output["output_type"] != "error" for cell in code for output in cell["outputs"])


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout
