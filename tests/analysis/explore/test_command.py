"""`python report.py board`, `curve` and `compare`, as typed, on records in folders."""

import csv
from pathlib import Path

import pytest

from unidelta.analysis.command import main
from unidelta.errors import ExitStatus


@pytest.fixture
def folder(stored, run_of) -> Path:
    records = [
        run_of(method, seed, 40.0 + seed + 5 * i) for i, method in enumerate(("prefix", "full")) for seed in (1, 2, 3)
    ]
    return stored(*records)


def test_a_board_is_shown_and_written_with_a_column_for_each_column(folder, tmp_path, capsys):
    output = tmp_path / "board.csv"
    assert main(["board", "--source", str(folder), "--output", str(output)]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "47.00 ± 2.48" in shown and "6 of 6 runs shown." in shown
    lines = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert [(line["method"], line["mean"], line["n"]) for line in lines] == [
        ("full", "47.0", "3"),
        ("prefix", "42.0", "3"),
    ]


def test_a_curve_is_written_with_its_numbers_and_what_it_leaves_out(folder, capsys):
    assert main(["curve", "--source", str(folder), "--task", "xsum", "--metric", "rouge2"]) == ExitStatus.DONE
    assert "6 of 6 runs shown." in capsys.readouterr().out
    assert b"6 of 6 runs shown." in (folder / "curve.svg").read_bytes()
    assert "42.00 ± 2.48 (n=3)" in (folder / "curve.csv").read_text(encoding="utf-8")


def test_two_settings_and_two_folders_are_compared(folder, stored, run_of, capsys):
    assert main(["compare", "method=full", "method=prefix", "--source", str(folder)]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "+5.00  " in shown and "no interval, as seeds make no difference" in shown
    other = stored(*(run_of("prefix", seed, 41.0 + seed) for seed in (1, 2, 3)), into="other")
    assert main(["compare", str(folder), str(other)]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    assert "−1.00  " in shown and "the other side has none like them" in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["board", "--source", "nowhere"], "there is no such folder"),
        (["compare", "method=mam", "method=full", "--source", "{}"], "no run has method=mam"),
        (["curve", "--source", "{}", "--x", "colour"], "no run has a column or a setting `colour`"),
        (["board", "--source", "{}", "--output", "board.xlsx"], "is not a format"),
        (["compare", "here", "there", "--source", "{}"], "not name=value"),
    ],
)
def test_what_cannot_be_is_told_in_three_lines(folder, capsys, words, told):
    assert main([word.format(folder) for word in words]) == ExitStatus.REFUSED
    error = capsys.readouterr().err
    assert told in error and error.startswith("You asked:") and "Instead:" in error
