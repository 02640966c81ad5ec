"""The verdict on each of the paper's comparisons (docs/protocol.md)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from unidelta.analysis.adjust import holm, share_selected
from unidelta.analysis.claims import Claim, Side, margin_of, sides_of
from unidelta.analysis.commands import command, seeds
from unidelta.analysis.difference import (
    Difference,
    TestResult,
    above,
    below,
    difference,
    p_within,
    why_no_interval,
    within,
)
from unidelta.analysis.plan import Plan
from unidelta.analysis.printed_noise import largest_spreads, standard_error
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import Score
from unidelta.analysis.tables import COPIED

Word = Literal["supported", "contradicted", "practically equal", "at ceiling", "undecided", "not run"]
WORDS: tuple[Word, ...] = ("supported", "contradicted", "practically equal", "at ceiling", "undecided", "not run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a claim.

    Args:
        claim: the claim, with the designs and the bound that it is judged by.
        word: the verdict.
        difference: first minus second; for an interaction, the difference of two differences.
        p: the adjusted p-value of the test that decided, or of the test against the bound; None without a test.
        on_par: the difference that counts as none, in points.
        same_as: the earlier claim that this one repeats; "" for one of its own.
        why: for a claim that could not be tested, why.
        margin: the paper's own difference; for an interaction, the difference of its differences.
        noise: twice the standard error of the paper's margin; None if no spread is printed for this metric.
        commands: the commands for the missing runs.
        designs: what is compared, first and second; of an interaction those of both differences.
        sides: the scores of the designs.
    """

    claim: Claim
    word: Word = "not run"
    difference: Difference
    p: float | None = None
    on_par: float
    same_as: str
    why: str = ""
    margin: float
    noise: float | None
    commands: tuple[str, ...]
    designs: tuple[Side, ...]
    sides: tuple[Score, ...]

    @property
    def is_margin_in_noise(self) -> bool:
        """Whether the paper's own margin is no larger than its noise."""
        return self.noise is not None and abs(self.margin) <= self.noise


def counted(found: Sequence[Verdict]) -> str:
    """`48 supported, 19 contradicted`: how many there are of each."""
    counts = Counter(verdict.word for verdict in found)
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])


def verdicts(claims: Sequence[Claim], runs: Runs, published: pd.DataFrame, plan: Plan) -> tuple[Verdict, ...]:
    """A verdict for every claim, in order.

    At each look at the data of the plan, p-values are adjusted within each group (Holm) and over the groups
    (`adjust.share_selected`); what is decided stays so.

    Args:
        claims: the comparisons.
        runs: of one scale.
        published: the numbers in `results/paper/results.csv`, for the paper's own noise.
        plan: how they are judged.
    """
    of_paper = {claim.name: claim for claim in claims}
    mine = {claim.name: plan.applied(claim) for claim in claims}
    largest = largest_spreads(published)
    found = {name: _not_run(name, of_paper, mine, runs, largest, plan) for name in mine}
    for look in plan.looks or (None,):
        found |= _reached([one for one in found.values() if not one.same_as], runs, plan, look)
    return tuple(_explained(one, found[one.same_as or name], runs, plan) for name, one in found.items())


def _not_run(
    name: str,
    of_paper: Mapping[str, Claim],
    mine: Mapping[str, Claim],
    runs: Runs,
    largest: Mapping[tuple[str, str], float],
    plan: Plan,
) -> Verdict:
    """The verdict on a claim before any look at the data."""
    claim, judged = mine[name], plan.judged[name]
    printed, designs = sides_of(of_paper[name], of_paper), sides_of(claim, mine)
    sides = tuple(runs.score(side.key, claim.task, claim.metric) for side in designs)
    error = standard_error(printed, largest.get((claim.task, claim.metric)))
    return Verdict(
        claim=claim,
        difference=Difference(n=0),
        on_par=judged.on_par,
        same_as=judged.same_as,
        margin=margin_of(printed),
        noise=None if error is None else 2 * error,
        commands=_commands(claim, designs, sides, runs),
        designs=designs,
        sides=sides,
    )


