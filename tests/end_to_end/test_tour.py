"""`unidelta tour`, from its first command to the page."""

import subprocess
import sys
from pathlib import Path

import pytest

from unidelta.cli.tour import steps


@pytest.mark.slow
def test_the_tour_ends_with_a_page_of_its_three_runs(tmp_path: Path):
    command = [sys.executable, "-m", "unidelta", "tour", "--folder", str(tmp_path / "tour"), "--no-open"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if line.startswith("$ unidelta ")]
    assert [line.removeprefix("$ unidelta ") for line in shown] == [words for _, words in steps(str(tmp_path / "tour"))]
    assert "3 of 3 runs shown." in done.stdout
    page = (tmp_path / "tour" / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count('<tr id="run-') == 3
    assert (tmp_path / "tour" / "curve.svg").is_file()
