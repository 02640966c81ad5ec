"""What would decide a claim that is undecided: about how many seeds, and what to type for them."""

from unidelta.analysis.commands import command
from unidelta.analysis.needed import seeds_needed, seeds_needed_within
from unidelta.analysis.plan import SEEDS
from unidelta.analysis.runs import Runs
from unidelta.analysis.tables import COPIED
from unidelta.analysis.verdicts import Verdict

AFFORDABLE = 50
"""Seeds of one claim; no command is offered for more."""


def needed(verdict: Verdict) -> int | None:
    """The seeds with which a difference like this decides the claim four times in five; None beyond 10,000.

    Tests are those of `difference`, before p-values are adjusted: a lower bound where a group has many claims. It is
    always more than were run, as these did not decide it.

    Raises:
        ValueError: its difference has no error.
    """
    found, claim = verdict.difference, verdict.claim
    if found.mean is None or found.error is None:
        raise ValueError("how many seeds a claim needs is known from a difference with an interval")
    distance = abs(found.mean)
    if claim.kind == "within" and distance < claim.bound:
        ways = [seeds_needed_within(distance, claim.bound, found.deviations)]
    elif claim.kind == "within":
        ways = [seeds_needed(claim.bound - distance, found.deviations)]
    else:
        ways = [seeds_needed(found.mean - claim.bound, found.deviations)]
        if claim.tolerance == "none" and distance < verdict.on_par:
            ways.append(seeds_needed_within(distance, verdict.on_par, found.deviations))
    least = min((n for n in ways if n is not None), default=None)
    return None if least is None else max(least, found.n + 1)


def commands_for(verdict: Verdict, n: int, runs: Runs) -> tuple[str, ...]:
    """What to type for the seeds that are missing to `n` of each side, a line for each design; () if that is too many.

    Args:
        verdict: the claim's.
        n: seeds that are wanted.
        runs: the runs there are.
    """
    if not verdict.difference.n < n <= AFFORDABLE:
        return ()
    there = {seed for score in verdict.sides for seed in score.seeds}
    planned = SEEDS if runs.scale == "mini" else ()
    fresh = (seed for seed in (*planned, *range(1, 10 * AFFORDABLE)) if seed not in there)
    wanted = tuple(seed for seed, _ in zip(fresh, range(n - verdict.difference.n), strict=False))
    keys = dict.fromkeys(side.key for side in verdict.designs if side.key != COPIED)
    return tuple(command(key, verdict.claim.task, runs, seeds=wanted) for key in keys)
