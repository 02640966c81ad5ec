"""The tables of docs/later-methods.md, from committed records: `python -m unidelta.analysis.later --write`.

Without `--write` it checks that the page agrees with the records (status 1 if not).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from unidelta.analysis.adjust import holm
from unidelta.analysis.difference import LEVEL, Difference, above, difference
from unidelta.analysis.frame import Row, rows, runs, score_of
from unidelta.analysis.in_print import difference_text, p_text
from unidelta.analysis.miniature import cell
from unidelta.analysis.page import command, markdown
from unidelta.analysis.percent import percent_text
from unidelta.analysis.table import MISSING
from unidelta.errors import ExitStatus

PAGE = Path("docs/later-methods.md")
RESULTS = Path("results/mini/later")
BASELINE = "lora"
_SEEDS = 5
Place = tuple[str, str]
"""A method and its position."""


def tables(found: Sequence[Row]) -> dict[str, str]:
    """Every table, by its name in the page."""
    by_place: dict[Place, list[Row]] = {}
    for row in found:
        by_place.setdefault((row["method"], row["position"]), []).append(row)
    return {"methods": _methods(by_place), "places": _places(by_place)}


def _methods(by_place: Mapping[Place, list[Row]]) -> str:
    """Test scores, the best first, and each less LoRA at the same place."""
    compared = {
        place: _difference(by_place, place, (BASELINE, place[1]))
        for place in by_place
        if place[0] != BASELINE and (BASELINE, place[1]) in by_place
    }
    adjusted = _adjusted(compared)
    table = [["method", "position", "tuned %", "rate", "ROUGE-2", "less LoRA there", "p"]]
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
    """The FFN less attention, for every method that has both."""
    both = sorted({method for method, position in by_place if position == "ffn" and (method, "attn") in by_place})
    compared = {(method, "ffn"): _difference(by_place, (method, "ffn"), (method, "attn")) for method in both}
    adjusted = _adjusted(compared)
    table = [["method", "tuned %, attn", "tuned %, ffn", "attn", "ffn", "ffn less attn", "p"]]
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


def _difference(by_place: Mapping[Place, list[Row]], first: Place, second: Place) -> Difference:
    return difference(score_of(by_place[first]), score_of(by_place[second]), test="Welch")


def _adjusted(compared: Mapping[Place, Difference]) -> dict[Place, float]:
    """Holm's adjusted p-values of the differences that have one, two-sided."""
    tested = [place for place, found in compared.items() if found.error]
    return dict(zip(tested, holm([above(compared[place], 0.0).p for place in tested]), strict=True))


def _mean(found: Sequence[Row]) -> float:
    return mean([row["test"] for row in found if not math.isnan(row["test"])] or [0.0])


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.later`."""
    return command("unidelta.analysis.later", __doc__, PAGE, lambda: tables(rows(runs(RESULTS))), None)


if __name__ == "__main__":
    sys.exit(main())
