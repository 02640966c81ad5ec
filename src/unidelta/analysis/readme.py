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


def tables(root: Path) -> dict[str, str]:
    """A row for each claim of the paper of which a comparison is decided, and a sentence for the others.

    Args:
        root: the root of the repository.
    """
    lines = (root / CLAIMS).read_text(encoding="utf-8").splitlines()
    overview = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), lines))
    _, _, *groups = ([cell.strip() for cell in line.strip("|").split("|")] for line in overview)
    table, n_groups, n_open = [["the paper says", "holds here", "does not", "no difference", "undecided"]], 0, 0
    for name, supported, contradicted, equal, *others, _ in groups[:-1]:
        left = sum(map(int, others))  # at ceiling, undecided, not run
        if supported == contradicted == equal == "0":
            n_groups, n_open = n_groups + 1, n_open + left
        else:
            table.append([name.partition(": ")[2], supported, contradicted, equal, str(left)])
    rest = f"{n_groups} further claims ({n_open} comparisons) are undecided with at most {groups[-1][-1]} seeds."
    return {"findings": f"{markdown(table)}\n\n{rest}"}


def _is_row(line: str) -> bool:
    return line.startswith("|")


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.readme`."""
    return command("unidelta.analysis.readme", __doc__, PAGE, lambda: tables(Path()), None)


if __name__ == "__main__":
    sys.exit(main())
