"""Choose learning rates from the trials of the tuning sweep: for each task, method, design and size the best on dev.

Two rounds, as in successive halving: every rate with one seed, then the two best with more. The mean dev score of the
rates that have every seed decides; if means are equal, or nothing is generated on dev, the lowest mean dev loss. Test
scores are not used. `python -m unidelta.analysis.tuning` prints the means by rate, and what to run next: the second
round, or a rate beyond the edge that the best one lies on; `--write` writes conf/tuned/<scale> and a README.md beside
the trials.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.page import markdown
from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.design.closest import kind_of
from unidelta.design.design_json import design_from_dict
from unidelta.extensions.named_paths import path_argument
from unidelta.extensions.paths import CONF

TRIALS = Path("results/mini/tuning")
FOLDER = CONF / "tuned"
_HEAD = """\
# Score against learning rate

Dev scores (ROUGE-2, BLEU, accuracy) of the trials of the tuning sweep, a row for each design and size: at the chosen
rate (last column), and at others, as multiples of it. {seeds}
Written by `{command} --write` from the records beside it.
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Tuned:
    """What a learning rate is chosen for.

    Args:
        task, family, method: of the trials; the backbone's family.
        kind: what is tuned (`design.closest`).
        percent: its share of the backbone's parameters, two digits.
        prefix_init: the prefix initialisation; empty for methods without a prefix.
    """

    task: str
    family: str
    method: str
    kind: str
    percent: float
    prefix_init: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The trials of one `Tuned`: mean dev score and loss by learning rate.

    Args:
        seeds: of the trials, sorted.
        rates: every rate that was tried, in order.
        scores: by rate, over its complete runs, if it has one; NaN where nothing is generated.
        losses: likewise.
        complete: the rates with a complete run of every seed.
    """

    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    scores: dict[float, float]
    losses: dict[float, float]
    complete: tuple[float, ...]

    @property
    def best(self) -> float | None:
        """The chosen rate, the lowest of equal ones; None if no rate has a complete run of every seed."""
        return max(self.complete, key=self._merit, default=None)

    def second_round(self) -> tuple[float, ...]:
        """The two best rates, if all that were tried have the same seed and no more."""
        if len(self.seeds) > 1:
            return ()
        return tuple(sorted(sorted(self.complete, key=self._merit)[-2:]))

    def _merit(self, rate: float) -> tuple[float, float]:
        score, loss = self.scores[rate], self.losses[rate]
        return (0.0 if math.isnan(score) else score, -math.inf if math.isnan(loss) else -loss)

    def beyond(self) -> float | None:
        """The rate to try next, if the best one lies on an edge: twice the highest, or half the lowest."""
        if self.best is None:
            return None
        return {self.rates[-1]: 2 * self.rates[-1], self.rates[0]: self.rates[0] / 2}.get(self.best)


def curves(trials: Sequence[Row]) -> dict[Tuned, Curve]:
    """The trials by what they are for, in order."""
    found: dict[Tuned, list[Row]] = {}
    for row in trials:
        found.setdefault(tuned_for(row), []).append(row)
    return {tuned: _curve(found[tuned]) for tuned in sorted(found)}


def tuned_for(row: Row) -> Tuned:
    """What the learning rate of a trial would be chosen for."""
    settings = json.loads(row["settings"])
    return Tuned(
        task=row["task"],
        family=settings["backbone"]["architecture"]["config"]["model_type"],
        method=row["method"],
        kind=kind_of(design_from_dict(settings["design"])),
        percent=float(f"{row['percent'] or row['percent_trained']:.2g}"),
        prefix_init=row["prefix_init"],
    )


def _curve(trials: list[Row]) -> Curve:
    seeds, rates = (sorted({trial[name] for trial in trials}) for name in ("seed", "learning_rate"))
    scores: dict[float, float] = {}
    losses: dict[float, float] = {}
    complete: list[float] = []
    for rate in rates:
        mine = [trial for trial in trials if trial["learning_rate"] == rate and trial["status"] == "complete"]
        if mine:
            scores[rate] = fmean(trial["dev"] for trial in mine)
            losses[rate] = fmean(trial["dev_loss"] for trial in mine)
        if sorted(trial["seed"] for trial in mine) == seeds:
            complete.append(rate)
    return Curve(seeds=tuple(seeds), rates=tuple(rates), scores=scores, losses=losses, complete=tuple(complete))


def files(found: dict[Tuned, Curve]) -> dict[str, str]:
    """The YAML of each method and task, by its name `<task>_<method>`; begins with the paper's tuned sizes, if any."""
    of_file: dict[str, list[Tuned]] = {}
    for tuned, curve in found.items():
        if curve.best is not None:
            of_file.setdefault(f"{tuned.task}_{tuned.method}", []).append(tuned)
    return {name: _file(name, mine, found) for name, mine in of_file.items()}


