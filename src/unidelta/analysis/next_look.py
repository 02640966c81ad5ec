"""What to run next where the runs so far leave claims undecided (docs/protocol.md): the lines of a sweep file.

`python -m unidelta.analysis.next_look` prints them; none if no claim is undecided or all seeds are run.
"""

import sys
from collections.abc import Iterator, Sequence

from unidelta.analysis.claims import claims
from unidelta.analysis.commands import words
from unidelta.analysis.plan import Plan, plan_for
from unidelta.analysis.published import published
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import read
from unidelta.analysis.verdicts import Verdict, verdicts
from unidelta.console.command import as_command
from unidelta.console.parser import Parser


def lines(found: Sequence[Verdict], runs: Runs, plan: Plan) -> Iterator[str]:
    """A line for each design of an undecided claim that lacks seeds of the claim's next look.

    Args:
        found: the verdicts of all claims.
        runs: that they were reached on.
        plan: that they were reached by.
    """
    wanted: dict[tuple[str, str], list[int]] = {}
    for verdict in found:
        if verdict.word != "undecided" or verdict.same_as:
            continue
        designs = [(side.key, verdict.claim.task) for side in verdict.designs]
        for look in plan.looks:
            lacking = {design: _missing(design, look, runs, plan) for design in designs}
            if any(lacking.values()):
                wanted |= {
                    design: max(seeds, wanted.get(design, []), key=len) for design, seeds in lacking.items() if seeds
                }
                break
    for (key, task), seeds in sorted(wanted.items()):
        yield f"- {words(key, task, runs, seeds=tuple(seeds))}"


def _missing(design: tuple[str, str], look: int, runs: Runs, plan: Plan) -> list[int]:
    ended = {row["seed"] for row in runs.rows(*design)}
    return [seed for seed in plan.seeds[:look] if seed not in ended]


@as_command
def main() -> int:
    """The exit status: 0, or 2 for an invalid request."""
    Parser(prog="python -m unidelta.analysis.next_look", description=__doc__).parse_args()
    compared = claims(published())
    plan = plan_for("mini", compared)
    runs = read("records", scale="mini")
    found = verdicts(compared, runs, published(), plan)
    for line in lines(found, runs, plan):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
