"""`python -m unidelta.fidelity golden DIR` and `python -m unidelta.fidelity counts`; exit status 1 on any failure."""

import sys
from pathlib import Path

from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.extensions.named_paths import path_argument


@as_command
def main(arguments: list[str] | None = None) -> int:
    """Run one of the checks and print its table."""
    parser = Parser(prog=program("python -m unidelta.fidelity"), description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    golden = commands.add_parser("golden", help="compare with the authors' numbers for tiny models")
    golden.add_argument("folder", type=path_argument, metavar="DIR", help="folder of golden files, e.g. tests/golden")
    golden.add_argument("--fast", action="store_true", help="with optimisations on")
    commands.add_parser("counts", help="compare with the authors' parameter counts")
    asked = parser.parse_args(arguments)
    return _golden(asked.folder, fast=asked.fast) if asked.command == "golden" else _counts()


def _golden(folder: Path, *, fast: bool) -> int:
    import torch  # late: --help and `counts` work without it
    from transformers.utils import logging

    from unidelta.fidelity.golden import TOLERANCES, compare, golden_files

    torch.set_num_threads(1)
    logging.set_verbosity_error()
    quantities = list(TOLERANCES)
    print(f"{'golden file':28}" + "".join(f"{name:>15}" for name in quantities) + "  names, counts, generation")
    comparisons = []
    for path in golden_files(folder):
        comparison = compare(path, fast=fast)
        comparisons.append(comparison)
        if comparison.skipped is not None:
            print(f"{comparison.name:28}  {comparison.skipped}", flush=True)
            continue
        cells = [comparison.errors.get(name) for name in quantities]
        numbers = "".join(f"{'-' if cell is None else format(cell, '.1e'):>15}" for cell in cells)
        verdict = "" if comparison.passed else "FAILED: "
        words = "; ".join(comparison.wrong) or ("equal" if comparison.passed else "out of tolerance")
        print(f"{comparison.name:28}{numbers}  {verdict}{words}", flush=True)
    compared = [comparison for comparison in comparisons if comparison.skipped is None]
    print(f"{'tolerance':28}" + "".join(f"{TOLERANCES[name]:>15.0e}" for name in quantities))
    worst = (max((c.errors.get(name, 0.0) for c in compared), default=0.0) for name in quantities)
    print(f"{'worst':28}" + "".join(f"{value:>15.1e}" for value in worst))
    failed = sum(not comparison.passed for comparison in compared)
    print(f"{len(comparisons) - len(compared)} files that the authors' code cannot run")
    print(f"{len(compared) - failed} passed, {failed} failed")
    return 1 if failed or not compared else 0


def _counts() -> int:
    from unidelta.fidelity.counts import RULE, rows

    header = ("backbone", "row", "trained", "stored", "matrices", "rule", "printed", "")
    print(f"{header[0]:18}{header[1]:58}" + "".join(f"{name:>13}" for name in header[2:5]) + "   rule %  printed")
    failed = total = 0
    for row in rows():
        total += 1
        failed += not row.equal
        ours = (row.ours.trained, row.ours.stored, row.ours.matrices)
        verdict = "" if row.equal else f"  MISMATCH: the authors' {row.theirs}"
        print(
            f"{row.backbone:18}{row.name[:56]:58}"
            + "".join(f"{value:>13,}" for value in ours)
            + f"{row.ours.percent_published_rule:>9g}  {row.printed or '-'}{verdict}"
        )
    print(f"\ntrained: the authors' requires_grad less their unused copies.\n{RULE}\n")
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
