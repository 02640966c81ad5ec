"""Metrics: pure functions from predictions and references to numbers on the scale 0 to 100."""

from unidelta.tasks.metrics.accuracy import ACCURACY
from unidelta.tasks.metrics.bleu import BLEU
from unidelta.tasks.metrics.metric import Metric
from unidelta.tasks.metrics.rouge import ROUGE

__all__ = ["ACCURACY", "BLEU", "ROUGE", "Metric"]
