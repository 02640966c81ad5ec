"""Markdown pages with tables made by code, each between `<!-- table: NAME -->` and `<!-- end -->`."""

import re

from unidelta.errors import DataError


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
