"""The tables of docs/prediction.md, from committed records: `python -m unidelta.analysis.prediction --write`.

Without `--write` it checks that the page agrees with the records (status 1 if not).
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

from unidelta.analysis.agreement import Accuracy, Interval, Ordered, accuracy, ordered
from unidelta.analysis.claims import GROUPS, claims
from unidelta.analysis.in_print import signed
from unidelta.analysis.names import METRICS, TASKS, Scale, n_digits, task_title
from unidelta.analysis.page import command, markdown
from unidelta.analysis.paper_pairs import Pair, of_claims, of_rows
from unidelta.analysis.published import published
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import RECORDS, read
from unidelta.analysis.table import MISSING
from unidelta.errors import ExitStatus

PAGE = Path("docs/prediction.md")
IMAGE = Path("docs/images/prediction.svg")
SEED = 1
"""Of the bootstrap."""
_CHANCE = 0.5
_CLAIMS, _ROWS = "comparisons of the paper's claims", "pairs of rows"
_CLEAR, _SIGNIFICANT = "margin beyond the paper's noise", "difference here significant"
PARTS: Mapping[str, Callable[[Ordered], bool]] = {
    "all": lambda one: True,
    _CLEAR: lambda one: one.is_clear_in_paper is True,
    "margin within the paper's noise": lambda one: one.is_clear_in_paper is False,
    "noise of the paper not known": lambda one: one.is_clear_in_paper is None,
    _SIGNIFICANT: lambda one: one.is_significant,
    "difference here not significant": lambda one: not one.is_significant,
    "both: beyond the paper's noise, and significant here": lambda one: (
        bool(one.is_clear_in_paper) and one.is_significant
    ),
}
"""The pairs that a reader asks about."""
_HEADS = ["right", "share", "95 %", "95 %, over designs", "the paper repeated", "the truth known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the runs of one scale say of the paper's pairs.

    Args:
        scale: of the runs.
        of_claims, of_rows: the pairs of both sets that have runs.
        missing_claims, missing_rows: those of which a side has none.
    """

    scale: Scale
    of_claims: Sequence[Ordered]
    of_rows: Sequence[Ordered]
    missing_claims: Sequence[Pair]
    missing_rows: Sequence[Pair]


def predicted(runs: Runs) -> Prediction:
    """What these runs say of every pair that the paper orders."""
    printed = published()
    claimed, missing_claims = ordered(of_claims(claims(printed), printed), runs)
    every, missing_rows = ordered(of_rows(printed), runs)
    return Prediction(
        scale=runs.scale,
        of_claims=claimed,
        of_rows=every,
        missing_claims=missing_claims,
        missing_rows=missing_rows,
    )


def tables(found: Prediction) -> dict[str, str]:
    """Every table, by its name in the page."""
    return {
        "in short": "\n".join((_in_short(_CLAIMS, found.of_claims), _in_short(_ROWS, found.of_rows))),
        "comparisons": _accuracies(found.of_claims, found.scale),
        "groups": _groups(found.of_claims, found.missing_claims),
        "pairs": _accuracies(found.of_rows, found.scale),
        "failures": _failures(found.of_claims, found.scale),
        "not run": "\n".join((_not_run(_CLAIMS, found.missing_claims), _not_run(_ROWS, found.missing_rows))),
    }


def images(found: Prediction) -> dict[Path, bytes]:
    """The figure of the page, by its path."""
    from unidelta.analysis.prediction_figure import drawn  # late: matplotlib, which no table needs

    return {IMAGE: drawn(found.of_claims, found.of_rows, found.scale).saved("svg")}


def _accuracies(found: Sequence[Ordered], scale: Scale) -> str:
    """A row for all pairs, for each part that has any, and for each task."""
    parts = {name: [one for one in found if rule(one)] for name, rule in PARTS.items()}
    parts |= {task_title(task, scale): [one for one in found if one.pair.task == task] for task in TASKS}
    table = [["pairs", *_HEADS]]
    table += [[name, *_cells(accuracy(mine, seed=SEED))] for name, mine in parts.items() if mine]
    return markdown(table)


