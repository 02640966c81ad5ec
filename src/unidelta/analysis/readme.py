"""The findings in README.md, from results/CLAIMS.md: `python -m unidelta.analysis.readme --write`.

Without `--write` it checks that the page agrees with it (status 1 if not).
"""

import sys
from itertools import dropwhile, takewhile
from pathlib import Path

from unidelta.analysis.page import command, markdown
from unidelta.errors import ExitStatus

PAGE = Path("README.md")
CLAIMS = Path("results/CLAIMS.md")
_DECIDED = ("supported", "contradicted", "practically equal")


def tables(root: Path) -> dict[str, str]:
    """A row for each claim of the paper of which a comparison is decided, and sentences for the others.

    Args:
        root: the root of the repository.
    """
    lines = (root / CLAIMS).read_text(encoding="utf-8").splitlines()
    overview = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), lines))
    head, _, *lines_of_groups = ([cell.strip() for cell in line.strip("|").split("|")] for line in overview)
    *groups, every = (dict(zip(head, cells, strict=True)) for cells in lines_of_groups)
    decided = [group for group in groups if any(group[verdict] != "0" for verdict in _DECIDED)]
    others = [group for group in groups if group not in decided]
    table = [["the paper says", "holds here", "does not", "no difference", "undecided"]]
    for group in decided:
        cells = [group[verdict] for verdict in _DECIDED]
        table.append([group["group"].partition(": ")[2], *cells, str(_n_open(group))])
    n_open = [_n_open(group) for group in others if _n_open(group)]
    rest = (
        f"{len(n_open)} further claims ({sum(n_open)} comparisons) are undecided with {every['largest n']} seeds."
        f" {every['not run']} comparisons are with scores that others published and cannot be made on the miniature."
    )
    return {"findings": f"{markdown(table)}\n\n{rest}"}


def _n_open(group: dict[str, str]) -> int:
    """Comparisons that could be made and say nothing; at the ceiling, neither side could win."""
    return int(group["undecided"]) + int(group["at ceiling"])


def _is_row(line: str) -> bool:
    return line.startswith("|")


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.readme`."""
    return command("unidelta.analysis.readme", __doc__, PAGE, lambda: tables(Path()))


if __name__ == "__main__":
    sys.exit(main())
