"""The paper's figures in docs/reproducing.md are those of results/paper/results.csv, row by row."""

from pathlib import Path

import pytest

from unidelta.analysis.page import filled
from unidelta.analysis.published import FIGURES, PAGE, published, table
from unidelta.errors import DataError

ROOT = Path(__file__).parents[2]


def test_there_are_216_figures_of_nine_tables_and_figures():
    figures = published(ROOT / FIGURES)
    assert len(figures) == 216
    assert set(figures["artefact"]) == {
        *(f"Table {n}" for n in (2, 3, 4, 5, 6, 12)),
        *(f"Figure {n}" for n in (2, 4, 5)),
    }


def test_every_figure_is_in_its_table():
    figures = published(ROOT / FIGURES)
    for artefact, mine in figures.groupby("artefact"):
        cells = [
            cell for line in table(figures, str(artefact)).splitlines()[2:] for cell in line[2:-2].split(" | ")[2:]
        ]
        shown = sorted(cell.split(" ")[0].rstrip("*†") for cell in cells if cell != "–")
        assert shown == sorted(mine["value"]), artefact


def test_the_row_of_mam_is_the_one_that_was_published():
    (mam,) = [line for line in table(published(ROOT / FIGURES), "Table 6").splitlines() if line.startswith("| MAM")]
    assert mam.endswith("| 6.7 % | 45.06 ± 0.08 | 21.90 ± 0.01 | 36.87 ± 0.04 | 37.5 ± 0.1 |")


def test_the_page_shows_the_figures():
    figures, page = published(ROOT / FIGURES), (ROOT / PAGE).read_text(encoding="utf-8")
    made = {artefact: table(figures, artefact) for artefact in figures["artefact"].unique()}
    assert filled(page, made, name=str(PAGE)) == page


def test_missing_figures_are_one_error(tmp_path):
    with pytest.raises(DataError, match="restore the file"):
        published(tmp_path / "results.csv")
