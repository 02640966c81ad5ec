"""The verdict on each of the paper's comparisons (docs/protocol.md)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from unidelta.analysis.adjust import holm, share_selected
from unidelta.analysis.claims import Claim, Side, margin_of, sides_of
from unidelta.analysis.commands import command, seeds
from unidelta.analysis.difference import (
    Difference,
    Outcome,
    above,
    below,
    difference,
    p_within,
    why_no_interval,
    within,
)
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.oracle import oracle
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
        sides: the scores that are compared, first and second; of an interaction those of both differences.
    """

    claim: Claim
    word: Word
    difference: Difference
    p: float | None
    on_par: float
    same_as: str
    why: str
    margin: float
    noise: float | None
    commands: tuple[str, ...]
    sides: tuple[Score, ...] = ()

    @property
    def is_margin_in_noise(self) -> bool:
        """Whether the paper's own margin is no larger than its noise."""
        return self.noise is not None and abs(self.margin) <= self.noise


def counted(found: Sequence[Verdict]) -> str:
    """`48 supported, 19 contradicted`: how many there are of each."""
    counts = Counter(verdict.word for verdict in found)
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """What a look at the data says of a claim."""

    word: Word
    difference: Difference
    p: float | None


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
    own = [claim for name, claim in mine.items() if not plan.judged[name].same_as]
    reached: dict[str, _Reached] = {}
    for look in plan.looks or (None,):
        _look(own, reached, mine, runs, plan, look)
    spreads = largest_spreads(published)
    return tuple(_verdict(claim.name, reached, of_paper, mine, runs, spreads, plan) for claim in claims)


def _look(
    own: Sequence[Claim],
    reached: dict[str, _Reached],
    mine: Mapping[str, Claim],
    runs: Runs,
    plan: Plan,
    look: int | None,
) -> None:
    """Test what has the runs for it and is not decided yet, and add to `reached` what is."""
    found: dict[str, Difference] = {}
    for claim in own:
        if claim.name in reached and reached[claim.name].word != "undecided":
            continue
        sides = _sides(claim, mine, runs, plan, look)
        if sides is None:
            continue
        found[claim.name] = difference(*sides, test=plan.test)
        if _is_at_ceiling(claim, sides, plan, runs):
            reached[claim.name] = _Reached(word="at ceiling", difference=found.pop(claim.name), p=None)
        elif found[claim.name].error is None:
            reached[claim.name] = _Reached(word="undecided", difference=found.pop(claim.name), p=None)
    tested = {name: _outcome(mine[name], found[name]) for name in found}
    equal = {
        name: p_within(found[name], plan.judged[name].on_par)
        for name in found
        if mine[name].tolerance == "none" and mine[name].kind != "copied"
    }
    decisive = _decided(own, {name: outcome.p for name, outcome in tested.items()}, plan)
    decisive_equal = _decided(own, equal, plan)
    for name, one in found.items():
        p, is_decided = decisive[name]
        word: Word = tested[name].favours if is_decided else "undecided"
        if name in decisive_equal and decisive_equal[name][1]:
            word, p = "practically equal", decisive_equal[name][0]
        reached[name] = _Reached(word=word, difference=one, p=p)


def _decided(own: Sequence[Claim], p_values: Mapping[str, float], plan: Plan) -> dict[str, tuple[float, bool]]:
    """The p-value of each claim, adjusted within its group, and whether it counts."""
    adjusted: dict[str, dict[str, float]] = {}
    for group in dict.fromkeys(claim.group for claim in own):
        names = [claim.name for claim in own if claim.group == group and claim.name in p_values]
        adjusted[group] = dict(zip(names, holm([p_values[name] for name in names]), strict=True))
    share = share_selected({group: tuple(found.values()) for group, found in adjusted.items()}, plan.nominal)
    return {name: (p, p <= plan.nominal * share) for found in adjusted.values() for name, p in found.items()}


def _sides(
    claim: Claim, mine: Mapping[str, Claim], runs: Runs, plan: Plan, look: int | None
) -> tuple[Score, ...] | None:
    """The scores that are compared at a look, those of an interaction too; None before every side was run so often."""
    sides = sides_of(claim, mine)
    scores = tuple(_score(side, claim, runs) for side in sides)
    if claim.kind == "copied":
        if runs.scale == "mini":
            return None
        scores = scores[0], Score(values=(claim.second.value,) * scores[0].n, seeds=scores[0].seeds)
    if look is None:
        return scores if all(score.n for score in scores) else None
    wanted = set(plan.seeds[:look])
    for side in sides:
        ended = {row["seed"] for row in runs.rows(side.key, task_in_records(claim.task))}
        if not wanted <= ended:
            return None
    return tuple(score.of_seeds(wanted) for score in scores)


def _is_at_ceiling(claim: Claim, sides: Sequence[Score], plan: Plan, runs: Runs) -> bool:
    """Whether every side is within the margin of what anybody can reach: then none could be better than another."""
    task, metric = task_in_records(claim.task), metric_in_records(claim.metric, runs.scale)
    best = oracle(task, metric, scale=runs.scale, source=runs.scale)
    margin = plan.judged[claim.name].on_par
    return best is not None and all(side.mean is not None and side.mean >= best - margin for side in sides)


def _outcome(claim: Claim, found: Difference) -> Outcome:
    match claim.kind:
        case "within":
            return within(found, claim.bound)
        case "below" | "copied":
            return below(found, claim.bound)
        case _:
            return above(found, claim.bound)


def _verdict(
    name: str,
    reached: Mapping[str, _Reached],
    of_paper: Mapping[str, Claim],
    mine: Mapping[str, Claim],
    runs: Runs,
    spreads: dict[tuple[str, str], float],
    plan: Plan,
) -> Verdict:
    claim, judged = mine[name], plan.judged[name]
    found = reached.get(judged.same_as or name)
    printed, sides = sides_of(of_paper[name], of_paper), sides_of(claim, mine)
    error = standard_error(printed, spreads.get((claim.task, claim.metric)))
    commands = _commands(claim, sides, runs)
    why = ""
    if claim.kind == "copied" and runs.scale == "mini":
        why, commands = "the printed number is of the paper's own data", ()
    elif found is not None and found.p is None and found.word == "undecided":
        why = why_no_interval(found.difference.n)
    elif found is None and not commands:
        first = plan.seeds[: plan.looks[0]]
        why = f"a verdict takes seeds {first[0]} to {first[-1]} of each side"
    return Verdict(
        claim=claim,
        word="not run" if found is None else found.word,
        difference=Difference(n=0) if found is None else found.difference,
        p=None if found is None else found.p,
        on_par=judged.on_par,
        same_as=judged.same_as,
        why=why,
        margin=margin_of(printed),
        noise=None if error is None else 2 * error,
        commands=commands,
        sides=tuple(_score(side, claim, runs) for side in sides),
    )


def _score(side: Side, claim: Claim, runs: Runs) -> Score:
    return runs.score(side.key, task_in_records(claim.task), metric_in_records(claim.metric, runs.scale))


def _commands(claim: Claim, sides: Sequence[Side], runs: Runs) -> tuple[str, ...]:
    """The commands for the sides without a complete run."""
    found: dict[str, None] = {}
    for side in sides:
        if side.key != COPIED and not _score(side, claim, runs).n:
            wanted = seeds(side.artefact, scale=runs.scale, has_spread=side.spread is not None)
            found[command(side.key, claim.task, scale=runs.scale, seeds=wanted, origin=runs.origin)] = None
    return tuple(found)
