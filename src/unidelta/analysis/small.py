"""The tables of docs/small.md, from committed records: `python -m unidelta.analysis.small --write`.

Without `--write` it checks that the page agrees with the records (status 1 if not).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from unidelta.analysis.agreement import clopper_pearson, zero_if_tied
from unidelta.analysis.difference import Difference, difference_on_test
from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.in_print import difference_text, percent_text, signed
from unidelta.analysis.miniature import cell
from unidelta.analysis.page import command, markdown
from unidelta.analysis.published import published
from unidelta.analysis.table import MISSING
from unidelta.errors import ExitStatus

PAGE = Path("docs/small.md")
SMALL = Path("results/small/main")
MINI = (Path("results/mini/paper"), Path("results/mini/main"))
_TASK, _TABLE = "sst2", "Table 2"
_SEEDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A row of the table.

    Args:
        label: in print.
        method, position: of its runs.
        percent: what it tunes, about; None for any share.
        printed: the method's name in `results/paper/results.csv`; "" if the paper has no such row.
    """

    label: str
    method: str
    position: str
    percent: float | None = None
    printed: str = ""

    def of(self, found: Sequence[Row]) -> list[Row]:
        """Its runs: those that tune between half and twice its share."""
        return [
            row
            for row in found
            if (row["task"], row["method"], row["position"]) == (_TASK, self.method, self.position)
            and (self.percent is None or abs(math.log2(row["percent"] / self.percent)) < 1)
        ]


COMPARED = (
    Compared(label="linear probe", method="frozen", position="none"),
    Compared(label="BitFit", method="bitfit", position="none", printed="bitfit"),
    Compared(label="prefix (attn)", method="prefix", position="attn", percent=0.5, printed="prefix"),
    Compared(label="LoRA (attn)", method="lora", position="attn", percent=0.5, printed="lora_attn"),
    Compared(label="Houlsby", method="adapter_houlsby", position="both", percent=0.5, printed="adapter_houlsby"),
    Compared(label="MAM", method="mam", position="both", percent=0.5, printed="mam"),
    Compared(label="MAM", method="mam", position="both", percent=6.7),
    Compared(label="full", method="full", position="none", printed="full_ft"),
)
_PROBE = COMPARED[0]  # in the miniature `frozen` trains nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPair:
    """The differences of two rows, first minus second."""

    first: Compared
    second: Compared
    small: Difference
    mini: Difference
    paper: float | None

    def signs(self) -> dict[str, int]:
        """The sign of each difference; 0 for equal means, and where a side is missing."""
        means = {"small": self.small.mean, "mini": self.mini.mean, "paper": self.paper}
        clear = {where: zero_if_tied(mean or 0.0) for where, mean in means.items()}
        return {where: (mean > 0) - (mean < 0) for where, mean in clear.items()}

    @property
    def is_sure(self) -> bool:
        """Whether the interval of the difference on MiniLM excludes 0."""
        half = self.small.half_width
        return half is not None and abs(self.small.mean or 0.0) > half


def tables() -> dict[str, str]:
    """Every table, by its name in the page."""
    here = rows(runs(SMALL))
    there = [row for folder in MINI for row in rows(runs(folder))]
    printed = {
        row["method"]: float(row["value"])
        for row in rows(published())
        if (row["artefact"], row["task"]) == (_TABLE, _TASK)
    }
    small = {one: one.of(here) for one in COMPARED}
    mini = {one: _of_mini(one, there) for one in COMPARED}
    paper = {one: printed[one.printed] for one in COMPARED if one.printed}
    pairs = [
        RowPair(
            first=first,
            second=second,
            small=difference_on_test(small[first], small[second]),
            mini=difference_on_test(mini[first], mini[second]),
            paper=paper[first] - paper[second] if first in paper and second in paper else None,
        )
        for first, second in combinations(COMPARED, 2)
    ]
    return {"methods": _methods(small, mini, paper), "agreement": _agreement(pairs), "pairs": _pairs(pairs)}


def _of_mini(one: Compared, mini: Sequence[Row]) -> list[Row]:
    """Its runs in the miniature, each seed once: those for the claims, and those of the main table."""
    found = [] if one is _PROBE else one.of(mini)
    same = [row for row in found if row["settings"] == found[0]["settings"]]
    return list({row["seed"]: row for row in same}.values())


def _methods(
    small: Mapping[Compared, list[Row]], mini: Mapping[Compared, list[Row]], paper: Mapping[Compared, float]
) -> str:
    table = [["method", "tuned %", "MiniLM, SST-2", "mini-SST-2", "the paper, RoBERTa-base"]]
    for one in COMPARED:
        here, there = small[one], mini[one]
        share = percent_text(here[0]["percent"]) if here else MISSING
        theirs = f"{cell(there, usual=len(there))} (n={len(there)})" if there else MISSING
        printed = f"{paper[one]:.1f}" if one in paper else MISSING
        table.append([one.label, share, cell(here, usual=_SEEDS), theirs, printed])
    return markdown(table)


def _agreement(pairs: Sequence[RowPair]) -> str:
    """Of how many pairs one scale has the order of another."""
    lines: list[str] = []
    for words, known, guessed in (
        ("the miniature orders as MiniLM does", "small", "mini"),
        ("MiniLM orders as the paper does", "paper", "small"),
        ("the miniature orders as the paper does", "paper", "mini"),
    ):
        right, n = _right(pairs, known, guessed)
        low, high = clopper_pearson(right, n)
        ends = f"{100 * low:.0f} to {100 * high:.0f} %"
        lines.append(f"* Of {n} pairs, {words} {right}: {100 * right / n:.0f} % ({ends}).")
    right, n = _right([pair for pair in pairs if pair.is_sure], "small", "mini")
    lines.append(
        f"* Of the {n} pairs whose difference on MiniLM is significant, the miniature orders {right} as MiniLM."
    )
    return "\n".join(lines)


def _right(pairs: Sequence[RowPair], known: str, guessed: str) -> tuple[int, int]:
    """How many pairs have the same sign at two scales, of those that have one at both."""
    signs = [pair.signs() for pair in pairs]
    both = [sign for sign in signs if sign[known] and sign[guessed]]
    return sum(sign[known] == sign[guessed] for sign in both), len(both)


def _pairs(pairs: Sequence[RowPair]) -> str:
    """Every difference, with its 95 % interval."""
    table = [["pair", "MiniLM, SST-2", "mini-SST-2", "the paper"]]
    for pair in pairs:
        printed = MISSING if pair.paper is None else signed(pair.paper, 1)
        found = (difference_text(side, 1) for side in (pair.small, pair.mini))
        table.append([f"{_name(pair.first)} − {_name(pair.second)}", *found, printed])
    return markdown(table)


def _name(one: Compared) -> str:
    return f"{one.label} {one.percent:g} %" if one.method == "mam" else one.label


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.small`."""
    return command("unidelta.analysis.small", __doc__, PAGE, tables)


if __name__ == "__main__":
    sys.exit(main())
