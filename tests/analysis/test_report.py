"""`python report.py`: the same files twice, a check that fails on any difference, and no import of torch or Hydra."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.analysis.command import main
from unidelta.cli.commands import main as commands
from unidelta.errors import ExitStatus
from unidelta.records.store import RecordStore

ROOT = Path(__file__).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path, monkeypatch, run_of) -> Path:
    """A checkout with the published figures and three runs of the miniature."""
    shutil.copytree(ROOT / "results" / "paper", tmp_path / "results" / "paper")
    for seed in (1, 2, 3):
        RecordStore(root=tmp_path / "results" / "mini" / "main").write(run_of("prefix", seed, 80.0 + seed))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


@pytest.mark.slow
def test_twice_gives_the_same_bytes_and_passes_the_check(project):
    assert main(["all"]) == ExitStatus.DONE
    first = contents(project)
    assert {"CLAIMS.md", "mini/tables/table3.md", "mini/tables/table12.csv", "mini/tables/table1.tex"} <= first.keys()
    assert main(["all"]) == ExitStatus.DONE
    assert contents(project) == first
    assert main(["all", "--check"]) == ExitStatus.DONE


@pytest.mark.slow
def test_without_a_record_the_check_fails_and_the_cell_is_a_dash(project, capsys):
    main(["all"])
    for path in sorted((project / "mini" / "main").rglob("*.json")):
        path.unlink()
    assert main(["--check"]) == ExitStatus.FAILED
    assert "differs: results/mini/tables/table3.md" in capsys.readouterr().out
    assert main(["table3"]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    (row,) = [line for line in shown.splitlines() if line.startswith("| Prefix, l=200")]
    assert row.count("–") == 6
    assert "python train.py -m method=prefix method.attn.bottleneck=200 task=xsum seed=31,32,33,34,35" in shown


@pytest.mark.slow
def test_one_record_less_is_a_difference(project, capsys):
    main(["all"])
    capsys.readouterr()
    next((project / "mini" / "main").rglob("*.json")).unlink()
    assert main(["all", "--check"]) == ExitStatus.FAILED
    told = capsys.readouterr().out
    assert "table3.md" in told and "table6.tex" in told and "table2" not in told


@pytest.mark.slow
def test_the_check_writes_nothing_and_tells_what_is_not_there_or_too_much(project, capsys):
    before = contents(project)
    assert main(["all", "--check"]) == ExitStatus.FAILED
    assert contents(project) == before
    assert "is not there: results/CLAIMS.md" in capsys.readouterr().out
    main(["all"])
    (project / "mini" / "tables" / "table7.md").write_text("old", encoding="utf-8")
    assert main(["all", "--check"]) == ExitStatus.FAILED
    assert "should not be there: results/mini/tables/table7.md" in capsys.readouterr().out


def test_the_papers_scale_without_runs_shows_what_is_printed(project, capsys):
    assert main(["table6", "--scale", "paper"]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "21.90 ± 0.01" in shown
    assert "python train.py method=prefix method.attn.bottleneck=200 task=xsum scale=paper" in shown
    assert (project / "paper" / "tables" / "table6.md").is_file()


def test_records_of_ones_own_are_reported_beside_them(project, run_of, stored, capsys):
    folder = stored(run_of("prefix", 1, 33.0))
    assert main(["table3", "--source", str(folder)]) == ExitStatus.DONE
    assert "33.00 (n=1)" in (folder / "mini" / "tables" / "table3.md").read_text(encoding="utf-8")
    assert not (project / "mini" / "tables").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["table7"], "there is no `table7` to report"),
        (["Figure_4"], "Instead:    fig4; or one of: table1,"),
        (["ALL"], "Instead:    all; or one of: table1,"),
        (["table3", "--source", "nowhere"], "there is no such folder"),
        (["table3", "--source", "results/paper"], "there are no records of scale mini"),
        (["table3", "--output", "results/paper/results.csv"], "results/paper/results.csv"),
    ],
)
def test_what_cannot_be_is_told_in_three_lines(project, capsys, words, told):
    assert main(words) == ExitStatus.REFUSED
    error = capsys.readouterr().err
    assert told in error
    assert error.startswith("You asked:") and "Instead:" in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(project, capsys):
    (project / "mini").chmod(0o500)
    try:
        assert main(["table3"]) == ExitStatus.REFUSED
    finally:
        (project / "mini").chmod(0o700)
    assert "Permission denied" in capsys.readouterr().err


@pytest.mark.slow
def test_a_method_named_like_an_attack_is_harmless(project, run_of, stored):
    """Names of methods are whatever a file in conf/method/ says."""
    record = run_of("prefix", 1, 50.0, reason=None)
    record = replace(record, coordinates={**record.coordinates, "method": '=cmd|"<script>"!A0'})
    folder = stored(record)
    assert main(["all", "--source", str(folder)]) == ExitStatus.DONE
    written = b"".join(text for name, text in contents(folder).items() if "tables" in name or name == "CLAIMS.md")
    assert b"<script>" not in written
    assert b"\n=cmd" not in written


def test_a_report_needs_no_torch_transformers_or_hydra_and_no_reader_to_the_end(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    program = """
import atexit, runpy, sys
heavy = {"torch", "transformers", "hydra", "omegaconf", "datasets", "matplotlib", "wandb"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
runpy.run_path("report.py", run_name="__main__")
"""
    command = [sys.executable, "-c", program, "table3", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert (tmp_path / "mini" / "tables" / "table3.md").exists()


def test_the_committed_files_are_what_the_records_say_wherever_it_is_asked(tmp_path):
    command = [sys.executable, str(ROOT / "report.py"), "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_an_option_without_its_dashes_is_told_with_them(capsys):
    assert main(["table6", "source=results/mini", "scale=paper", "seed=3"]) == ExitStatus.REFUSED
    said = [line[12:] for line in capsys.readouterr().err.splitlines() if line.startswith("Instead:")]
    assert said == ["--source results/mini", "--scale paper", "python report.py --help"]


@pytest.mark.parametrize(
    ("called", "name"), [("unidelta report", "unidelta report"), ("report.py", "python report.py")]
)
def test_what_writes_the_files_that_differ_can_be_typed(project, capsys, monkeypatch, called, name):
    monkeypatch.setattr(sys, "argv", [called])
    assert main(["table3", "--check", "--output", "a b"]) == ExitStatus.FAILED
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == f"these files are out of date; to write them: {name} table3 --output 'a b'"


@pytest.mark.parametrize("command", ["report", "sweep"])
def test_examples_in_the_help_are_of_the_command_that_was_typed(monkeypatch, capsys, command):
    monkeypatch.setattr(sys, "argv", [])  # which the command sets
    with pytest.raises(SystemExit):
        commands([command, "--help"])
    told = capsys.readouterr().out
    assert f"python {command}.py" not in told and f"unidelta {command}" in told
