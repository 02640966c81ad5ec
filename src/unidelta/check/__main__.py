"""Check a form, a generator, a composition or an architecture that you wrote: `python -m unidelta.check form NAME`.

On a tiny model of every architecture: does the number of parameters match its file, do exactly those train and does
each get a gradient, does a zero start leave the model's output unchanged, do teacher forcing and cached generation
agree, is merging exact and undone bit for bit, and do saved deltas compute the same in a fresh model?
`--config-dir DIR` adds a folder of your own first.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import torch
from transformers.utils import logging

from unidelta.check.finding import Finding
from unidelta.check.kinds import check_composition, check_family, check_form, check_generator
from unidelta.console.command import as_command
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import DesignError, ExitStatus
from unidelta.extensions.folders import add_folder
from unidelta.extensions.named_paths import path_argument

_SHOWN = 3  # failures of one kind that are listed
_CHECKS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "form": check_form,
    "generator": check_generator,
    "composition": check_composition,
    "family": check_family,
}


@as_command
def main(arguments: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python -m unidelta.check`: 1 if a check fails, 2 if there is no such name."""
    parser = Parser(prog=program("python -m unidelta.check"), description=__doc__)
    parser.add_argument("kind", choices=_CHECKS)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--config-dir", action=Once, type=path_argument, metavar="DIR", help="a folder of your own, as for train.py"
    )
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    if asked.config_dir is not None:
        add_folder(asked.config_dir)
    findings = list(_printed(_CHECKS[asked.kind](asked.name)))
    if not findings:
        why = "the rules refuse it on every architecture, at every place and insertion"
        raise DesignError(f"check {asked.kind} {asked.name}", why, "looser rules for it")
    wrong = [finding for finding in findings if finding.wrong]
    for what in dict.fromkeys(finding.what for finding in findings):
        mine = [finding for finding in findings if finding.what == what]
        more = sum(bool(finding.wrong) for finding in mine) - _SHOWN
        unlisted = f"; {more} failures more than are listed" if more > 0 else ""
        print(f"{sum(not finding.wrong for finding in mine):4} of {len(mine):4}  {what}{unlisted}")
    print(f"{len(findings) - len(wrong)} passed, {len(wrong)} failed")
    return ExitStatus.FAILED if wrong else ExitStatus.DONE


def _printed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings as they are made: a line for each place that was checked, and the first failures of each kind."""
    n_wrong: Counter[str] = Counter()
    for where, found in groupby(findings, key=lambda finding: finding.where):
        here = list(found)
        wrong = [finding for finding in here if finding.wrong]
        print(f"{len(here) - len(wrong):4} of {len(here):4}  {where}", flush=True)
        for finding in wrong:
            n_wrong[finding.what] += 1
            if n_wrong[finding.what] <= _SHOWN:
                print(f"WRONG  {finding.where}\n       {finding.what}: {finding.wrong}", flush=True)
        yield from here


if __name__ == "__main__":
    sys.exit(main())
