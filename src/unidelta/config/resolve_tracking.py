"""`RunConfig` to `TrackingSpec`."""

import os
from pathlib import Path

from unidelta.config.schema import RunConfig
from unidelta.extensions.named_paths import as_path
from unidelta.tracking.spec import TrackingSpec


def resolve_tracking(config: RunConfig) -> TrackingSpec:
    """How a configuration asks to be tracked; `check_tracking` says what is wrong with it.

    What is not asked of W&B it reads from its own variables, or its settings, as it does everywhere.
    """
    tracking, results = config.tracking, Path(config.results_dir)
    if tracking.name == "none":
        return TrackingSpec(kind="none", folder=results)
    if tracking.name != "wandb":
        return TrackingSpec(kind=tracking.name, folder=Path(tracking.folder or results))
    return TrackingSpec(
        kind="wandb",
        folder=Path(tracking.folder) if tracking.folder else _folder_of_wandb() or results,
        mode=tracking.mode,
        project=tracking.project,
        entity=tracking.entity,
        group=tracking.group,
    )


def _folder_of_wandb() -> Path | None:
    named = os.environ.get("WANDB_DIR")
    return as_path(named, asked=f"WANDB_DIR={named}") if named else None
