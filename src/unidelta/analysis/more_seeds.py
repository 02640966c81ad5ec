"""What would decide a claim that is undecided: about how many seeds, and what to type for them."""

from unidelta.analysis.claims import sides_of
from unidelta.analysis.commands import command
from unidelta.analysis.difference import LEVEL, Difference
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
        ValueError: there are fewer than two runs of a side.
    """
    found = verdict.difference
    n = _needed(verdict)
    return None if n is None else max(n, found.n + 1)


def _needed(verdict: Verdict) -> int | None:
    found, bound = verdict.difference, verdict.claim.bound
    if found.mean is None or not found.deviations:
        raise ValueError("how many seeds a claim needs is known from two of each side or more")
    if verdict.claim.kind == "within":
        return _until_within(found, bound)
    least = seeds_needed(found.mean - bound, found.deviations)
    if verdict.claim.tolerance != "none" or abs(found.mean) >= verdict.on_par:
        return least
    equal = _until_within(found, verdict.on_par)
    return min((n for n in (least, equal) if n is not None), default=None)


def _until_within(found: Difference, margin: float) -> int | None:
    distance = abs(found.mean or 0.0)
    if distance < margin:
        return seeds_needed_within(distance, margin, found.deviations, level=LEVEL)
    return seeds_needed(margin - distance, found.deviations, level=LEVEL)


def commands_for(verdict: Verdict, n: int, every: tuple[Verdict, ...], runs: Runs) -> tuple[str, ...]:
    """What to type for the seeds that are missing to `n` of each side, a line for each design; () if that is too many.

    Args:
        verdict: the claim's.
        n: seeds that are wanted.
        every: the verdicts of all claims.
        runs: the runs there are.
    """
    if not verdict.difference.n < n <= AFFORDABLE:
        return ()
    there = {seed for score in verdict.sides for seed in score.seeds}
    planned = SEEDS if runs.scale == "mini" else ()
    fresh = (seed for seed in (*planned, *range(1, 10 * AFFORDABLE)) if seed not in there)
    wanted = tuple(seed for seed, _ in zip(fresh, range(n - verdict.difference.n), strict=False))
    found: dict[str, None] = {}
    for side in sides_of(verdict.claim, {one.claim.name: one.claim for one in every}):
        if side.key != COPIED:
            words = command(side.key, verdict.claim.task, scale=runs.scale, seeds=wanted, origin=runs.origin)
            found[words] = None
    return tuple(found)
