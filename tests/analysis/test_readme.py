"""README.md shows the miniature's main table and its verdicts on the paper's claims."""

from pathlib import Path

from unidelta.analysis.claims import GROUPS
from unidelta.analysis.miniature import METHODS
from unidelta.analysis.page import filled
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.readme import PAGE, tables

ROOT = Path(__file__).parents[2]


def test_the_page_shows_what_the_records_say():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(page, tables(ROOT), name="README.md") == page


def test_every_method_and_every_group_of_claims_has_a_row():
    made = tables(ROOT)
    heads = [line.split("|")[1].strip() for line in made["methods"].splitlines()[2:]]
    assert heads == [ROWS[name].label for name in METHODS]
    groups = [line.split("|")[1].split(":")[0].strip() for line in made["claims"].splitlines()[2:]]
    assert groups == [*GROUPS, "all"]
