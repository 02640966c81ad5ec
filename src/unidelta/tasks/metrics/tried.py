"""Metrics on a few references, before anything trains: a mistake in a user's metric would show only after hours."""

from collections.abc import Sequence
from typing import Any

from unidelta.errors import ConfigError, UserError
from unidelta.extensions.origin import raised_at
from unidelta.tasks.metrics.metric import METRICS, Metric


def try_metrics(metrics: Sequence[Metric], references: Sequence[Any]) -> None:
    """Score references against themselves.

    Raises:
        ConfigError: a metric raises, or gives other scores than it says.
    """
    for metric in metrics:
        try:
            metric.score(references, references)
        except UserError:
            raise
        except Exception as error:  # whatever a user's code raises
            file = METRICS.file_of(metric.name)
            asked, why = f"the metric `{metric.name}` of {file}", raised_at(error, [file])
            raise ConfigError(asked, why, "the file fixed, or task.metrics without it") from error
