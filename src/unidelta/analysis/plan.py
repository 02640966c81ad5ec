"""What the miniature's runs are to decide, fixed before them: results/plan.json (docs/protocol.md).

`python -m unidelta.analysis.plan --write` makes it from the paper's comparisons and the trials of the tuning sweep,
which are scored on dev alone. `python train.py … plan=results/plan.json` leaves the file's SHA-256 in a run's record.
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from unidelta.analysis.claims import ON_PAR, Claim, Tolerance, claims
from unidelta.analysis.difference import LEVEL, Test
from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.names import Scale, metric_in_records, task_in_records
from unidelta.analysis.paper_rows import is_of_row
from unidelta.analysis.published import published
from unidelta.analysis.tuning import TRIALS, curves, tuned_for
from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.errors import DataError
from unidelta.extensions.paths import PLAN

SHARES: Mapping[Tolerance, float] = {"none": 0.0, "on par": 0.01, "competitive": 0.015, "little": 0.03}
"""Tolerances on the miniature, as shares of full fine-tuning's score: competitive and little are the paper's points as
such shares, on par is twice them, as half a percent is less than the standard error of 20 seeds there."""
SEEDS = tuple(range(31, 51))
"""None of them was run before the plan: seeds 11 to 20 had been run with rates from one seed of trials each."""
LOOKS = (5, 10, 15, 20)
NOMINAL = 0.0182
"""The level of each of four looks at the data, for 5 % in all (Pocock 1977)."""
_FAMILIES = ("bart", "mbart", "roberta")
"""The paper's backbones; trials of others decide nothing here."""
_BEST_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "C5d": {
        "first": ("-", "pa_ffn@512", "lora_ffn@102"),
        "second": ("+", "prefix@200", "pa_attn@512", "lora_attn@200"),
    },
    "C13": {"second": ("+", "sa_ffn@512", "pa_ffn@512", "lora_ffn@102")},
}
"""Claims on “the best” (+) or “the worst” (-) of several designs: which it is here, the trials on dev say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How one comparison is judged.

    Args:
        first, second: the designs (see `paper_rows`).
        bound: in points.
        on_par: the difference that counts as none, in points.
        same_as: the earlier claim with the same designs, task, metric and bound; "" without one.
    """

    first: str
    second: str
    bound: float
    on_par: float
    same_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How claims are judged.

    Args:
        level: of the whole.
        nominal: the level at each look.
        looks: numbers of seeds at which verdicts may be reached; () looks once, at all runs there are.
        seeds: in the order in which they are run; () takes any.
        test: of two sides.
        judged: by claim.
        full: full fine-tuning's mean dev scores in the trials, by task and metric, which the bounds are shares of.
        sha256: of the file; "" if there is none.
    """

    level: float
    nominal: float
    looks: tuple[int, ...]
    seeds: tuple[int, ...]
    test: Test
    judged: Mapping[str, Judged]
    full: Mapping[str, Mapping[str, float]]
    sha256: str = ""

    def applied(self, claim: Claim) -> Claim:
        """The claim with the designs and the bound of this plan."""
        mine = self.judged[claim.name]
        first, second = replace(claim.first, key=mine.first), replace(claim.second, key=mine.second)
        return replace(claim, first=first, second=second, bound=mine.bound)


def plan_for(scale: Scale, found: Sequence[Claim], path: Path | None = None) -> Plan:
    """The plan of the runs of a scale: the file for the miniature; for the paper's scale its own margins and one look.

    Args:
        scale: of the runs.
        found: every claim.
        path: of the file; by default the one that is shipped.

    Raises:
        DataError: the file is missing or no plan of these claims.
    """
    if scale == "mini":
        return read_plan(path or PLAN, found)
    judged = _without_doubles(found, {claim.name: ON_PAR[claim.metric] for claim in found})
    return Plan(level=LEVEL, nominal=LEVEL, looks=(), seeds=(), test="Welch", judged=judged, full={})


def read_plan(path: Path, found: Sequence[Claim]) -> Plan:
    """The plan in a file.

    Raises:
        DataError: it is missing or no plan of these claims.
    """
    instead = "the file as it is in the repository, or python -m unidelta.analysis.plan --write"
    try:
        data = path.read_bytes()
        held: dict[str, Any] = json.loads(data)
        judged = {name: Judged(**one) for name, one in held.pop("claims").items()}
        for name in ("looks", "seeds"):
            held[name] = tuple(held[name])
        plan = Plan(**held, judged=judged, sha256=hashlib.sha256(data).hexdigest())
    except OSError as error:
        raise DataError(str(path), "there is no such file", instead) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(str(path), f"it is not a plan: {error}", instead) from error
    if missing := sorted({claim.name for claim in found} ^ plan.judged.keys()):
        raise DataError(str(path), f"it has other claims: {', '.join(missing)}", instead)
    return plan


def make_plan(found: Sequence[Claim], trials: Sequence[Row]) -> Plan:
    """The plan for the miniature from the trials on dev."""
    best = _best_trials(trials)
    full = {
        task_in_records(task): {
            name: round(_mean(best[task_in_records(task), "full_ft"], name), 2)
            for name in sorted({metric_in_records(one.metric, "mini") for one in found if one.task == task})
        }
        for task in dict.fromkeys(claim.task for claim in found)
    }
    mine: list[Claim] = []
    on_par: dict[str, float] = {}
    for claim in found:
        score = full[task_in_records(claim.task)][metric_in_records(claim.metric, "mini")]
        on_par[claim.name] = round(SHARES["on par"] * score, 3)
        sides = {
            side: replace(getattr(claim, side), key=_chosen(options, claim, best))
            for side, options in _BEST_OF.get(claim.name.split("-")[0], {}).items()
        }
        mine.append(replace(claim, **sides, bound=round(claim.sign * SHARES[claim.tolerance] * score, 3)))
    return Plan(
        level=LEVEL,
        nominal=NOMINAL,
        looks=LOOKS,
        seeds=SEEDS,
        test="Welch",
        judged=_without_doubles(mine, on_par),
        full=full,
    )


def _without_doubles(found: Sequence[Claim], on_par: Mapping[str, float]) -> dict[str, Judged]:
    earlier: dict[tuple[object, ...], str] = {}
    judged: dict[str, Judged] = {}
    for claim in found:
        what = (claim.first.key, claim.second.key, claim.task, claim.metric, claim.kind, claim.bound)
        same = earlier.setdefault(what, claim.name)
        judged[claim.name] = Judged(
            first=claim.first.key,
            second=claim.second.key,
            bound=claim.bound,
            on_par=on_par[claim.name],
            same_as="" if same == claim.name else same,
        )
    return judged


def _best_trials(trials: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """The trials with the best rate of each row that is needed here, in its largest size class, by task and name."""
    names = {key.partition("@")[0] for sides in _BEST_OF.values() for _, *keys in sides.values() for key in keys}
    of_rate = {tuned: curve.best for tuned, curve in curves(trials).items() if tuned.family in _FAMILIES}
    chosen = [
        row for row in trials if row["status"] == "complete" and row["learning_rate"] == of_rate.get(tuned_for(row))
    ]
    found: dict[tuple[str, str], list[Row]] = {}
    for name in sorted({"full_ft", *names}):
        of_size: dict[tuple[str, float], list[Row]] = {}
        for row in chosen:
            if is_of_row(json.loads(row["settings"])["design"], name, "", row["task"]):
                of_size.setdefault((row["task"], row["percent"]), []).append(row)
        for task, percent in sorted(of_size):
            found[task, name] = of_size[task, percent]
    return found


def _chosen(options: tuple[str, ...], claim: Claim, best: Mapping[tuple[str, str], list[Row]]) -> str:
    order, *keys = options
    pick = min if order == "-" else max
    return pick(keys, key=lambda key: _mean(best[task_in_records(claim.task), key.partition("@")[0]], "dev"))


def _mean(trials: Sequence[Row], name: str) -> float:
    return fmean(float(trial[name]) for trial in trials)


def fixed(plan: Plan, compared: Sequence[Row]) -> str:
    """A sentence: how many of the compared runs name this plan, or "" without a file or runs."""
    if not plan.sha256 or not compared:
        return ""
    n = sum(row["plan"] == plan.sha256 for row in compared)
    how_many = "all" if n == len(compared) else f"{n}"
    named = f"which {how_many} of the {len(compared)} runs compared here name"
    sentence = f"What is tested was fixed in {PLAN.name} ({plan.sha256[:12]}), {named}"
    return f"{sentence}." if n == len(compared) else f"{sentence}; the others were made without it or by another one."


def text_of(plan: Plan) -> str:
    """The file's text."""
    held = asdict(plan)
    del held["sha256"]
    held["claims"] = held.pop("judged")
    return json.dumps(held, indent=1) + "\n"


@as_command
def main() -> int:
    """The exit status: 0, 1 if the file differs, or 2 for an invalid request."""
    parser = Parser(prog="python -m unidelta.analysis.plan", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PLAN}")
    arguments = parser.parse_args()
    text = text_of(make_plan(claims(published()), rows(runs(TRIALS))))
    if arguments.write:
        PLAN.write_text(text, encoding="utf-8")
        return 0
    return int(not PLAN.is_file() or PLAN.read_text(encoding="utf-8") != text)


if __name__ == "__main__":
    sys.exit(main())
