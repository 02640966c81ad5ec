"""The pairs of designs that the paper's numbers order: those of its claims, or of the rows of any table or figure.

Each has the margin and, from the printed standard deviations, its standard error (docs/statistics.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from unidelta.analysis.claims import Claim, Side, margin_of, side_of_row, sides_of
from unidelta.analysis.frame import rows
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.printed_noise import largest_spreads, standard_error
from unidelta.analysis.published import IN_SCRIPT
from unidelta.analysis.tables import COPIED

_UNORDERED = ("within", "copied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two designs, or of an interaction two differences of designs, of which the paper prints a larger and a smaller.

    Args:
        name: the claim, or the table or figure.
        group: of claims, e.g. `C4`; the table or figure.
        task, metric: their names in `results/paper/`.
        sides: the larger and the smaller; of an interaction the larger difference, then the smaller, each as its first
            side and its second.
        error: the standard error of the margin; None if the paper prints no standard deviation for the metric.
    """

    name: str
    group: str
    task: str
    metric: str
    sides: tuple[Side, ...]
    error: float | None

    @property
    def margin(self) -> float:
        """By how much the paper prints the larger above the smaller: more than 0, in points."""
        return margin_of(self.sides)

    @property
    def designs(self) -> frozenset[str]:
        """The keys of what is compared (see `paper_rows`)."""
        return frozenset(side.key for side in self.sides)

    @property
    def words(self) -> str:
        """The order, e.g. `MAM 30;512 > PA (ffn) 1024`."""
        names = [_named(side.key) for side in self.sides]
        half = len(names) // 2
        return " > ".join(" − ".join(part) for part in (names[:half], names[half:]))


def of_claims(claims: Sequence[Claim], published: pd.DataFrame) -> tuple[Pair, ...]:
    """The distinct pairs that the claims order, in order; one that several claims share is of the first.

    Left out are claims that two sides are on a par, comparisons with numbers that the paper copied, and sides that are
    printed alike.

    Args:
        claims: every comparison.
        published: the numbers in `results/paper/results.csv`, for their noise.
    """
    by_name = {claim.name: claim for claim in claims}
    largest = largest_spreads(published)
    found: list[Pair] = []
    for claim in claims:
        if claim.kind in _UNORDERED:
            continue
        at = (claim.task, claim.metric)
        found += _ordered(claim.name, claim.group, at, sides_of(claim, by_name), largest.get(at))
    return _distinct(found)


def of_rows(published: pd.DataFrame) -> tuple[Pair, ...]:
    """Every two rows of a table or figure with different scores in a metric; two designs once, as first printed.

    Args:
        published: the numbers in `results/paper/results.csv`.
    """
    largest = largest_spreads(published)
    groups: dict[tuple[str, str, str], list[Side]] = {}
    for row in rows(published):
        if row["provenance"] != IN_SCRIPT and row["method"] != COPIED:
            groups.setdefault((row["artefact"], row["task"], row["metric"]), []).append(side_of_row(row))
    found: list[Pair] = []
    for (artefact, task, metric), sides in groups.items():
        for first, second in combinations(sides, 2):
            at = (task, metric)
            found += _ordered(artefact, artefact, at, [first, second], largest.get(at))
    return _distinct(found)


def _ordered(name: str, group: str, at: tuple[str, str], sides: Sequence[Side], largest: float | None) -> list[Pair]:
    """The pair, turned so that its margin is above 0; none if both are printed alike."""
    margin, half = margin_of(sides), len(sides) // 2
    if margin == 0:
        return []
    turned = tuple(sides if margin > 0 else [*sides[half:], *sides[:half]])
    return [Pair(name=name, group=group, task=at[0], metric=at[1], sides=turned, error=standard_error(sides, largest))]


def _distinct(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    found: dict[tuple[str, str, frozenset[str]], Pair] = {}
    for pair in pairs:
        found.setdefault((pair.task, pair.metric, pair.designs), pair)
    return tuple(found.values())


def _named(key: str) -> str:
    """`PA (ffn) 512` for `pa_ffn@512`, `LoRA (ffn) 102, s=1` for `lora_ffn@102[s=1]`."""
    design, _, variant = key.removesuffix("]").partition("[")
    method, _, size = design.partition("@")
    return f"{ROWS[method].label}{' ' * bool(size)}{size}{', ' * bool(variant)}{variant}"
