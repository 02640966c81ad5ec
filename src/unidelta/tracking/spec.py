"""How a run is to be tracked, and the errors that can be found before it starts. Imports no tracker's library."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from unidelta.errors import ConfigError, UserError

_N_LETTERS = 128  # of a project's or a group's name; W&B refuses longer ones
_NOT_IN_A_PROJECT = "/\\#?%:"
_MODES = ("online", "offline", "shared", "disabled", "dryrun", "run")  # that W&B reads; the last two are old names


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSpec:
    """How a run is tracked; no part of the run's identity.

    Args:
        kind: wandb, tensorboard or none.
        folder: W&B writes to `<folder>/wandb`, TensorBoard to `<folder>/tensorboard`.
        mode: of W&B: auto, offline or online.
        project: of W&B; None takes it from W&B's own variables and settings, else unidelta.
        entity: of W&B, a user or a team; None likewise, else the account's default.
        group: of W&B; None likewise, else the run's method.
    """

    kind: str
    folder: Path
    mode: str = "auto"
    project: str | None = None
    entity: str | None = None
    group: str | None = None


NOT_TRACKED = TrackingSpec(kind="none", folder=Path())


def check_tracking(spec: TrackingSpec) -> list[UserError]:
    """Everything that would keep the tracker from starting, as far as it can be known before the run."""
    problems: list[UserError] = []
    if spec.kind == "tensorboard" and importlib.util.find_spec("tensorboard") is None:
        why = "the package tensorboard is not installed; it is an extra, because W&B is the default"
        problems.append(ConfigError("tracking=tensorboard", why, "pip install tensorboard, or tracking=none"))
    if spec.kind != "wandb":
        return problems
    project, asked = _asked(spec.project, "tracking.project", "WANDB_PROJECT")
    if project and (len(project) > _N_LETTERS or any(letter in project for letter in _NOT_IN_A_PROJECT)):
        why = f"a project's name has 1 to {_N_LETTERS} letters, and none of {' '.join(_NOT_IN_A_PROJECT)}"
        problems.append(ConfigError(asked, why, f"{asked.partition('=')[0]}=unidelta"))
    group, asked = _asked(spec.group, "tracking.group", "WANDB_RUN_GROUP")
    if group and len(group) > _N_LETTERS:
        why = f"a group's name has 1 to {_N_LETTERS} letters"
        problems.append(ConfigError(asked, why, "tracking.group=NAME, or the method by leaving it out"))
    mode = os.environ.get("WANDB_MODE")
    if mode is not None and mode not in _MODES:
        why = f"the modes of W&B are {', '.join(_MODES[:4])}"
        problems.append(
            ConfigError(f"WANDB_MODE={mode}", why, "WANDB_MODE=offline, unset WANDB_MODE, or tracking=none")
        )
    return problems


def _asked(typed: str | None, key: str, variable: str) -> tuple[str | None, str]:
    """The value that was asked for, and the words that asked for it."""
    if typed is not None:
        return typed, f"{key}={typed}"
    return os.environ.get(variable), f"{variable}={os.environ.get(variable)}"
