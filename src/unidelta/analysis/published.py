"""The paper's numbers, and their tables in docs/reproducing.md: `python -m unidelta.analysis.published --write`.

Without `--write` it checks that the page agrees with `results/paper/results.csv` (status 1 if not).
"""

import sys
from pathlib import Path

import pandas as pd

from unidelta.analysis.frame import rows
from unidelta.analysis.page import command, markdown
from unidelta.errors import DataError, ExitStatus
from unidelta.extensions.paths import PUBLISHED

FIGURES = PUBLISHED / "results.csv"
PAGE = Path("docs/reproducing.md")
IN_SCRIPT = "script-only"
"""The provenance of points of the authors' plotting script that their figure does not show."""
_COLUMNS = {
    ("xsum", "R1"): "XSum R-1",
    ("xsum", "R2"): "XSum R-2",
    ("xsum", "RL"): "XSum R-L",
    ("xsum", "RLsum"): "XSum R-LSum",
    ("wmt16_en_ro", "BLEU"): "en-ro BLEU",
    ("mnli", "accuracy"): "MNLI",
    ("sst2", "accuracy"): "SST-2",
}


def published(path: Path = FIGURES) -> pd.DataFrame:
    """One row for every published number: artefact, task, metric, label, bottleneck, percent, value, ± and notes.

    Everything is text, as printed: 43.40 stays 43.40.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"the published figures in {path}", "there is no such file", "restore the file")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def table(figures: pd.DataFrame, artefact: str) -> str:
    """The numbers of one table or figure: a row for each label and bottleneck, a column for each task and metric."""
    mine = [row for row in rows(figures) if row["artefact"] == artefact]
    there = {(row["task"], row["metric"]) for row in mine}
    columns = [column for column in _COLUMNS if column in there]
    cells: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for row in mine:
        # Table 12 has one label in two positions; figures have one at several sizes, which labels of tables name
        label = f"{row['label']} ({row['position']})" if artefact == "Table 12" else row["label"]
        size = f"{row['bottleneck']} " if artefact.startswith("Figure") and row["bottleneck"] else ""
        percent = f"{size}({row['params_percent']} %)" if size else f"{row['params_percent']} %"
        spread = f" ± {row['std']}" if row["std"] else ""
        own = "*" if row["provenance"] == "plotted" else "†" if row["provenance"] == IN_SCRIPT else ""
        cells.setdefault((label, percent), {})[(row["task"], row["metric"])] = f"{row['value']}{spread}{own}"
    head = ["", "tuned", *(_COLUMNS[column] for column in columns)]
    body = [[label, percent, *(of.get(column, "–") for column in columns)] for (label, percent), of in cells.items()]
    return markdown([head, *body])


def tables() -> dict[str, str]:
    """Every table and figure of the paper, by its name in the page."""
    figures = published()
    return {artefact: table(figures, artefact) for artefact in figures["artefact"].unique()}


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.published`."""
    return command("unidelta.analysis.published", __doc__, PAGE, tables)


if __name__ == "__main__":
    sys.exit(main())
