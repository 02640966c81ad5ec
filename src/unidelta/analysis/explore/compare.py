"""Two sides compared, task by task: paired where seeds pair, else by Welch's test."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from unidelta.analysis.difference import LEVEL, Difference, Test, above, difference, why_no_interval
from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.asked import given_names, given_table
from unidelta.analysis.explore.leaving_out import chosen, without_lost
from unidelta.analysis.explore.setting import GROUP, Group, Setting, check_shared, settings_of
from unidelta.analysis.in_print import p_text, signed
from unidelta.analysis.needed import needed_text, seeds_needed
from unidelta.analysis.score import Score
from unidelta.analysis.table import MISSING, Cell, Column, Table
from unidelta.errors import ConfigError

_AFTER = (
    *("first", "n_first", "second", "n_second", "difference", "ci95", "low", "high"),
    *("test", "n", "p", "n_needed", "decided"),
)
Key = tuple[Group, tuple[str, ...]]


def compare(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    task: str | None = None,
    metric: str | None = None,
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """First minus second, a row for each scale, task and metric that both have.

    Columns: `scale`, `task`, `metric`, those of `by`; the means `first` and `second` with `n_first` and `n_second`;
    `difference`, `ci95` (half its 95 % interval), `low` and `high`; `test` (`paired` by seed, where the side with fewer
    seeds has two or more, all of which the other side has, else `Welch`), `n` (pairs, or seeds of that side), `p`;
    `n_needed` (seeds for 80 % power, were mean and deviation what they are here); `decided` (`above`, `below` or "").
    `attrs["notes"]` says which runs are compared.

    Args:
        first: runs, as `unidelta.runs` returns them.
        second: those they are compared with.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.
        by: columns or settings that both sides have to agree in: a row for each. Of several settings of a side that
            agree in them, the best on dev is compared.

    Raises:
        ConfigError: there is no such task, score or setting, or nothing that both sides have.
    """
    first, second = given_table(first, "first"), given_table(second, "second")
    by = given_names(by, "by", '"position"')
    accounts = tuple(Accounts(n_runs=len(side)) for side in (first, second))
    sides: list[dict[Key, list[Setting]]] = []
    for frame, account in zip((first, second), accounts, strict=True):
        settings = without_lost(settings_of(frame, account, task=task, metric=metric), account)
        for name in by:
            check_shared(name, settings, f"by={name}")
        found: dict[Key, list[Setting]] = {}
        for one in settings:
            found.setdefault((one.group, tuple(str(one.value(name)) for name in by)), []).append(one)
        sides.append(found)
    lines = _lines(sides, accounts, by)
    notes = tuple(
        f"{name}: {line}" for name, one in zip(("first", "second"), accounts, strict=True) for line in one.sentences()
    )
    if not lines:
        raise ConfigError("compare two sides", " ".join(notes), "sides with runs of one task, metric and scale")
    differences = pd.DataFrame(lines, columns=[*GROUP, *by, *_AFTER])
    differences.attrs["notes"] = notes
    return differences


def _lines(
    sides: Sequence[Mapping[Key, list[Setting]]],
    accounts: Sequence[Accounts],
    by: Sequence[str],
) -> list[dict[str, object]]:
    for mine, theirs, account in zip(sides, reversed(sides), accounts, strict=True):
        for (group, values), settings in mine.items():
            if (group, values) not in theirs:
                detail = " ".join((*group, *values))
                account.leave_out("the other side has none like them", sum(s.score.n for s in settings), detail=detail)
    lines: list[dict[str, object]] = []
    for group, values in sorted(sides[0].keys() & sides[1].keys()):
        picked = [chosen(side[group, values], account) for side, account in zip(sides, accounts, strict=True)]
        one, other = picked
        if one is None or other is None:
            for setting, account in zip(picked, accounts, strict=True):
                account.leave_out("the other side cannot be chosen", setting.score.n if setting is not None else 0)
            continue
        runs, others = (set(zip(side.score.run_ids, side.score.values, strict=True)) for side in (one, other))
        if runs & others:
            for setting, account in zip((one, other), accounts, strict=True):
                account.leave_out("the other side has the same runs", setting.score.n, detail=one.runs[0]["method"])
            continue
        first, second = _paired(one.score, other.score)
        for score, setting, account in zip((first, second), (one, other), accounts, strict=True):
            account.leave_out("their seed is on one side only", setting.score.n - score.n)
        named = {**dict(zip(GROUP, group, strict=True)), **dict(zip(by, values, strict=True))}
        lines.append({**named, **_numbers(first, second, *contrast(first, second))})
    return lines


def _paired(first: Score, second: Score) -> tuple[Score, Score]:
    """The seeds that pair, if two or more do and all of a side; else everything."""
    shared = set(first.seeds) & set(second.seeds)
    if len(shared) < 2 or len(shared) < min(first.n, second.n):
        return first, second
    return first.of_seeds(shared), second.of_seeds(shared)


def contrast(first: Score, second: Score) -> tuple[Difference, str]:
    """First minus second, paired where all seeds pair, else by Welch's test; and which, "" where it has no error."""
    test: Test = "paired" if set(first.seeds) == set(second.seeds) else "Welch"
    found = difference(first, second, test=test)
    return found, "" if found.error is None else test


