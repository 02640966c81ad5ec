"""`python report.py board`, `curve` and `compare`: any runs, whatever their methods and tasks are called."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from unidelta.analysis.explore.board import board, board_table
from unidelta.analysis.explore.compare import compare, comparison_table
from unidelta.analysis.explore.curves import BY, curves
from unidelta.analysis.explore.select import no_side, select
from unidelta.analysis.figures import data
from unidelta.analysis.render import in_csv, to_csv, to_latex, to_markdown, to_text
from unidelta.analysis.source import every
from unidelta.analysis.table import Table
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ConfigError
from unidelta.extensions.folders import add_folder
from unidelta.records.atomic import write_atomically

SOURCE = "results/runs"
_OF_FOLDERS = ("method", "position", "bottlenecks")
_DRAWINGS = ("svg", "pdf", "png")
_SCRIPT = "python report.py"
_EPILOG = """\
python report.py board --source results/mini/main --task xsum       one row a setting, the best first
python report.py curve --source results/mini --task xsum            scores against tuned parameters, as a figure
python report.py curve --source D --x training.learning_rate --by method
python report.py compare method=mam method=lora,position=ffn --source results/mini/main
python report.py compare results/mini/main results/mini/doubled     row by row what both folders have
"""


def explore(words: Sequence[str]) -> None:
    """Do what is asked, and print it.

    Args:
        words: `board`, `curve` or `compare`, then its options.

    Raises:
        UserError: it cannot be done.
    """
    arguments = _parser().parse_args(words)
    if arguments.config_dir is not None:
        add_folder(arguments.config_dir)
    COMMANDS[arguments.what](arguments)


def _board(asked: argparse.Namespace) -> None:
    frame = board(every(asked.source), task=asked.task, metric=asked.metric)
    _show(board_table(frame), frame, asked.output)


def _compare(asked: argparse.Namespace) -> None:
    are_folders = [Path(side).is_dir() for side in asked.sides]
    wrong = [side for side in asked.sides if not Path(side).is_dir() and "=" not in side]
    if wrong:
        raise no_side(" ".join(asked.sides), wrong[0])
    runs = None if all(are_folders) else every(asked.source)
    first, second = (every(side) if runs is None or Path(side).is_dir() else select(runs, side) for side in asked.sides)
    by = asked.by if asked.by is not None else _OF_FOLDERS if all(are_folders) else ()
    frame = compare(first, second, task=asked.task, metric=asked.metric, by=by)
    _show(comparison_table(frame), frame, asked.output)


def _curve(asked: argparse.Namespace) -> None:
    output = asked.output or Path(asked.source if Path(asked.source).is_dir() else "results") / "curve.svg"
    _check_suffix(output, _DRAWINGS)
    by = BY if asked.by is None else asked.by
    figure = curves(every(asked.source), task=asked.task, metric=asked.metric, x=asked.x, by=by)
    from unidelta.analysis.draw import rendered  # late: matplotlib, which no table needs

    print(to_text(data(figure)))
    _write(output, rendered(figure)[output.suffix[1:]])  # pyright: ignore[reportArgumentType]
    _write(output.with_suffix(".csv"), to_csv(data(figure)))


COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {"board": _board, "curve": _curve, "compare": _compare}
"""What each of them does with its options."""


def _show(table: Table, frame: pd.DataFrame, output: Path | None) -> None:
    renders: dict[str, Callable[[], str]] = {
        ".csv": lambda: _wide(frame),
        ".md": lambda: to_markdown(table),
        ".tex": lambda: to_latex(table),
    }
    if output is not None:
        _check_suffix(output, [suffix[1:] for suffix in renders])
    print(to_text(table))
    if output is not None:
        _write(output, renders[output.suffix]())


def _wide(frame: pd.DataFrame) -> str:
    """A board or comparison as CSV: a line for each row, and a column for each column."""
    words = frame.rename(columns=in_csv)
    for name in words.columns:
        if words[name].dtype.kind not in "bif":
            words[name] = [in_csv("" if value is None else str(value)) for value in words[name]]
    return words.to_csv(index=False, lineterminator="\n")


def _write(path: Path, content: str | bytes) -> None:
    write_atomically(path, content)
    print(f"wrote {path}")


def _check_suffix(path: Path, known: Sequence[str]) -> None:
    if path.suffix[1:] not in known:
        raise ConfigError(
            f"--output {path}", f"`{path.suffix}` is not a format", " or ".join(f"FILE.{k}" for k in known)
        )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=program(_SCRIPT),
        description="Any runs: a board, a curve, a comparison.",
        epilog=_EPILOG.replace(_SCRIPT, program(_SCRIPT)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_subparsers(dest="what", required=True)
    shared = Parser(add_help=False)
    shared.add_argument("--source", action=Once, default=SOURCE, help=f"as for tables (default: {SOURCE})")
    shared.add_argument("--task", help="one task (default: all)")
    shared.add_argument("--metric", help="a score by its name in the records (default: each task's headline)")
    shared.add_argument("--config-dir", action=Once, metavar="DIR", help="a folder of your own, as for train.py")
    shared.add_argument("--output", type=Path, help="a file to write: .csv, .md, .tex; of a curve .svg, .pdf, .png")
    what.add_parser("board", parents=[shared], help="one row for each setting, the best first")
    curve = what.add_parser("curve", parents=[shared], help="scores against tuned parameters, or any number")
    curve.add_argument("--x", default="percent", help="a column or setting that is a number (default: percent)")
    curve.add_argument("--by", type=_names, help="what lines differ by (default: method,position)")
    two = what.add_parser("compare", parents=[shared], help="two settings or two folders")
    two.add_argument(
        "sides", nargs=2, metavar="SIDE", help="a folder of records, or NAME=VALUE,… among those of --source"
    )
    two.add_argument(
        "--by", type=_names, help="rows: what both sides agree in (of two folders: method,position,bottlenecks)"
    )
    return parser


def _names(words: str) -> tuple[str, ...]:
    return tuple(word for word in words.split(",") if word)
