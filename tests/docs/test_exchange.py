"""The commands and the Python of docs/exchange.md, run one after another in an empty folder."""

import contextlib
import shlex
from pathlib import Path

import pytest
import torch

import unidelta
from unidelta.cli.commands import main
from unidelta.errors import ExitStatus
from unidelta.exchange.named_backbone import load_backbone

from .conftest import ROOT, blocks

PAGE = [*blocks(ROOT / "docs" / "exchange.md")]
COMMANDS = [line for block in PAGE if block.language == "bash" for line in block.text.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the deltas are that the page speaks of."""
    folder = tmp_path_factory.mktemp("exchange")
    for method in ("lora", "mam"):
        deltas = unidelta.inject(load_backbone("bart").model, method, budget="1%")
        for _, parameter in deltas.trained_parameters():
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
        deltas.save(folder / f"my-{method}")
    return folder


def test_the_commands_of_the_page_work_and_what_comes_back_is_the_same(folder):
    with contextlib.chdir(folder):
        for command in COMMANDS:
            assert shlex.split(command)[:3] == ["python", "-m", "unidelta"]
            assert main(shlex.split(command)[3:]) is ExitStatus.DONE, command
    again, first = folder / "my-lora-again", folder / "my-lora"
    assert (again / "deltas.safetensors").read_bytes() == (first / "deltas.safetensors").read_bytes()


def test_the_python_of_the_page_works(folder):
    (block,) = (block for block in PAGE if block.language == "python")
    model, other = load_backbone("bart").model, load_backbone("bart").model
    unidelta.load(folder / "my-lora", model)
    (folder / "python").mkdir()
    with contextlib.chdir(folder / "python"):
        exec(block.text, {"unidelta": unidelta, "model": model, "other": other})
    assert unidelta.deltas_of(other).design.parts[0].form == "low_rank"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("export my-mam --to merged --output out", "no change of weights"),
        (
            "export my-lora --to peft --output out --backbone roberta",
            "it is a roberta, the deltas were trained in a bart",
        ),
        ("export nothing --to peft --output out", "No such file"),
        ("import my-lora --from peft --backbone bart --output out", "adapter_config.json"),
        ("import my-lora-peft --from peft --backbone no-such-folder/x/y --output out", "no-such-folder"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_in_three_lines_and_leaves_nothing(folder, words, told, capsys):
    with contextlib.chdir(folder):
        assert main(shlex.split(words)) is ExitStatus.REFUSED
        said = capsys.readouterr().err
        assert told in said and said.startswith("You asked:") and said.count("\n") == 3
        assert not Path("out").exists()
