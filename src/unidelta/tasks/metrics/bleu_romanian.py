"""Corpus BLEU of Romanian as in the paper's tables: normalised, without diacritics, Moses tokens, no smoothing.

It is the authors' pipeline (`romanian.py`). On real Romanian it is about ten points above `bleu`
(huggingface/transformers#5263), so a table must show only one of the two; the signature distinguishes them.
"""

from importlib.metadata import version

from unidelta.tasks.metrics.corpus_bleu import bleu_metric
from unidelta.tasks.metrics.metric import METRICS
from unidelta.tasks.metrics.romanian import moses_tokens


def signed(own: str) -> str:
    """sacreBLEU's signature, and what makes the tokens."""
    return f"bleu_romanian: {own}|text:moses-ro-no-diacritics|sacremoses:{version('sacremoses')}"


BLEU_ROMANIAN = METRICS.register(
    bleu_metric(
        "bleu_romanian",
        prepare=lambda text: moses_tokens(text.strip()),
        tokens="none",
        smoothing="none",
        signed=signed,
    )
)
