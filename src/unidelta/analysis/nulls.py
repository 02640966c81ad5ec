"""How often the verdicts are wrong where nothing differs: `python -m unidelta.analysis.nulls --write`.

Runs are simulated from the residuals of the committed ones (a score minus the mean over the seeds of its design), drawn
anew for every design and seed, and judged by the plan as the real ones are. Without `--write` it checks that
docs/protocol.md agrees (status 1 if not).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unidelta.analysis.claims import Claim, claims
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.page import command, markdown
from unidelta.analysis.plan import Plan, plan_for
from unidelta.analysis.published import published
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import RECORDS, read
from unidelta.analysis.verdicts import verdicts
from unidelta.errors import ExitStatus

PAGE = Path("docs/protocol.md")
REPETITIONS, SEED = 200, 0
_LEVEL_OF_SCORES = 50.0  # far from the ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Wrong verdicts in simulated runs.

    Args:
        any: the share of repetitions with one or more.
        worst_group: the largest such share of a single group.
        per_repetition: the mean number of them.
        n_claims: claims that can be wrong in this way.
    """

    any: float
    worst_group: float
    per_repetition: float
    n_claims: int


def residuals(runs: Runs, every: Sequence[Claim]) -> dict[str, NDArray[np.float64]]:
    """By task: a row for each complete run of a design with several, a column for each metric of the claims.

    Each is scaled by √(n / (n − 1)), as the mean of n runs takes its share of their variance.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for task, metrics in metrics_of(every, runs).items():
        parts: list[NDArray[np.float64]] = []
        for (_, of), mine in runs.by_side.items():
            done = [[row[metric] for metric in metrics] for row in mine if row["status"] == "complete"]
            if of == task and len(done) > 1:
                values = np.array(done, dtype=np.float64)
                parts.append((values - values.mean(axis=0)) * np.sqrt(len(done) / (len(done) - 1)))
        if parts:
            found[task] = np.concatenate(parts)
    return found


def metrics_of(every: Sequence[Claim], runs: Runs) -> dict[str, list[str]]:
    """The metrics of the claims on each task, by their names in records."""
    found: dict[str, dict[str, None]] = {}
    for claim in every:
        found.setdefault(task_in_records(claim.task), {})[metric_in_records(claim.metric, runs.scale)] = None
    return {task: list(metrics) for task, metrics in found.items()}


def errors(
    every: Sequence[Claim], runs: Runs, of_paper: pd.DataFrame, plan: Plan, *, is_apart: bool, seed: int
) -> Errors:
    """Wrong verdicts where no design is better than another, or where the first is better by exactly the margin.

    Args:
        every: the claims.
        runs: the real ones, for their residuals.
        of_paper: the published numbers.
        plan: how claims are judged.
        is_apart: by the margin; every claim then has designs of its own, and “practically equal” is wrong. Else
            designs are shared as they are, and a difference is wrong.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    pools, metrics = residuals(runs, every), metrics_of(every, runs)
    if is_apart:
        apart = {n: replace(one, first=f"{n} 1", second=f"{n} 2", same_as="") for n, one in plan.judged.items()}
        plan = replace(plan, judged=apart)
    mine = [plan.applied(claim) for claim in every]
    sides: dict[tuple[str, str], float] = {}
    for claim in mine:
        task, margin = task_in_records(claim.task), plan.judged[claim.name].on_par if is_apart else 0.0
        sides[claim.first.key, task], sides[claim.second.key, task] = _LEVEL_OF_SCORES + margin, _LEVEL_OF_SCORES
    own = [claim for claim in mine if task_in_records(claim.task) in pools and not plan.judged[claim.name].same_as]
    can_be = {claim.name for claim in own if _can_be_wrong(claim, is_apart)}
    wrong: list[list[str]] = []
    for _ in range(REPETITIONS):
        frame = pd.DataFrame(
            [
                row
                for (key, task), mean in sides.items()
                if task in pools
                for row in _runs(
                    key, task, mean, pools[task][draw.integers(len(pools[task]), size=len(plan.seeds))], metrics, plan
                )
            ]
        )
        judged = verdicts(every, Runs.of(frame, scale=runs.scale, origin=runs.origin), of_paper, plan)
        wrong.append(
            [
                v.claim.group
                for v in judged
                if v.claim.name in can_be and not v.same_as and _is_wrong(v.word, v.claim, is_apart)
            ]
        )
    groups = {claim.group for claim in mine}
    return Errors(
        any=sum(map(bool, wrong)) / len(wrong),
        worst_group=max(sum(group in found for found in wrong) for group in groups) / len(wrong),
        per_repetition=sum(map(len, wrong)) / len(wrong),
        n_claims=len(can_be),
    )


def _runs(
    key: str, task: str, mean: float, noise: NDArray[np.float64], metrics: Mapping[str, list[str]], plan: Plan
) -> list[dict[str, object]]:
    return [
        {"key": key, "task": task, "seed": seed, "status": "complete", "run_id": f"{key}-{seed}"}
        | dict(zip(metrics[task], mean + values, strict=True))
        for seed, values in zip(plan.seeds, noise, strict=True)
    ]


def _can_be_wrong(claim: Claim, is_apart: bool) -> bool:
    if claim.kind == "copied":
        return False
    return claim.tolerance == "none" and claim.kind != "interaction" if is_apart else True


def _is_wrong(word: str, claim: Claim, is_apart: bool) -> bool:
    """Whether a verdict is wrong; a claim with a tolerance holds where nothing differs."""
    if is_apart:
        return word == "practically equal"
    return word == "contradicted" or (word == "supported" and claim.tolerance == "none")


def tables(runs: Runs) -> dict[str, str]:
    """The table of docs/protocol.md."""
    of_paper = published()
    every = claims(of_paper)
    plan = plan_for("mini", every)
    table = [["simulated", "wrong verdict", "claims", "in any of them", "in the worst group", "number on average"]]
    for is_apart, what, word in (
        (False, "no design differs from another", "supported or contradicted"),
        (True, "the first is better by exactly the margin", "practically equal"),
    ):
        found = errors(every, runs, of_paper, plan, is_apart=is_apart, seed=SEED)
        shares = [f"{100 * share:.1f} %" for share in (found.any, found.worst_group)]
        table.append([what, word, str(found.n_claims), *shares, f"{found.per_repetition:.3f}"])
    return {"nulls": markdown(table)}


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.nulls`."""
    return command("unidelta.analysis.nulls", __doc__, PAGE, lambda: tables(read(RECORDS, scale="mini")))


if __name__ == "__main__":
    sys.exit(main())