def _file(name: str, mine: list[Tuned], found: dict[Tuned, Curve]) -> str:
    lines = [
        "# @package _global_",
        "# Chosen on dev (python -m unidelta.analysis.tuning), by backbone, design and percent.",
    ]
    published = CONF / "tuned" / "paper" / f"{name}.yaml"
    if published.is_file() and "\nmethod:" in published.read_text(encoding="utf-8"):  # not its training
        lines += ["defaults:", f"  - /tuned/paper/{name}"]
    if mine[0].prefix_init:
        lines += ["method:", f"  attn: {{init: {mine[0].prefix_init}}}"]
    lines += ["training:", "  learning_rate: null", "  tuned:"]
    for family in dict.fromkeys(tuned.family for tuned in mine):
        lines.append(f"    {family}:")
        for kind in dict.fromkeys(tuned.kind for tuned in mine if tuned.family == family):
            same = (tuned for tuned in mine if (tuned.family, tuned.kind) == (family, kind))
            lines.append(f"      {kind}: {{{', '.join(f'{one.percent!r}: {found[one].best!r}' for one in same)}}}")
    return "\n".join(lines) + "\n"


def curve_lines(found: dict[Tuned, Curve]) -> Iterator[str]:
    """A line for each curve: the mean by rate, the best one marked, and what to try next."""
    for tuned, curve in found.items():
        shown = {rate: curve.losses[rate] if math.isnan(score) else score for rate, score in curve.scores.items()}
        by_rate = "  ".join(
            f"{rate:g}: {shown[rate]:.4g}{'*' if rate == curve.best else ''}" if rate in shown else f"{rate:g}: –"
            for rate in curve.rates
        )
        beyond, second = curve.beyond(), ",".join(f"{rate:g}" for rate in curve.second_round())
        more = f"  with more seeds: training.learning_rate={second}" if second else ""
        if beyond is not None:
            more = f"  on an edge: training.learning_rate={beyond:g}"
        yield f"{tuned.task} {tuned.family} {tuned.method} ({tuned.kind}, {tuned.percent:g} %)  {by_rate}{more}"


def page(found: dict[Tuned, Curve], command: str) -> str:
    """Score against rate for every row, as a page beside the trials; `command` writes it."""
    steps = sorted({_relative(rate, curve) for curve in found.values() for rate in curve.rates})
    heads = ["task", "backbone", "method", "tuned", "tuned %", *(f"× {2.0**step:g}" for step in steps), "rate"]
    table = [heads]
    for tuned, curve in found.items():
        shown = {_relative(rate, curve): score for rate, score in curve.scores.items()}
        cells = ["" if step not in shown else f"{shown[step]:.1f}" for step in steps]
        if curve.best is not None:
            best = steps.index(_relative(curve.best, curve))
            cells[best] = f"**{cells[best]}**"
        rate = "–" if curve.best is None else f"{curve.best:g}"
        table.append([tuned.task, tuned.family, tuned.method, tuned.kind, f"{tuned.percent:g}", *cells, rate])
    return f"{_HEAD.format(seeds=_seeds(list(found.values())), command=command)}\n{markdown(table)}\n"


def _seeds(found: Sequence[Curve]) -> str:
    """Which seeds the trials have, in a sentence."""
    first, *others = sorted({seed for curve in found for seed in curve.seeds})
    if not others:
        return f"Every rate has one seed ({first})."
    listed = " and ".join(map(str, others))
    return (
        f"Every rate has one seed ({first}).\nThe two best have {len(others)} more ({listed}) and show the mean of all;"
        " the better one is chosen."
    )


def _relative(rate: float, curve: Curve) -> int:
    """A rate as a power of two of the best one."""
    return round(math.log2(rate / (curve.best or rate)))


@as_command
def main() -> int:
    """The exit status: 0, or 2 for an invalid request."""
    parser = Parser(prog="python -m unidelta.analysis.tuning", description=__doc__)
    parser.add_argument("--trials", type=path_argument, default=TRIALS)
    parser.add_argument("--write", action="store_true", help=f"write {FOLDER}/<scale> and the trials' README.md")
    arguments = parser.parse_args()
    trials = rows(runs(arguments.trials))
    found = curves(trials)
    print("mean dev score over the seeds, or dev loss where nothing is generated on dev; * is the best")
    print("\n".join(curve_lines(found)))
    if arguments.write:
        folder = FOLDER / trials[0]["scale"]
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files(found).items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        command = "python -m unidelta.analysis.tuning"
        command += "" if arguments.trials == TRIALS else f" --trials {arguments.trials}"
        (arguments.trials / "README.md").write_text(page(found, command), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
