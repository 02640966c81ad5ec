"""The files of a report: their contents, checking them, and writing them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from unidelta.analysis import report_page
from unidelta.analysis.claims_page import page
from unidelta.analysis.curve import Figure
from unidelta.analysis.figures import data
from unidelta.analysis.names import Scale
from unidelta.analysis.render import to_csv, to_latex, to_markdown
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import Table
from unidelta.analysis.verdicts import Verdict
from unidelta.records.atomic import write_atomically

Files = dict[Path, str | bytes]
"""Contents by path, relative to the folder of results."""


def files_of(artefact: Table | Figure, scale: Scale) -> Files:
    """The files of one table or figure: `<scale>/tables/table3.md`, `<scale>/figures/fig4.svg` and the like."""
    if isinstance(artefact, Table):
        stem = Path(scale) / "tables" / artefact.name
        formats = {".md": to_markdown, ".csv": to_csv, ".tex": to_latex}
        return {stem.with_suffix(suffix): render(artefact) for suffix, render in formats.items()}
    from unidelta.analysis.draw import rendered  # late: matplotlib, which no table needs

    stem = Path(scale) / "figures" / artefact.name
    drawn = {stem.with_suffix(f".{kind}"): content for kind, content in rendered(artefact).items()}
    return {stem.with_suffix(".csv"): to_csv(data(artefact)), **drawn}


def claims_files(found: Sequence[Verdict], scale: Scale, *, fixed: str) -> Files:
    """CLAIMS.md; the miniature's is at the top of the results folder, because anyone can reproduce it.

    Args:
        found: a verdict for each claim.
        scale: of the runs.
        fixed: a sentence on the plan, if there is one.
    """
    path = _folder(scale) / "CLAIMS.md"
    return {path: page(found, scale, fixed=fixed, docs="../" * len(path.parts))}


def report_files(artefacts: Sequence[Table | Figure], files: Files, found: Sequence[Verdict], runs: Runs) -> Files:
    """The report page, in `report/`.

    Args:
        artefacts: every table and figure.
        files: their files, including the figures' SVG.
        found: a verdict for each claim.
        runs: of one scale.
    """
    path = _folder(runs.scale) / "report" / "index.html"
    figures = [
        (one, files[Path(runs.scale) / "figures" / f"{one.name}.svg"]) for one in artefacts if isinstance(one, Figure)
    ]
    content = report_page.page(
        runs,
        tables=[one for one in artefacts if isinstance(one, Table)],
        figures=[(one, svg) for one, svg in figures if isinstance(svg, bytes)],
        verdicts=found,
        up="../" * (len(path.parts) - 1),
    )
    return {path: content}


def _folder(scale: Scale) -> Path:
    return Path() if scale == "mini" else Path(scale)


def write(files: Mapping[Path, str | bytes], output: Path) -> None:
    """Write the files, each atomically.

    Raises:
        RecordError: one cannot be written.
    """
    for path, content in files.items():
        write_atomically(output / path, content)


def differing(files: Mapping[Path, str | bytes], output: Path) -> list[str]:
    """The files that are out of date: `differs: PATH`, `is not there: PATH`, in order of path."""
    found: list[str] = []
    for path, content in sorted(files.items()):
        there = output / path
        if not there.is_file():
            found.append(f"is not there: {there}")
        elif there.read_bytes() != (content.encode() if isinstance(content, str) else content):
            found.append(f"differs: {there}")
    return found


def stale(files: Mapping[Path, str | bytes], output: Path, scale: Scale) -> list[str]:
    """Files of tables and figures that no longer belong to an artefact: `should not be there: PATH`."""
    there = sorted(path for kind in ("tables", "figures") for path in (output / scale / kind).glob("*"))
    return [f"should not be there: {path}" for path in there if path.relative_to(output) not in files]
