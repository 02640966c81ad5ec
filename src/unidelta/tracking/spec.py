"""What was asked of tracking, and what can be wrong with it; nothing here imports a tracker's library."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from unidelta.errors import ConfigError, UserError

_N_LETTERS = 128  # of a project's or a group's name; W&B refuses longer ones
_NOT_IN_A_PROJECT = "/\\#?%:"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSpec:
    """How a run is tracked; no part of the run's identity.

    Args:
        kind: wandb, tensorboard or none.
        folder: W&B writes to `<folder>/wandb`, TensorBoard to `<folder>/tensorboard`.
        mode: of W&B: auto, offline or online.
        project: of W&B.
        entity: of W&B, a user or a team; None for the account's own.
        group: of W&B; None for the run's method.
    """

    kind: str
    folder: Path
    mode: str
    project: str
    entity: str | None
    group: str | None


NOT_TRACKED = TrackingSpec(kind="none", folder=Path(), mode="auto", project="", entity=None, group=None)


def check_tracking(spec: TrackingSpec) -> list[UserError]:
    """Everything that keeps a tracker from starting and can be known before a run."""
    problems: list[UserError] = []
    if spec.kind == "tensorboard" and importlib.util.find_spec("tensorboard") is None:
        why = "the package tensorboard is not installed; it is an extra, because W&B is the default"
        problems.append(ConfigError("tracking=tensorboard", why, "pip install tensorboard, or tracking=none"))
    if spec.kind != "wandb":
        return problems
    if not 1 <= len(spec.project) <= _N_LETTERS or any(letter in spec.project for letter in _NOT_IN_A_PROJECT):
        why = f"a project's name has 1 to {_N_LETTERS} letters, and none of {' '.join(_NOT_IN_A_PROJECT)}"
        problems.append(ConfigError(f"tracking.project={spec.project}", why, "tracking.project=unidelta"))
    if spec.group is not None and not 1 <= len(spec.group) <= _N_LETTERS:
        why = f"a group's name has 1 to {_N_LETTERS} letters"
        problems.append(ConfigError(f"tracking.group={spec.group}", why, "tracking.group=null, which is the method"))
    return problems
