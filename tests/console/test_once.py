"""An option that a command takes once is not silently replaced by a second one."""

import argparse

import pytest

from unidelta.console.once import Once


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("--source", action=Once, default="runs")
    made.add_argument("--config-dir", action=Once)
    return made


def test_one_value_is_stored_and_none_is_the_default():
    assert parser().parse_args(["--source", "a"]).source == "a"
    assert parser().parse_args(["--config-dir=b"]).source == "runs"


@pytest.mark.parametrize(
    "words", [["--source", "a", "--source", "b"], ["--source=a", "--config-dir", "c", "--source=a"]]
)
def test_a_second_one_is_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words)
    assert ended.value.code == 2 and "--source is given twice" in capsys.readouterr().err
