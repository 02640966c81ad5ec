"""A run's coordinates in the design space and its parameter counts, as data for records and tables."""

from typing import Any

from unidelta.config.run_spec import RunSpec
from unidelta.design.count import count
from unidelta.design.spec import parts_of


def coordinates(spec: RunSpec) -> dict[str, Any]:
    """A run's coordinates in the design space: text and numbers, for tables."""
    slots = {str(part.slot) for part in parts_of(spec.design)}
    return {
        "method": spec.method,
        "task": spec.task.name,
        "backbone": spec.backbone.architecture.name,
        "scale": spec.scale,
        "source": spec.task.source,
        "conventions": spec.conventions,
        "position": "both" if len(slots) == 2 else next(iter(slots), "none"),
        "seed": spec.seed,
        "metric": spec.task.headline,
    }


def parameters(spec: RunSpec) -> dict[str, Any]:
    """The three parameter counts of a run's design, and the percentage by the paper's rule."""
    counts = count(spec.design, spec.backbone.architecture)
    return {
        "backbone_parameters": counts.backbone,
        "trained": counts.trained,
        "stored": counts.stored,
        "matrices": counts.matrices,
        "percent_trained": counts.percent_trained,
        "percent_stored": counts.percent_stored,
        "percent_matrices": counts.percent_matrices,
        "percent_published_rule": counts.percent_published_rule,
    }