def _reached(own: Sequence[Verdict], runs: Runs, plan: Plan, look: int | None) -> dict[str, Verdict]:
    """The verdicts that a look at the data gives, of those not decided yet on what has the runs for it."""
    reached: dict[str, Verdict] = {}
    tested: dict[str, Verdict] = {}
    for one in own:
        sides = _sides(one, runs, plan, look) if one.word in ("not run", "undecided") else None
        if sides is None:
            continue
        name = one.claim.name
        seen = replace(one, word="undecided", difference=difference(*sides, test=plan.test), p=None)
        if _is_at_ceiling(one, sides, runs):
            reached[name] = replace(seen, word="at ceiling")
        elif seen.difference.error is None:
            reached[name] = seen
        else:
            tested[name] = seen
    outcomes = {name: _outcome(one) for name, one in tested.items()}
    equal = {
        name: p_within(one.difference, one.on_par)
        for name, one in tested.items()
        if one.claim.tolerance == "none" and one.claim.kind != "copied"
    }
    decisive = _decided({name: outcome.p for name, outcome in outcomes.items()}, tested, plan)
    decisive_equal = _decided(equal, tested, plan)
    for name, one in tested.items():
        p, is_decided = decisive[name]
        word: Word = outcomes[name].favours if is_decided else "undecided"
        if name in decisive_equal and decisive_equal[name][1]:
            word, p = "practically equal", decisive_equal[name][0]
        reached[name] = replace(one, word=word, p=p)
    return reached


def _decided(p_values: Mapping[str, float], tested: Mapping[str, Verdict], plan: Plan) -> dict[str, tuple[float, bool]]:
    """The p-value of each claim, adjusted within its group, and whether it counts."""
    groups: dict[str, list[str]] = {}
    for name in p_values:
        groups.setdefault(tested[name].claim.group, []).append(name)
    adjusted = {
        group: dict(zip(names, holm([p_values[name] for name in names]), strict=True))
        for group, names in groups.items()
    }
    share = share_selected({group: tuple(found.values()) for group, found in adjusted.items()}, plan.nominal)
    return {name: (p, p <= plan.nominal * share) for found in adjusted.values() for name, p in found.items()}


def _sides(one: Verdict, runs: Runs, plan: Plan, look: int | None) -> tuple[Score, ...] | None:
    """The scores that are compared at a look, those of an interaction too; None before every side was run so often."""
    claim, scores = one.claim, one.sides
    if claim.kind == "copied":
        if runs.scale == "mini":
            return None
        scores = scores[0], Score(values=(claim.second.value,) * scores[0].n, seeds=scores[0].seeds)
    if look is None:
        return scores if all(score.n for score in scores) else None
    wanted = set(plan.seeds[:look])
    if any(not wanted <= {row["seed"] for row in runs.rows(side.key, claim.task)} for side in one.designs):
        return None
    return tuple(score.of_seeds(wanted) for score in scores)


def _is_at_ceiling(one: Verdict, sides: Sequence[Score], runs: Runs) -> bool:
    """Whether every side is within the margin of what anybody can reach: then none could be better than another."""
    best = runs.oracle(one.claim.task, one.claim.metric)
    return best is not None and all(side.mean is not None and side.mean >= best - one.on_par for side in sides)


def _outcome(one: Verdict) -> TestResult:
    match one.claim.kind:
        case "within":
            return within(one.difference, one.claim.bound)
        case "below" | "copied":
            return below(one.difference, one.claim.bound)
        case _:
            return above(one.difference, one.claim.bound)


def _explained(one: Verdict, found: Verdict, runs: Runs, plan: Plan) -> Verdict:
    """The verdict on a claim from what was found on it, or on the earlier one that it repeats."""
    why, commands = "", one.commands
    if one.claim.kind == "copied" and runs.scale == "mini":
        why, commands = "the printed number is of the paper's own data", ()
    elif found.word == "undecided" and found.p is None:
        why = why_no_interval(found.difference.n)
    elif found.word == "not run" and not commands:
        first = plan.seeds[: plan.looks[0]]
        why = f"a verdict takes seeds {first[0]} to {first[-1]} of each side"
    return replace(one, word=found.word, difference=found.difference, p=found.p, why=why, commands=commands)


def _commands(claim: Claim, designs: Sequence[Side], sides: Sequence[Score], runs: Runs) -> tuple[str, ...]:
    """The commands for the sides without a complete run."""
    found: dict[str, None] = {}
    for side, score in zip(designs, sides, strict=True):
        if side.key != COPIED and not score.n:
            wanted = seeds(side.artefact, scale=runs.scale, has_spread=side.spread is not None)
            found[command(side.key, claim.task, runs, seeds=wanted)] = None
    return tuple(found)
