"""`python -m MODULE` runs the command that a module holds, by whichever of its names it is called."""

from pathlib import Path

import pytest

import unidelta
from unidelta.cli.commands import COMMANDS

from ..forked import forked

PACKAGE = Path(unidelta.__file__).parent
OF_COMMANDS = (*(command.module for command in COMMANDS.values()), "unidelta.cli.commands", "unidelta.cli")


def test_every_module_with_a_main_calls_it():
    modules = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    with_a_main = {path: text for path, text in modules.items() if "\ndef main(" in text}
    assert len(with_a_main) >= len(OF_COMMANDS)
    assert [path for path, text in with_a_main.items() if '\nif __name__ == "__main__":\n' not in text] == []


@pytest.mark.parametrize("module", OF_COMMANDS)
def test_a_module_of_a_command_is_that_command(module: str, tmp_path: Path):
    refused = forked(["-m", module, "--frobnicate=1"], tmp_path)
    assert refused.returncode == 2 and "You asked: " in refused.stderr


@pytest.mark.parametrize(
    ("words", "name"), [(("unidelta", "train"), "unidelta train"), (("unidelta.cli",), "python train.py")]
)
def test_what_training_advises_names_it_as_it_was_started(words: tuple[str, ...], name: str, tmp_path: Path):
    done = forked(["-m", *words, "-m", "--cfg", "job"], tmp_path)
    assert done.returncode == 2 and done.stderr.splitlines()[-1] == f"Instead:    {name} --cfg … without -m"
