"""The command line of report.py."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from unidelta.analysis.files import Files, claims_files, differing, files_of, stale, write
from unidelta.analysis.published import published
from unidelta.analysis.registry import artefact, artefacts
from unidelta.analysis.source import RECORDS, read
from unidelta.errors import UserError
from unidelta.exit_status import ExitStatus

RESULTS = Path("results")
_EPILOG = """\
python report.py table3                          Table 3 from the miniature's records, shown and written
python report.py table6 --scale paper            what is published, and what to type for the rest
python report.py all                             every table, and the paper's claims in CLAIMS.md
python report.py all --check                     are the committed files what the records say?
python report.py table3 --source results/runs    from records of your own; written beside them
"""


def main(words: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python report.py WORDS`: failed for files that differ, refused for what cannot be met."""
    arguments = _parser().parse_args(words)
    output = arguments.output or (RESULTS if arguments.source == RECORDS else Path(arguments.source))
    is_all = "all" in arguments.names or not arguments.names
    try:
        names = [*artefacts(), "claims"] if is_all else list(dict.fromkeys(arguments.names))
        files = _files(names, arguments.source, arguments.scale)
        if arguments.check:
            return _report([*differing(files, output), *(stale(files, output, arguments.scale) if is_all else [])])
        write(files, output)
    except UserError as error:
        print(error, file=sys.stderr)
        return ExitStatus.REFUSED
    if not is_all:
        print("\n".join(text for path, text in files.items() if path.suffix == ".md" and isinstance(text, str)))
    print("\n".join(f"wrote {output / path}" for path in files))
    return ExitStatus.DONE


def _files(names: Sequence[str], source: str, scale: str) -> Files:
    wanted = [artefact(name) for name in names if name != "claims"]
    figures = published()
    runs = read(source, scale="paper" if scale == "paper" else "mini")
    files: Files = {}
    for one in wanted:
        files |= files_of(one.make(runs, figures), runs.scale)
    return files | (claims_files(runs, figures) if "claims" in names else {})


def _report(found: Sequence[str]) -> ExitStatus:
    if not found:
        return ExitStatus.DONE
    print("\n".join(found))
    print("these files are not what the records say: python report.py all, with the same options")
    return ExitStatus.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python report.py",
        description="The paper's tables and claims, from the records of runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="table1 to table6, table12, claims, or all (the default)"
    )
    parser.add_argument("--scale", choices=("mini", "paper"), default="mini", help="which runs (default: mini)")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the files are not what they would be"
    )
    parser.add_argument(
        "--source", default=RECORDS, help="records (the project's own, the default), or a folder of them"
    )
    parser.add_argument(
        "--output", type=Path, help="the folder of results (default: results, or the folder of --source)"
    )
    return parser