def _numbers(first: Score, second: Score, found: Difference, test: str) -> dict[str, object]:
    assert found.mean is not None  # a setting has a run
    width = math.nan if found.half_width is None else found.half_width
    p = above(found, 0).p if test else math.nan
    needed = seeds_needed(found.mean, found.deviations) if test else None
    return {
        "first": first.mean,
        "n_first": first.n,
        "second": second.mean,
        "n_second": second.n,
        "difference": found.mean,
        "ci95": width,
        "low": found.mean - width,
        "high": found.mean + width,
        "test": test,
        "n": found.n,
        "p": p,
        "n_needed": math.nan if needed is None else needed,
        "decided": ("above" if found.mean > 0 else "below") if p < LEVEL else "",
    }


def comparison_table(frame: pd.DataFrame) -> Table:
    """A comparison as a table to be rendered."""
    names = [str(column) for column in frame.columns if column not in _AFTER]
    heads = [*names, "first", "second", "difference", "n", "p", "needs n ≈", "first is"]
    rows: list[tuple[Cell, ...]] = []
    for line in frame.to_dict("records"):
        is_tested = line["test"] != ""
        width = f" ± {line['ci95']:.2f}" if is_tested else ""
        needed = needed_text(None if math.isnan(line["n_needed"]) else int(line["n_needed"])) if is_tested else MISSING
        said = line["decided"] or ("undecided" if is_tested else why_no_interval(line["n"]))
        rows.append(
            (
                *(Cell(text=str(line[name])) for name in names),
                Cell(text=f"{line['first']:.2f} (n={line['n_first']})", value=line["first"]),
                Cell(text=f"{line['second']:.2f} (n={line['n_second']})", value=line["second"]),
                Cell(text=f"{signed(line['difference'], 2)}{width}", value=line["difference"]),
                Cell(
                    text=f"{line['n']} {'pairs' if line['test'] == 'paired' else line['test']}".strip(), value=line["n"]
                ),
                Cell(text=p_text(line["p"] if is_tested else None)),
                Cell(text=needed),
                Cell(text=str(said)),
            )
        )
    kinds = {"first": "score", "second": "score", "difference": "difference"}
    return Table(
        name="compare",
        title="Comparison",
        caption="First minus second, ± half the 95 % interval; “needs n ≈”: seeds with which a difference like this is"
        " found four times in five.",
        columns=tuple(Column(title=head, kind=kinds.get(head, "text")) for head in heads),  # pyright: ignore[reportArgumentType]
        rows=tuple(rows),
        notes=tuple(frame.attrs.get("notes", ())),
    )
