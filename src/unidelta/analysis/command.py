"""The command line of report.py."""

import argparse
import shlex
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from unidelta.analysis.claims import claims
from unidelta.analysis.explore.command import COMMANDS, explore
from unidelta.analysis.files import Files, claims_files, differing, files_of, report_files, stale, write
from unidelta.analysis.frame import rows
from unidelta.analysis.names import task_in_records
from unidelta.analysis.paper_rows import key_of_row
from unidelta.analysis.plan import fixed, plan_for
from unidelta.analysis.published import published
from unidelta.analysis.registry import artefact, artefacts, made_by
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import RECORDS, read
from unidelta.analysis.tracked import PREFIX
from unidelta.analysis.verdicts import Verdict, verdicts
from unidelta.console.command import as_command
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ConfigError, ExitStatus, Problems
from unidelta.extensions.folders import add_folder
from unidelta.extensions.named_paths import as_path, path_argument
from unidelta.extensions.paths import RESULTS

_WHOLE = ("claims", "page")  # made from all runs
_SCRIPT = "python report.py"
_EPILOG = """\
python report.py table3                          Table 3 from the miniature's records, shown and written
python report.py table6 --scale paper            published values, and commands for the missing runs
python report.py all                             every table and figure, CLAIMS.md, and report/index.html
python report.py all --check                     fails if a committed file is out of date
python report.py table3 --source results/runs    from your own records; written next to them
python report.py board --source results/runs     any runs, one row a setting; also curve and compare (board --help)
"""


@as_command
def main(words: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python report.py WORDS`: failed if files differ, refused for an invalid request."""
    typed = sys.argv[1:] if words is None else list(words)
    if typed and typed[0] in COMMANDS:
        explore(typed)
        return ExitStatus.DONE
    if name := next((word for word in typed if word in COMMANDS), None):
        rest = [word for word in typed if word != name]
        raise ConfigError(
            shlex.join(typed), f"{name} comes first, and alone", shlex.join([*program(_SCRIPT).split(), name, *rest])
        )
    arguments = _parser().parse_args(typed)
    is_all = "all" in arguments.names or not arguments.names
    _check_names(arguments.names, options=vars(arguments).keys() - {"names", "check"})
    if arguments.config_dir is not None:
        add_folder(arguments.config_dir)
    source = arguments.source
    if source != RECORDS and not source.startswith(PREFIX):
        source = str(as_path(source, asked=f"--source {source}"))
    output = _output(source, arguments.output)
    names = [*artefacts(), *_WHOLE] if is_all else list(dict.fromkeys(arguments.names))
    runs = read(source, scale="paper" if arguments.scale == "paper" else "mini")
    files = _files(names, runs)
    if arguments.check:
        found = [*differing(files, output), *(stale(files, output, arguments.scale) if is_all else [])]
        return _report(found, [word for word in typed if word != "--check"])
    write(files, output)
    print("\n".join([*_said(files, names, output), *([] if source == RECORDS else _of_no_row(runs, source))]))
    return ExitStatus.DONE


def _check_names(names: Sequence[str], *, options: Collection[str]) -> None:
    """Refuse options without their dashes; `options` are those that have a value.

    Raises:
        Problems: each of them.
    """
    words = (name.partition("=") for name in names if "=" in name)
    why, instead = "an option begins with two dashes, and the rest are names", f"{program(_SCRIPT)} --help"
    problems = [
        ConfigError(f"{key}={value}", why, f"--{key.replace('_', '-')} {value}" if key in options else instead)
        for key, _, value in words
    ]
    if problems:
        raise Problems(problems)


def _said(files: Files, names: Sequence[str], output: Path) -> list[str]:
    """What was asked for by name, and where everything is; of a page, the page, and how many files lie beside it."""
    if "page" in names:
        pages = [path for path in files if path.suffix == ".html" or path.name == "CLAIMS.md"]
        return [*(f"wrote {output / path}" for path in pages), f"and {len(files) - len(pages)} files below {output}"]
    shown = [text for path, text in files.items() if path.suffix == ".md" and isinstance(text, str)]
    return [*shown, *(f"wrote {output / path}" for path in files)]


def _output(source: str, asked: Path | None) -> Path:
    """The folder that is written to.

    Raises:
        ConfigError: none is named for the runs of a W&B project, which have no folder of their own.
    """
    if asked is None and source.startswith(PREFIX):
        why = "the runs of a project have no folder, and results/ is that of the records"
        raise ConfigError(f"--source {source}", why, f"--source {source} --output FOLDER")
    return asked or (RESULTS if source == RECORDS else Path(source))


def _of_no_row(runs: Runs, source: str) -> Iterator[str]:
    """A sentence on the runs that no table or figure of the paper shows, if there are any."""
    there = {(key_of_row(row), task_in_records(row["task"])) for row in rows(published())}
    n_others = sum((row["key"], row["task"]) not in there for row in rows(runs.frame))
    if n_others:
        what = f"{n_others} of {len(runs.frame)} runs are in no row of the paper's tables and figures"
        yield f"{what}; all of them: {program(_SCRIPT)} board --source {shlex.quote(source)}"


def _files(names: Sequence[str], runs: Runs) -> Files:
    wanted = {name: artefact(name, others=(*_WHOLE, *COMMANDS)) for name in names if name not in _WHOLE}
    if "page" in names:
        wanted = artefacts()
    figures = published()
    made = [made_by(name, make, runs, figures) for name, make in wanted.items()]
    files: Files = {}
    for one in made:
        files |= files_of(one, runs.scale)
    found, plan_told = _judged(runs, figures) if set(_WHOLE) & set(names) else ((), "")
    page = report_files(made, files, found, runs) if "page" in names else {}
    return files | (claims_files(found, runs.scale, fixed=plan_told) if "claims" in names else {}) | page


def _judged(runs: Runs, figures: pd.DataFrame) -> tuple[tuple[Verdict, ...], str]:
    """The verdicts, and a sentence on the plan they follow."""
    of_paper = claims(figures)
    plan = plan_for(runs.scale, of_paper)
    found = verdicts(of_paper, runs, figures, plan)
    names = {name for one in found for side in one.sides for name in side.run_ids}
    return found, fixed(plan, [row for row in rows(runs.frame) if row["run_id"] in names])


def _report(found: Sequence[str], writes: Sequence[str]) -> ExitStatus:
    if not found:
        return ExitStatus.DONE
    print("\n".join(found))
    print(f"these files are out of date; to write them: {shlex.join([*program(_SCRIPT).split(), *writes])}")
    return ExitStatus.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=program(_SCRIPT),
        description="The paper's tables, figures and claims, from the records of runs.",
        epilog=_EPILOG.replace(_SCRIPT, program(_SCRIPT)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="table1 to table6, table12, fig2, fig4, fig5, claims, page, or all (the default)",
    )
    parser.add_argument("--scale", choices=("mini", "paper"), default="mini", help="which runs (default: mini)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument(
        "--source",
        action=Once,
        default=RECORDS,
        help="records (the project's own, the default), a folder of them or of W&B's runs, or wandb:ENTITY/PROJECT",
    )
    parser.add_argument("--config-dir", action=Once, metavar="DIR", help="a folder of your own, as for train.py")
    parser.add_argument(
        "--output", type=path_argument, help="the folder of results (default: results, or the folder of --source)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
