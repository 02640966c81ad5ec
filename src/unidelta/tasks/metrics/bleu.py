"""Corpus BLEU with sacreBLEU's defaults: 13a tokens, case and diacritics kept (Post 2018)."""

from unidelta.tasks.metrics.corpus_bleu import bleu_metric
from unidelta.tasks.metrics.metric import METRICS

BLEU = METRICS.register(
    bleu_metric("bleu", prepare=str.strip, tokens="13a", smoothing="exp", signed=lambda own: f"bleu: {own}")
)
