"""What would decide a claim that is inconclusive: about how many seeds, and what to type for them."""

from statistics import stdev

from unidelta.analysis.commands import command
from unidelta.analysis.needed import pairs_needed
from unidelta.analysis.paired import LEVEL
from unidelta.analysis.runs import Runs
from unidelta.analysis.tables import COPIED
from unidelta.analysis.verdicts import Verdict, pairs_of

AFFORDABLE = 50
"""Seeds of one claim; no command is offered for more."""


def needed(verdict: Verdict) -> int | None:
    """The pairs with which a difference like this decides the claim four times in five; None beyond 10,000.

    Tests are those of `paired`, before p-values are adjusted: a lower bound where a group has many claims.

    Raises:
        ValueError: there are fewer than two pairs.
    """
    differences, bound = verdict.differences, verdict.claim.bound
    if differences.mean is None or differences.n < 2:
        raise ValueError("how many pairs a claim needs is known from two pairs or more")
    deviation = stdev(differences.values)
    if verdict.claim.kind != "within":
        return pairs_needed(differences.mean - bound, deviation)
    inside = bound - abs(differences.mean)
    return pairs_needed(inside, deviation, level=2 * LEVEL if inside > 0 else LEVEL)  # one-sided where it is inside


def commands_for(verdict: Verdict, n: int, every: tuple[Verdict, ...], runs: Runs) -> tuple[str, ...]:
    """What to type for the seeds that are missing to `n` pairs, a line for each design; () if that is too many.

    Args:
        verdict: the claim's.
        n: pairs that are wanted.
        every: the verdicts of all claims.
        runs: the runs there are.
    """
    if not verdict.differences.n < n <= AFFORDABLE:
        return ()
    there = {seed for score in verdict.sides for seed in score.seeds}
    fresh = (seed for seed in range(1, 10 * AFFORDABLE) if seed not in there)
    wanted = tuple(seed for seed, _ in zip(fresh, range(n - verdict.differences.n), strict=False))
    found: dict[str, None] = {}
    for pair in pairs_of(verdict.claim, {one.claim.name: one.claim for one in every}):
        for side in (pair.first, pair.second):
            if side.key != COPIED:
                words = command(side.key, pair.task, scale=runs.scale, seeds=wanted, origin=runs.origin)
                found[words] = None
    return tuple(found)
