"""The paper's comparisons as testable claims: what is compared, and with which bound.

`results/paper/claims.csv` lists the comparisons; the tables below give each claim's kind and margin.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from unidelta.analysis.frame import Row, rows
from unidelta.analysis.paper_rows import key_of_row
from unidelta.analysis.published import published as read
from unidelta.errors import DataError
from unidelta.extensions.paths import PUBLISHED

CLAIMS = PUBLISHED / "claims.csv"

Kind = Literal["above", "below", "within", "interaction", "copied"]
"""Where the mean of first minus second is if the claim holds: above or below a bound, within a margin around 0; for an
interaction, the difference of two such differences above 0; below 0 with a number that the paper copied as second."""

GROUPS = {
    "C1": "Existing methods lag full fine-tuning on generation (§4.2)",
    "C2": "With 0.5 % of the parameters they are competitive on classification (§4.2)",
    "C3": "They greatly outperform BitFit and prompt tuning (§4.1)",
    "C4": "Parallel insertion beats sequential (§4.3)",
    "C5": "The FFN is the better place than attention (§4.4)",
    "C6": "Longer prefixes bring nothing (§4.4)",
    "C7": "At a tiny budget multi-head attention methods are best (§4.4)",
    "C8": "Gating helps the prefix slightly (§4.4)",
    "C9": "Prefixes lose little by shrinking (§4.4)",
    "C10": "LoRA owes its advantage to scaling (§4.5)",
    "C11": "Scaling helps the parallel adapter (§4.5)",
    "C12": "A learned scale is not better than s = 4 (§4.5)",
    "C13": "The scaled parallel adapter is the best at the FFN (§4.5)",
    "C14": "MAM matches full fine-tuning on generation (§4.6)",
    "C15": "MAM and the full fine-tuning that others published (Table 6)",
    "C16": "MAM is the best parameter-efficient method (§4.6)",
    "C17": "Combinations improve over what they combine (§4.6)",
    "C18": "MAM is comparable with full fine-tuning on classification (Table 2)",
    "C19": "MAM is at least as good as the others on classification (Table 2)",
}

Tolerance = Literal["none", "on par", "competitive", "little"]
"""How large a difference counts as none."""
ON_PAR = {"R1": 0.3, "R2": 0.1, "RL": 0.2, "RLsum": 0.2, "BLEU": 0.2, "accuracy": 0.4}
"""Differences that count as none, in points: about half a percent of the paper's scores, its largest ± for accuracy."""
COMPETITIVE = 1.0
"""How far below full fine-tuning is still competitive, in points of accuracy; the paper calls a prefix so at 1.3."""
LITTLE = 1.0
"""What is at most a little loss, in points of BLEU: the paper calls 0.4 little, 1.9 not."""
_TOLERANCES: Mapping[str, tuple[Tolerance, int]] = {
    "C2": ("competitive", -1),
    "C6": ("on par", 1),
    "C9a": ("little", 1),
    "C10b": ("on par", 1),
    "C12": ("on par", 1),
    "C14": ("on par", 1),
    "C18": ("on par", 1),
    "C19": ("on par", -1),
}
"""By claim or by group: the tolerance, and whether it is added to 0 or subtracted; what is not here has none."""

_KINDS: Mapping[str, Kind] = {
    "C1": "below",
    "C6": "below",
    "C7e": "interaction",
    "C9a": "below",
    "C9b": "interaction",
    "C10b": "below",
    "C12": "below",
    "C14": "within",
    "C15": "copied",
    "C18": "within",
}
"""By claim or by group; what is not here is `above`."""

INTERACTIONS = {"C7e": ("C7a", "C7e"), "C9b": ("C9b", "C9a")}
"""Claims whose point is that one difference is larger than another."""

