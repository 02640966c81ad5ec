"""Corpus BLEU of Romanian as in the paper's tables: normalised, without diacritics, Moses tokens, no smoothing.

It is the authors' pipeline (`romanian.py`). On real Romanian it is about ten points above `bleu`
(huggingface/transformers#5263), so a table must show only one of the two; the signature distinguishes them.
"""

from collections.abc import Sequence
from importlib.metadata import version

from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics
from unidelta.tasks.metrics.ngrams import bleu_counts, bleu_of, bleu_signature, corpus_scorer
from unidelta.tasks.metrics.romanian import moses_tokens

_TOKENS, _SMOOTHING = "none", "none"


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """BLEU's counts for every prediction against one reference, in the authors' tokens."""
    return bleu_counts(
        _TOKENS, *([moses_tokens(text.strip()) for text in texts] for texts in (predictions, references))
    )


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """BLEU of a corpus, 0 to 100."""
    return {"bleu_romanian": bleu_of(sums, _SMOOTHING)}


def signature() -> str:
    """sacreBLEU's signature, and what makes the tokens."""
    own = bleu_signature(corpus_scorer(_TOKENS, _SMOOTHING))
    return f"bleu_romanian: {own}|text:moses-ro-no-diacritics|sacremoses:{version('sacremoses')}"


BLEU_ROMANIAN = METRICS.register(
    Metric(
        name="bleu_romanian",
        fits="text",
        keys=("bleu_romanian",),
        headline="bleu_romanian",
        measure=measure,
        combine=combine,
        signature=signature,
    )
)
