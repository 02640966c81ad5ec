"""The verdict on each of the paper's comparisons: supported, contradicted, inconclusive or not run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from unidelta.analysis.claims import INTERACTIONS, Claim, Side
from unidelta.analysis.commands import command, seeds
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.paired import LEVEL, Differences, Outcome, above, below, holm, of_differences, paired, within
from unidelta.analysis.published import rows
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import Score
from unidelta.analysis.tables import COPIED

Word = Literal["supported", "contradicted", "inconclusive", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a claim.

    Args:
        claim: the claim.
        word: the verdict.
        differences: first minus second by seed; for an interaction, differences of differences.
        p: the adjusted p-value; None without a test.
        why: for a claim that could not be tested, why.
        margin: the paper's own difference; for an interaction, the difference of its differences.
        noise: twice the standard error of the paper's margin; None if no spread is printed for this metric.
        commands: the commands for the missing runs.
        sides: the scores that are compared, first and second; of an interaction those of both differences.
    """

    claim: Claim
    word: Word
    differences: Differences
    p: float | None
    why: str
    margin: float
    noise: float | None
    commands: tuple[str, ...]
    sides: tuple[Score, ...] = ()

    @property
    def is_margin_in_noise(self) -> bool:
        """Whether the paper's own margin is no larger than its noise."""
        return self.noise is not None and abs(self.margin) <= self.noise


def verdicts(claims: Sequence[Claim], runs: Runs, published: pd.DataFrame) -> tuple[Verdict, ...]:
    """A verdict for every claim, in order; p-values are adjusted within each group.

    Args:
        claims: the comparisons.
        runs: of one scale.
        published: the numbers in `results/paper/results.csv`, for the paper's own noise.
    """
    by_name = {claim.name: claim for claim in claims}
    tested: dict[str, Outcome] = {}
    found = {claim.name: _differences(claim, by_name, runs) for claim in claims}
    for claim in claims:
        if found[claim.name].n >= 2:
            tested[claim.name] = _outcome(claim, found[claim.name])
    adjusted: dict[str, float] = {}
    for group in dict.fromkeys(claim.group for claim in claims):
        names = [claim.name for claim in claims if claim.group == group and claim.name in tested]
        adjusted |= dict(zip(names, holm([tested[name].p for name in names]), strict=True))
    spreads = _largest_spreads(published)
    return tuple(
        _verdict(claim, found[claim.name], tested.get(claim.name), adjusted.get(claim.name), by_name, runs, spreads)
        for claim in claims
    )


def _verdict(
    claim: Claim,
    differences: Differences,
    outcome: Outcome | None,
    p: float | None,
    by_name: dict[str, Claim],
    runs: Runs,
    spreads: dict[tuple[str, str], float],
) -> Verdict:
    pairs = pairs_of(claim, by_name)
    margin = pairs[0].margin - (pairs[1].margin if len(pairs) > 1 else 0.0)
    commands = _commands(pairs, runs)
    word: Word = "not run"
    why = ""
    if outcome is not None and p is not None:
        word = outcome.favours if p < LEVEL else "inconclusive"
    elif differences.n == 1:
        word, why = "inconclusive", "one pair of runs has no interval"
    elif claim.kind == "copied" and runs.scale == "mini":
        why, commands = "the printed number is of the paper's own data", ()
    elif not commands:
        why = "the two sides have no seed in common"
    return Verdict(
        claim=claim,
        word=word,
        differences=differences,
        p=p,
        why=why,
        margin=margin,
        noise=_noise([side for pair in pairs for side in (pair.first, pair.second)], claim, spreads),
        commands=commands,
        sides=tuple(_score(side, pair, runs) for pair in pairs for side in (pair.first, pair.second)),
    )


def _outcome(claim: Claim, differences: Differences) -> Outcome:
    match claim.kind:
        case "within":
            return within(differences, claim.bound)
        case "below" | "copied":
            return below(differences, claim.bound)
        case _:
            return above(differences, claim.bound)


def pairs_of(claim: Claim, by_name: dict[str, Claim]) -> list[Claim]:
    """The claim itself, or the two whose differences an interaction compares, on the same task."""
    stem, _, rest = claim.name.partition("-")
    if claim.kind != "interaction":
        return [claim]
    return [by_name[f"{name}-{rest}" if rest else name] for name in INTERACTIONS[stem]]


def _differences(claim: Claim, by_name: dict[str, Claim], runs: Runs) -> Differences:
    pairs = [_paired(pair, runs) for pair in pairs_of(claim, by_name)]
    return pairs[0] if len(pairs) == 1 else of_differences(*pairs)


def _paired(claim: Claim, runs: Runs) -> Differences:
    first = _score(claim.first, claim, runs)
    if claim.kind == "copied":
        same = () if runs.scale == "mini" else (claim.second.value,) * first.n
        return paired(first, Score(values=same, seeds=first.seeds[: len(same)]))
    return paired(first, _score(claim.second, claim, runs))


def _score(side: Side, claim: Claim, runs: Runs) -> Score:
    return runs.score(side.key, task_in_records(claim.task), metric_in_records(claim.metric, runs.scale))


def _commands(pairs: Sequence[Claim], runs: Runs) -> tuple[str, ...]:
    """The commands for the sides without a complete run."""
    found: dict[str, None] = {}
    for claim in pairs:
        for side in (claim.first, claim.second):
            if side.key != COPIED and not _score(side, claim, runs).n:
                wanted = seeds(side.artefact, scale=runs.scale, has_spread=side.spread is not None)
                found[command(side.key, claim.task, scale=runs.scale, seeds=wanted, origin=runs.origin)] = None
    return tuple(found)


def _largest_spreads(published: pd.DataFrame) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for row in rows(published):
        if row["std"]:
            at = (row["task"], row["metric"])
            found[at] = max(found.get(at, 0.0), float(row["std"]))
    return found


def _noise(sides: Sequence[Side], claim: Claim, spreads: dict[tuple[str, str], float]) -> float | None:
    """Twice the standard error of a margin of means.

    A mean of n seeds has variance s²/n with the printed s. For a single run, s is the largest that the paper prints for
    the task and metric.
    """
    largest = spreads.get((claim.task, claim.metric))
    if largest is None:
        return None
    n_seeds = {"Table 2": 5, "Table 6": 3}
    return 2 * math.sqrt(
        sum(
            largest**2 if side.spread is None else side.spread**2 / n_seeds[side.artefact]
            for side in sides
            if side.key != COPIED
        )
    )
