"""`unidelta tour`: two minutes from a design to a page with its runs, every command shown before it runs."""

import shlex
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.console.program import NAME, program
from unidelta.errors import ExitStatus

FOLDER = Path("results/tour")
_SHORT = "task=sst2 training.max_steps=60 training.eval_every=30 task.max_train_examples=640 task.max_eval_examples=100"
_QUIET = "training.progress=false tracking=none"


def steps(folder: str) -> Iterator[tuple[str, str]]:
    """What is said, and the command that follows.

    Args:
        folder: of the runs.
    """
    yield (
        "A method as data: the paper's best one, composed and counted, no weights read.",
        "train method=mam task=sst2 dry_run=true",
    )
    for method in ("mam", "lora", "bitfit"):
        yield (
            "A short run on the miniature (its score says that it works, not how good it is).",
            f"train method={method} {_SHORT} {_QUIET} results_dir={shlex.quote(folder)}",
        )
    yield "The three runs as a board.", f"report board --source {shlex.quote(folder)}"
    yield "The same as a figure, scores against tuned parameters.", f"report curve --source {shlex.quote(folder)}"
    yield "And as a page: figures, tables, claims and every run.", f"report page --source {shlex.quote(folder)}"


@as_command
def main() -> ExitStatus:
    """The exit status: failed if one of the commands fails."""
    parser = Parser(prog=program(f"python -m {NAME} tour"), description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"of the runs (default: {FOLDER})")
    parser.add_argument("--no-open", action="store_true", help="do not open the page in a browser")
    arguments = parser.parse_args()
    for i, (words, command) in enumerate(steps(str(arguments.folder)), start=1):
        print(f"\n[{i}] {words}\n$ {NAME} {command}", flush=True)
        done = subprocess.run([sys.executable, "-m", NAME, *shlex.split(command)])
        if done.returncode:
            print(f"stopped: that command ended with status {done.returncode}", file=sys.stderr)
            return ExitStatus.FAILED
    page = arguments.folder / "report" / "index.html"
    print(f"\nThe page: {page}\nNext: {NAME} train method=lora task=xsum, or README.md")
    if not arguments.no_open and sys.stdout.isatty():
        webbrowser.open(page.resolve().as_uri())
    return ExitStatus.DONE


if __name__ == "__main__":
    sys.exit(main())
