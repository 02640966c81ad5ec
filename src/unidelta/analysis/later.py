"""The tables of docs/later-methods.md, from committed records: `python -m unidelta.analysis.later --write`.

Without `--write` it checks that the page agrees with the records (status 1 if not).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scipy import stats

from unidelta.analysis.adjust import holm
from unidelta.analysis.difference import LEVEL, Difference, above, difference_on_test
from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.in_print import difference_text, p_text, percent_text, signed
from unidelta.analysis.miniature import cell
from unidelta.analysis.page import command, markdown
from unidelta.analysis.score import score_in
from unidelta.analysis.table import MISSING
from unidelta.analysis.tuning import tuned_for
from unidelta.errors import ExitStatus

PAGE = Path("docs/later-methods.md")
RESULTS = Path("results/mini/later")
LARGE = Path("results/mini/later_large")
CROSSED = Path("results/mini/crossed")
_SEEDS = 5
_Key = TypeVar("_Key")
Place = tuple[str, str]
"""A method and its position."""
MAM: Place = ("mam", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedCell:
    """A cell of the design space that crosses published methods.

    Args:
        what: it is, in words.
        method, kind: of its runs (`design.closest`).
        parts: the methods that it is made of.
    """

    what: str
    method: str
    kind: str
    parts: tuple[Place, ...]


_PREFIX, _ADAPTER = ("prefix", "attn"), ("parallel_adapter", "ffn")
_VERA, _LOKR, _HIRA, _DORA, _OFT = ((name, "ffn") for name in ("vera", "lokr", "hira", "dora", "oft"))
CELLS = (
    CrossedCell(what="VeRA, as large as with DoRA's vectors", method="vera", kind="ffn additive", parts=(_VERA,)),
    CrossedCell(what="VeRA's maps, composed as HiRA's", method="vera", kind="ffn modulated 1", parts=(_VERA, _HIRA)),
    CrossedCell(
        what="VeRA's maps, composed as DoRA's", method="vera", kind="ffn magnitude_direction 1", parts=(_VERA, _DORA)
    ),
    CrossedCell(what="LoKr's maps, composed as HiRA's", method="lokr", kind="ffn modulated 1", parts=(_LOKR, _HIRA)),
    CrossedCell(
        what="LoKr's maps, composed as DoRA's", method="lokr", kind="ffn magnitude_direction 1", parts=(_LOKR, _DORA)
    ),
    CrossedCell(what="PA, scaled by 4", method="parallel_adapter", kind="ffn scaled 4", parts=(_ADAPTER,)),
    CrossedCell(what="PA, LLaMA-Adapter's gate", method="parallel_adapter", kind="ffn zero_gate", parts=(_ADAPTER,)),
    CrossedCell(what="PA, UniPELT's gate", method="parallel_adapter", kind="ffn input_gate", parts=(_ADAPTER,)),
    CrossedCell(
        what="MAM: prefix and scaled PA", method="mam", kind="attn gated + ffn scaled 4", parts=(_PREFIX, _ADAPTER)
    ),
    CrossedCell(what="prefix and VeRA", method="mam", kind="attn gated + ffn additive", parts=(_PREFIX, _VERA)),
    CrossedCell(what="prefix and OFT", method="mam", kind="attn gated + ffn rotated", parts=(_PREFIX, _OFT)),
)


def tables(found: Sequence[Row], large: Sequence[Row], crossed: Sequence[Row]) -> dict[str, str]:
    """Every table, by its name in the page.

    Args:
        found: the runs of the methods at half a percent.
        large: those at 6.7 %.
        crossed: those of the crossed cells.
    """
    small_by_place, large_by_place = _by_place(found), _by_place(large)
    lora_there = {place: ("lora", place[1]) for place in small_by_place if place[0] != "lora"}
    return {
        "methods": _methods(small_by_place, lora_there, "LoRA there"),
        "places": _places(small_by_place),
        "large": _methods(large_by_place, {place: MAM for place in large_by_place if place != MAM}, "MAM"),
        "large places": _places(large_by_place),
        "order": _order(small_by_place, large_by_place),
        "crossed": _crossed(small_by_place, crossed),
    }


def _by_place(found: Sequence[Row]) -> dict[Place, list[Row]]:
    by_place: dict[Place, list[Row]] = {}
    for row in found:
        by_place.setdefault((row["method"], row["position"]), []).append(row)
    return by_place


def _methods(by_place: Mapping[Place, list[Row]], opponents: Mapping[Place, Place], opponent: str) -> str:
    """Test scores, the best first, and each minus its opponent, where that was run."""
    compared = {
        place: difference_on_test(by_place[place], by_place[other])
        for place, other in opponents.items()
        if other in by_place
    }
    adjusted = _adjusted(compared)
    table = [["method", "position", "tuned %", "rate", "ROUGE-2", f"minus {opponent}", "p"]]
    for place in sorted(by_place, key=lambda place: -_mean(by_place[place])):
        mine, there = by_place[place], compared.get(place)
        table.append(
            [
                f"`{place[0]}`",
                place[1] if place[1] != "none" else MISSING,
                percent_text(mine[0]["percent"]),
                f"{mine[0]['learning_rate']:g}",
                cell(mine, usual=_SEEDS),
                MISSING if there is None else difference_text(there, 1),
                p_text(adjusted.get(place)),
            ]
        )
    return markdown(table)


def _places(by_place: Mapping[Place, list[Row]]) -> str:
    """The FFN minus attention, for every method that has both."""
    both = sorted({method for method, position in by_place if position == "ffn" and (method, "attn") in by_place})
    compared = {
        (method, "ffn"): difference_on_test(by_place[method, "ffn"], by_place[method, "attn"]) for method in both
    }
    adjusted = _adjusted(compared)
    table = [["method", "tuned %, attn", "tuned %, ffn", "attn", "ffn", "ffn − attn", "p"]]
    for place in sorted(compared, key=lambda place: -(compared[place].mean or 0.0)):
        sides = [by_place[place[0], position] for position in ("attn", "ffn")]
        table.append(
            [
                f"`{place[0]}`",
                *(percent_text(side[0]["percent"]) for side in sides),
                *(cell(side, usual=_SEEDS) for side in sides),
                difference_text(compared[place], 1),
                p_text(adjusted.get(place)),
            ]
        )
    n_above = sum((found.mean or 0.0) > 0 for found in compared.values())
    n_sure = sum((found.mean or 0.0) > 0 and adjusted.get(place, 1.0) <= LEVEL for place, found in compared.items())
    words = f"The FFN is the better place for {n_above} of {len(compared)} methods; for {n_sure} of them p ≤ {LEVEL}."
    return f"{markdown(table)}\n\n{words}"


def _order(small: Mapping[Place, list[Row]], large: Mapping[Place, list[Row]]) -> str:
    """How alike the orders of the rows are that both sizes have (Kendall's tau-b)."""
    both = [place for place in small if place in large]
    found = stats.kendalltau(*([_mean(size[place]) for place in both] for size in (small, large)))
    tau, p = float(found[0]), p_text(float(found[1]))  # pyright: ignore[reportArgumentType]
    return (
        f"Of the {len(both)} rows that both tables have, Kendall's τ is {signed(tau, 2)} "
        f"(p {p if p.startswith('<') else f'= {p}'})."
    )


def _crossed(by_place: Mapping[Place, list[Row]], crossed: Sequence[Row]) -> str:
    """Each crossed cell minus each method that it is made of, the best cell first."""
    of_kind: dict[tuple[str, str], list[Row]] = {}
    for row in crossed:
        of_kind.setdefault((row["method"], tuned_for(row).kind), []).append(row)
    mine = {one: of_kind[one.method, one.kind] for one in CELLS}
    compared = {(one, part): difference_on_test(mine[one], by_place[part]) for one in CELLS for part in one.parts}
    adjusted = _adjusted(compared)
    table = [["cell", "tuned %", "rate", "ROUGE-2", "minus", "difference", "p"]]
    for one in sorted(CELLS, key=lambda one: -_mean(mine[one])):
        head = [one.what, percent_text(mine[one][0]["percent"]), f"{mine[one][0]['learning_rate']:g}"]
        head.append(cell(mine[one], usual=_SEEDS))
        for part in one.parts:
            there = (one, part)
            table.append([*head, f"`{part[0]}`", difference_text(compared[there], 1), p_text(adjusted.get(there))])
            head = [""] * len(head)
    return markdown(table)


def _adjusted(compared: Mapping[_Key, Difference]) -> dict[_Key, float]:
    """Holm's adjusted p-values of the differences that have one, two-sided."""
    tested = [place for place, found in compared.items() if found.error is not None]
    return dict(zip(tested, holm([above(compared[place], 0.0).p for place in tested]), strict=True))


def _mean(found: Sequence[Row]) -> float:
    return score_in("test", found).mean or 0.0


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.later`."""
    folders = (RESULTS, LARGE, CROSSED)
    return command("unidelta.analysis.later", __doc__, PAGE, lambda: tables(*(rows(runs(one)) for one in folders)))


if __name__ == "__main__":
    sys.exit(main())
