"""chrF2 of a corpus with sacreBLEU's defaults (Popović 2016): F-score of character n-grams, recall weighted double.

sacreBLEU returns a score without its counts. The score of resampled examples needs their sums, so they are counted
here with sacreBLEU's own n-grams. A test compares the two.
"""

from collections.abc import Sequence
from importlib.metadata import version

from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics

_ORDER, _BETA = 6, 2


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """For n-grams of 1 to 6 characters without white space: how many each text has, and how many match.

    A prediction's n-grams do not count if its reference is too short to have any of that order.
    """
    from sacrebleu.metrics.helpers import extract_all_char_ngrams  # late: planning needs no scorer

    rows: list[Statistics] = []
    for predicted, right in zip(predictions, references, strict=True):
        row: list[int] = []
        pairs = zip(*(extract_all_char_ngrams(text, _ORDER) for text in (predicted, right)), strict=True)
        for mine, theirs in pairs:
            row += (mine.total() if theirs else 0, theirs.total(), (mine & theirs).total())
        rows.append(tuple(row))
    return rows


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """F2 × 100 of mean precision and mean recall over the orders that prediction and reference both have."""
    orders = zip(sums[0::3], sums[1::3], sums[2::3], strict=True)
    pairs = [(both / mine, both / theirs) for mine, theirs, both in orders if mine and theirs]
    precision, recall = (sum(side) / len(pairs) for side in zip(*pairs, strict=True)) if pairs else (0.0, 0.0)
    if not precision + recall:
        return {"chrf": 0.0}
    return {"chrf": 100 * (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)}


def signature() -> str:
    """Settings and version, in sacreBLEU's format."""
    return f"chrf: nrefs:1|case:mixed|eff:yes|nc:{_ORDER}|nw:0|space:no|version:{version('sacrebleu')}"


CHRF = METRICS.register(
    Metric(
        name="chrf",
        fits="text",
        keys=("chrf",),
        headline="chrf",
        measure=measure,
        combine=combine,
        signature=signature,
        scores_examples=True,
    )
)
