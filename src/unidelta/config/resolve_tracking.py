"""`RunConfig` to `TrackingSpec`."""

from pathlib import Path

from unidelta.config.schema import RunConfig
from unidelta.tracking.spec import TrackingSpec


def resolve_tracking(config: RunConfig) -> TrackingSpec:
    """How a configuration asks to be tracked; `check_tracking` says what is wrong with it."""
    tracking = config.tracking
    return TrackingSpec(
        kind=tracking.name,
        folder=Path(tracking.folder or config.results_dir),
        mode=tracking.mode,
        project=tracking.project,
        entity=tracking.entity,
        group=tracking.group,
    )
