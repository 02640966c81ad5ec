"""Generated pages and files: written, or compared with what is there.

Markdown pages have their tables, made by code, each between `<!-- table: NAME -->` and `<!-- end -->`.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from unidelta.console.closed_pipe import drop_unread_output
from unidelta.errors import DataError, ExitStatus, UserError


def markdown(rows: list[list[str]]) -> str:
    """A table; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def filled(page: str, made: dict[str, str], *, name: str) -> str:
    """The page with each table in its place.

    Args:
        page: the text.
        made: tables by the names of their places.
        name: of the page, for messages.

    Raises:
        DataError: the page has no place for a table.
    """
    for table_name, table in made.items():
        place = re.compile(rf"(<!-- table: {re.escape(table_name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            instead = f"add <!-- table: {table_name} --> and <!-- end --> to the page"
            raise DataError(f"the table {table_name} in {name}", "the page has no place for it", instead)
        page = place.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", page)
    return page


def command(
    module: str, description: str | None, page: Path, make: Callable[[], dict[str, str]], words: Sequence[str] | None
) -> ExitStatus:
    """What `python -m MODULE [--write]` does for a page: fill its places, or say whether they show what is so.

    Args:
        module: its dotted name.
        description: what it does, for `--help`.
        page: the page.
        make: the tables by the names of their places.
        words: what was typed after it; None takes `sys.argv`.

    Returns:
        Done, failed for a page that shows something else, or refused for a request that cannot be met.
    """
    drop_unread_output()
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--write", action="store_true", help=f"write the tables into {page}")
    arguments = parser.parse_args(words)
    try:
        made = make()
        now = page.read_text(encoding="utf-8")
        text = filled(now, made, name=str(page))
    except UserError as error:
        print(error, file=sys.stderr)
        return ExitStatus.REFUSED
    if arguments.write:
        page.write_text(text, encoding="utf-8")
    elif text != now:
        print(f"{page} does not show what is so: python -m {module} --write")
        return ExitStatus.FAILED
    return ExitStatus.DONE
