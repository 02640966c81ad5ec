"""The commands of the project under one name: `unidelta COMMAND`, or `python -m unidelta COMMAND`."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

from unidelta.console.command import as_command
from unidelta.console.garbage import paused_garbage_collection
from unidelta.console.program import NAME
from unidelta.errors import ConfigError, ExitStatus


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Args:
        module: its `main` reads `sys.argv`; imported only when the command is typed.
        purpose: one line of help.
    """

    module: str
    purpose: str


COMMANDS = {
    "tour": Command("unidelta.cli.tour", "two minutes: a design, three short runs, a board, a curve, a page"),
    "train": Command("unidelta.cli.train", "train and evaluate one design on one task: method=mam task=xsum"),
    "sweep": Command("unidelta.sweeps.command", "run every job of a sweep; complete runs are skipped"),
    "report": Command("unidelta.analysis.command", "make the paper's tables, figures and claims from run records"),
    "export": Command("unidelta.exchange.export_command", "write saved deltas for peft or adapters, or merge them"),
    "import": Command("unidelta.exchange.import_command", "read deltas of peft, adapters or the authors' code"),
    "tasks": Command("unidelta.tasks.__main__", "score saved predictions again"),
    "mini": Command("unidelta.mini.__main__", "show the miniature's rows; pretrain its backbones"),
    "backbones": Command("unidelta.backbones.__main__", "make a checkpoint folder of a GGUF file"),
    "fidelity": Command("unidelta.fidelity.__main__", "compare with the authors' code: golden vectors and counts"),
    "check": Command("unidelta.check.__main__", "try a form, a generator, a composition or an architecture of yours"),
}


_COMPLETION = ("-sc", "--shell-completion")


@as_command
def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: the command and its arguments; None for those of `sys.argv`.

    Returns:
        The exit status; a command may also raise `SystemExit`.
    """
    name, *arguments = [*(sys.argv[1:] if words is None else words)] or ["--help"]
    if name in ("-h", "--help", "help"):
        print(_help())
        return ExitStatus.DONE
    if name == "--version":
        from unidelta import __version__

        print(f"{NAME} {__version__}")
        return ExitStatus.DONE
    if name == "train" and arguments[:1] and arguments[0] in _COMPLETION:
        name, *arguments = arguments  # a shell knows a program by its first word
    if name in _COMPLETION:
        return _complete([name, *arguments])
    if name not in COMMANDS:
        raise _unknown(name, arguments)
    return _begin(name, [f"{NAME} {name}", *arguments])


def _begin(name: str, words: list[str]) -> int:
    before, sys.argv = sys.argv, words
    try:
        with paused_garbage_collection():
            module = import_module(COMMANDS[name].module)
        return module.main() or ExitStatus.DONE
    finally:
        sys.argv = before


def _complete(words: Sequence[str]) -> int:
    """Complete a command's name; after `train`, what Hydra knows of it. A shell gives the line in `COMP_LINE`."""
    line = os.environ.get("COMP_LINE", "")
    typed = re.match(r"(\S+\s+)(\S+)\s+", line)
    if line and (typed is None or typed[2] != "train"):
        print("\n".join(COMMANDS if typed is None else ()))
        return ExitStatus.DONE
    if typed is not None:
        os.environ["COMP_LINE"] = typed[1] + line[typed.end() :]
    return _begin("train", [NAME, *words])


def _help() -> str:
    rows = "\n".join(f"  {name:10}{command.purpose}" for name, command in COMMANDS.items())
    return f"""\
Parameter-efficient transfer learning in one design space (He et al., ICLR 2022).

usage: {NAME} COMMAND [ARGUMENTS]

{rows}

`{NAME} COMMAND --help` shows the arguments of one; `{NAME} --version` the version."""


def _unknown(name: str, arguments: Sequence[str]) -> ConfigError:
    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    if "=" in name:
        near, arguments = ["train"], [name, *arguments]
    elif name in ("version", "help"):
        near, arguments = [f"--{name}"], []
    instead = " ".join([NAME, *near, *arguments]) if near else f"one of: {', '.join(COMMANDS)}"
    return ConfigError(f"{NAME} {name}", f"there is no command `{name}`", instead)


if __name__ == "__main__":
    sys.exit(main())
