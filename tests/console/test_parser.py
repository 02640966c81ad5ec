"""Whatever a command's parser refuses has three lines: the parsers of all commands, by words they do not know."""

import importlib
import sys

import pytest

from unidelta.cli.commands import COMMANDS

OTHERS = (
    *("unidelta.analysis.later", "unidelta.analysis.next_look", "unidelta.analysis.plan", "unidelta.analysis.tuning"),
    "unidelta.config.design_space",
)
BY_HYDRA = "train"
MODULES = [*(one.module for name, one in COMMANDS.items() if name != BY_HYDRA), *OTHERS]


@pytest.mark.parametrize("module", MODULES)
def test_what_a_parser_knows_is_told(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main()
    assert ended.value.code in (0, None) and capsys.readouterr().out


@pytest.mark.parametrize("module", MODULES, ids=lambda name: name)
@pytest.mark.parametrize("typed", [["--frobnicate", "x y"], ["--frob=1", "spam", "ham", "eggs"]], ids=" ".join)
def test_what_a_parser_refuses_has_three_lines(module, typed, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [module, *typed])
    try:
        status = importlib.import_module(module).main()
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == 2
    assert [line[:11] for line in told.splitlines() if line and not line.startswith("Problem")][:3] == [
        "You asked: ",
        "Why not:   ",
        "Instead:   ",
    ], told


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (["board", "results"], "unrecognized arguments: results"),
        (["compare", "method=lora"], "the following arguments are required: SIDE"),
        (["curve", "--by"], "argument --by: expected one argument"),
        (["table3", "--scale", "big"], "argument --scale: invalid choice: 'big'"),
        (["--source", "results/mini", "curve"], "curve comes first, and alone"),
        (["table3", "board"], "board comes first, and alone"),
    ],
)
def test_report_says_what_is_wrong_with_its_words(typed, why, capsys):
    from unidelta.analysis.command import main

    assert main(typed) == 2
    asked, reason, instead = capsys.readouterr().err.splitlines()
    assert typed[0] in asked and why in reason and instead.split(maxsplit=1)[1]
