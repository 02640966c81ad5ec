"""Corpus BLEU with sacreBLEU's defaults: 13a tokens, case and diacritics kept (Post 2018)."""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics
from unidelta.tasks.metrics.ngrams import bleu_counts, bleu_of, bleu_signature, corpus_scorer

_TOKENS, _SMOOTHING = "13a", "exp"


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """BLEU's counts for every stripped prediction against one stripped reference."""
    return bleu_counts(_TOKENS, *([text.strip() for text in texts] for texts in (predictions, references)))


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """BLEU of a corpus, 0 to 100."""
    return {"bleu": bleu_of(sums, _SMOOTHING)}


def signature() -> str:
    """sacreBLEU's own."""
    return f"bleu: {bleu_signature(corpus_scorer(_TOKENS, _SMOOTHING))}"


BLEU = METRICS.register(
    Metric(
        name="bleu",
        fits="text",
        keys=("bleu",),
        headline="bleu",
        measure=measure,
        combine=combine,
        signature=signature,
    )
)
