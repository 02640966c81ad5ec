"""The command line of report.py."""

import argparse
import sys
from collections.abc import Sequence

from unidelta.analysis.registry import artefact, artefacts
from unidelta.errors import UserError
from unidelta.exit_status import ExitStatus


def main(words: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python report.py WORDS`."""
    arguments = _parser().parse_args(words)
    try:
        wanted = artefacts() if "all" in arguments.names else {name: artefact(name) for name in arguments.names}
    except UserError as error:
        print(error, file=sys.stderr)
        return ExitStatus.REFUSED
    print("\n".join(wanted))
    return ExitStatus.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python report.py", description="Tables and figures from records.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="table3, fig4, …, claims, or all")
    parser.add_argument("--scale", choices=("mini", "paper"), default="mini", help="which runs (default: mini)")
    return parser
