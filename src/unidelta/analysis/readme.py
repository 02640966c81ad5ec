"""The tables of README.md: the miniature's main table, and its verdicts: `python -m unidelta.analysis.readme --write`.

They equal those in docs/miniature.md and results/CLAIMS.md. Without `--write` it checks that the page agrees with them
(status 1 if not).
"""

import sys
from itertools import dropwhile, takewhile
from pathlib import Path

from unidelta.analysis.frame import rows, runs
from unidelta.analysis.miniature import RESULTS, methods
from unidelta.analysis.page import command
from unidelta.errors import ExitStatus

PAGE = Path("README.md")
CLAIMS = Path("results/CLAIMS.md")


def tables(root: Path) -> dict[str, str]:
    """The tables by name.

    Args:
        root: the root of the repository.
    """
    lines = (root / CLAIMS).read_text(encoding="utf-8").splitlines()
    overview = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), lines))
    return {"methods": methods(rows(runs(root / RESULTS / "main"))), "claims": "\n".join(overview)}


def _is_row(line: str) -> bool:
    return line.startswith("|")


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.readme`."""
    return command("unidelta.analysis.readme", __doc__, PAGE, lambda: tables(Path()), None)


if __name__ == "__main__":
    sys.exit(main())