def _cells(of: Accuracy) -> list[str]:
    ends = [_ends(of.interval), _ends(of.over_designs)]
    return [f"{of.right:g} of {of.n}", _percent(of.share), *ends, _percent(of.repeated), _percent(of.known)]


def _groups(found: Sequence[Ordered], missing: Sequence[Pair]) -> str:
    table = [["claim", "right", "share", "95 %", "the paper repeated", "not run"]]
    for group, words in GROUPS.items():
        mine = [one for one in found if one.pair.group == group]
        n_missing = sum(pair.group == group for pair in missing)
        if mine:
            of = accuracy(mine, seed=SEED)
            cells = [f"{of.right:g} of {of.n}", _percent(of.share), _ends(of.interval), _percent(of.repeated)]
        else:
            cells = [MISSING] * 4
        if mine or n_missing:
            table.append([f"{group}: {words}", *cells, str(n_missing)])
    return markdown(table)


def _in_short(what: str, found: Sequence[Ordered]) -> str:
    """One item of a list: how many pairs are right, against chance and what could be."""
    if not found:
        return f"* None of the {what} has runs."
    of = accuracy(found, seed=SEED)
    both = [interval for interval in (of.interval, of.over_designs) if interval is not None]
    if min(low for low, _ in both) > _CHANCE:
        verdict = "better than a coin"
    elif max(high for _, high in both) < _CHANCE:
        verdict = "worse than a coin"
    else:
        verdict = "not distinguishable from a coin's 50 %"
    item = f"* Of {of.n} {what}, {of.right:g} are ordered as in the paper: {_percent(of.share)}"
    item += f" ({_ends(of.interval)}; over designs {_ends(of.over_designs)}), {verdict}."
    if of.repeated is not None:
        item += f" Repeating the paper's own experiment would be expected to get {_percent(of.repeated)}."
    for name in (_CLEAR, _SIGNIFICANT):
        right = [one.right for one in found if PARTS[name](one)]
        if right:
            item += f" With the {name}: {sum(right):g} of {len(right)}, {_percent(fmean(right))}."
    return item


def _failures(found: Sequence[Ordered], scale: Scale) -> str:
    """The pairs that are not right, the clearest in the paper first."""
    wrong = [one for one in found if one.right < 1]
    if not wrong:
        return "None."
    table = [["claim", "the paper's order", "on", "margin there", "in standard errors", "difference here", ""]]
    for one in sorted(wrong, key=lambda one: -(one.paper_errors or 0.0)):
        pair = one.pair
        digits = n_digits(pair.metric)
        width = "" if one.half_width is None else f" ± {one.half_width:.{digits}f}"
        errors = MISSING if one.paper_errors is None else f"{one.paper_errors:.1f}"
        here = f"{signed(one.difference, digits)}{width}"
        verdict = "equal" if one.difference == 0 else "significant" if one.is_significant else "not significant"
        on = f"{task_title(pair.task, scale)} {METRICS[pair.metric]}"
        margin = signed(pair.margin, digits)
        table.append([pair.name, pair.words, on, margin, errors, here, verdict])
    return markdown(table)


def _not_run(what: str, missing: Sequence[Pair]) -> str:
    if not missing:
        return f"* All {what} have runs of both sides."
    if what == _CLAIMS:
        return f"* Of the {what} not run: {', '.join(pair.name for pair in missing)}."
    return f"* {len(missing)} {what} not run: {', '.join(dict.fromkeys(pair.name for pair in missing))}."


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.0f} %"


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return MISSING
    low, high = interval
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.prediction`."""
    found = cache(lambda: predicted(read(RECORDS, scale="mini")))
    return command("unidelta.analysis.prediction", __doc__, PAGE, lambda: tables(found()), lambda: images(found()))


if __name__ == "__main__":
    sys.exit(main())
