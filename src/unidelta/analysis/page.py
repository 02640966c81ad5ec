"""Generated pages and files: write them, or compare them with the existing ones.

The generated tables of a Markdown page are between `<!-- table: NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.errors import DataError, ExitStatus
from unidelta.records.atomic import write_atomically


def markdown(rows: list[list[str]]) -> str:
    """A table; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def filled(page: str, tables: dict[str, str], *, name: str) -> str:
    """The page with each table in its place.

    Args:
        page: the text.
        tables: tables by name.
        name: of the page, for messages.

    Raises:
        DataError: the page has no place for a table.
    """
    for table_name, table in tables.items():
        place = re.compile(rf"(<!-- table: {re.escape(table_name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            instead = f"add <!-- table: {table_name} --> and <!-- end --> to the page"
            raise DataError(f"the table {table_name} in {name}", "the page has no marker for this table", instead)
        page = place.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", page)
    return page


@as_command
def command(
    module: str,
    description: str | None,
    page: Path,
    make: Callable[[], dict[str, str]],
    images: Callable[[], Mapping[Path, bytes]] = dict,
) -> ExitStatus:
    """`python -m MODULE [--write]` for a page: write its tables and images, or check that they are up to date.

    Args:
        module: its dotted name.
        description: what it does, for `--help`.
        page: the page.
        make: returns the tables by name.
        images: returns the page's images by path; none by default.

    Returns:
        Done, failed if the page or an image is out of date, or refused for an invalid request.
    """
    parser = Parser(prog=f"python -m {module}", description=description)
    parser.add_argument("--write", action="store_true", help=f"write what belongs into {page}")
    arguments = parser.parse_args()
    tables = make()
    now = page.read_text(encoding="utf-8")
    files = {page: filled(now, tables, name=str(page)).encode(), **images()}
    differing = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    if arguments.write:
        for path in differing:
            write_atomically(path, files[path])
    if differing and not arguments.write:
        print(f"out of date: {', '.join(map(str, differing))}; to write: python -m {module} --write")
        return ExitStatus.FAILED
    return ExitStatus.DONE