_SIDE = re.compile(r"([a-z_+]+)(?:@([0-9]+))?(?: \[([^\]]+)\])? \(([^)]+)\) = ([0-9.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison.

    Args:
        key: the design (see `paper_rows`).
        label: its label in the paper's table.
        value: the printed value.
        spread: the printed standard deviation; None for single runs.
        artefact: the table or figure.
    """

    key: str
    label: str
    value: float
    spread: float | None
    artefact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One comparison.

    Args:
        name: e.g. `C4a-xsum`.
        group: e.g. `C4`.
        hypothesis: what the paper says, in a line.
        task, metric: their names in `results/paper/`.
        first, second: the sides.
        kind: where first minus second is if the claim holds.
        tolerance: what the bound is; `sign` says on which side of 0 it is, and is 0 without one.
        bound: the bound or the margin of `kind`, in points.
        note: known errors or unclear points.
    """

    name: str
    group: str
    hypothesis: str
    task: str
    metric: str
    first: Side
    second: Side
    kind: Kind
    tolerance: Tolerance
    sign: int
    bound: float
    note: str


def claims(published: pd.DataFrame, path: Path = CLAIMS) -> tuple[Claim, ...]:
    """Every comparison, in file order.

    Args:
        published: the numbers in `results/paper/results.csv`.
        path: the comparisons.

    Raises:
        DataError: there is no such file, or a side of a comparison is not a published row.
    """
    of_paper = rows(published)
    return tuple(_claim(line, of_paper) for line in rows(read(path)))


def sides_of(claim: Claim, by_name: Mapping[str, Claim]) -> tuple[Side, ...]:
    """Its two sides; of an interaction those of the two claims whose differences it compares, on the same task."""
    stem, _, rest = claim.name.partition("-")
    if claim.kind != "interaction":
        return claim.first, claim.second
    compared = [by_name[f"{name}-{rest}" if rest else name] for name in INTERACTIONS[stem]]
    return tuple(side for one in compared for side in (one.first, one.second))


def margin_of(sides: Sequence[Side]) -> float:
    """First minus second, as printed; of an interaction the difference of its differences."""
    first, second, *other = (side.value for side in sides)
    margin = first - second - (other[0] - other[1] if other else 0.0)
    return round(margin, 9)  # the values are decimal: 0.3 − 0.1 is 0.2 here


def side_of_row(row: Mapping[str, str]) -> Side:
    """A published row as a side of a comparison."""
    return Side(
        key=key_of_row(row),
        label=row["label"],
        value=float(row["value"]),
        spread=float(row["std"]) if row["std"] else None,
        artefact=row["artefact"],
    )


def _claim(line: Mapping[str, str], of_paper: Sequence[Row]) -> Claim:
    name = line["id"]
    stem = name.split("-")[0]
    group = re.sub("[a-e]$", "", stem)
    kind = _KINDS.get(stem) or _KINDS.get(group, "above")
    tolerance, sign = _TOLERANCES.get(stem) or _TOLERANCES.get(group, ("none", 0))
    first, second = (_side(line[side], line, of_paper) for side in ("side_a", "side_b"))
    return Claim(
        name=name,
        group=group,
        hypothesis=line["hypothesis"],
        task=line["task"],
        metric=line["metric"],
        first=first,
        second=second,
        kind=kind,
        tolerance=tolerance,
        sign=sign,
        bound=sign * _points(tolerance, line["metric"], name),
        note=line["note"],
    )


def _points(tolerance: Tolerance, metric: str, name: str) -> float:
    """A tolerance on the paper's own data."""
    if name == "C2-mnli-prefix":
        return 1.3
    points = {"none": 0.0, "on par": ON_PAR[metric], "competitive": COMPETITIVE, "little": LITTLE}
    return points[tolerance]


def _side(words: str, line: Mapping[str, str], of_paper: Sequence[Row]) -> Side:
    """A side such as `lora_ffn [s=4] (Table 5) = 21.31`, found among the published rows."""
    found = _SIDE.fullmatch(words)
    if found is not None:
        method, size, variant, artefact, value = found.groups()
        mine = [
            row
            for row in of_paper
            if (row["artefact"], row["method"], row["task"], row["metric"])
            == (artefact, method, line["task"], line["metric"])
            and (size is None or row["bottleneck"] == size)
            and (variant is None or f"({variant})" in row["composition"])
        ]
        if len(mine) == 1 and float(mine[0]["value"]) == float(value):
            return side_of_row(mine[0])
    raise DataError(f"claim {line['id']}: {words}", "this matches no single published row", "a row of results/paper")
