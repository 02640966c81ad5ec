"""The commands and the Python of docs/exchange.md, run one after another in an empty folder."""

import contextlib
import errno
import os
import shlex
from pathlib import Path

import pytest
import torch

import unidelta
from unidelta.cli.commands import main
from unidelta.design.resolve import resolve_design
from unidelta.errors import ExitStatus
from unidelta.exchange.authors import with_numbers
from unidelta.exchange.named_backbone import load_backbone
from unidelta.fidelity.names import official_name
from unidelta.fidelity.options import request
from unidelta.injection.architecture import architecture_of

from .conftest import ROOT, blocks

PAGE = [*blocks(ROOT / "docs" / "exchange.md")]
BLOCKS = [block.text.replace("\\\n", " ") for block in PAGE if block.language == "bash"]
COMMANDS = [line for text in BLOCKS for line in text.splitlines()]
AXES = {"lora": {"budget": "1%"}, "mam": {"budget": "1%"}, "ia3": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the deltas are that the page speaks of."""
    folder = tmp_path_factory.mktemp("exchange")
    for method in ("lora", "mam", "ia3"):
        deltas = unidelta.inject(load_backbone("bart").model, method, **AXES[method])
        for _, parameter in deltas.trained_parameters():
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
        deltas.save(folder / f"my-{method}")
    (folder / "texts.txt").write_text("One text.\n\nAnd another one.\n")
    write_as_the_authors(folder / "their-checkpoint")
    return folder


def write_as_the_authors(folder: Path) -> None:
    """A checkpoint of the options on the page, by the authors' names."""
    options = dict(word.split("=") for word in shlex.split(COMMANDS[-1]) if "=" in word)
    model = load_backbone("bart").model
    wanted = request(with_numbers(options, asked=""))
    architecture = architecture_of(model.config, name="bart")
    design, problems = resolve_design(wanted, architecture=architecture, published=architecture)
    assert not problems
    unidelta.inject(model, design)
    names = {"is_encoder": False, "is_wrapped": True, "is_parallel_ffn": True}
    folder.mkdir()
    torch.save({official_name(name, **names): p for name, p in model.named_parameters()}, folder / "pytorch_model.bin")


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
        ("export my-mam --to merged --output out", "not a change of weights"),
        (
            "export my-lora --to peft --output out --backbone roberta",
            "it is a roberta, the deltas were trained in a bart",
        ),
        ("export nothing --to peft --output out", "No such file"),
        ("export my-mam --to peft --output out --approximate lora --rank 2", "not a change of weights"),
        ("export my-ia3 --to peft --output out --rank 2", "--approximate lora --rank 2"),
        ("export my-ia3 --to merged --output out --approximate lora --rank 2", "merging that is exact"),
        ("export my-ia3 --to peft --output out --approximate lora --rank 0", "the rank is 0"),
        ("export my-ia3 --to peft --output out --rows texts.txt", "no error to report"),
        ("import my-lora-peft --from peft --backbone bart --output out attn_mode=prefix", "would not be read"),
        ("import their-checkpoint --from authors --backbone bart --output out attn_mode=prefix", "is not given"),
        ("import their-checkpoint --from authors --backbone bart --output out attn_bn=many", "attn_bn=many is not a"),
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


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize(
    "words",
    [
        "export my-lora --to peft",
        "export my-ia3 --to adapters --approximate lora --rank 1",
        "export my-lora --to merged",
        "import my-lora-peft --from peft --backbone bart",
    ],
)
def test_a_command_whose_output_is_not_taken_names_the_option(folder, words, code, capsys, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    with contextlib.chdir(folder):
        monkeypatch.setattr(Path, "mkdir", fail)
        assert main([*shlex.split(words), "--output", "out"]) is ExitStatus.REFUSED
        said = capsys.readouterr().err
        assert said.rstrip().endswith("folder: --output DIR" if code == errno.ENOSPC else "write to: --output DIR")
        assert os.strerror(code) in said and not Path("out").exists()
