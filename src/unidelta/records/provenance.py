"""Where a run's numbers come from: code, versions, machine, command and time; no names of people or hosts."""

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from unidelta.records.redact import shareable

_PACKAGES = (
    "unidelta",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "accelerate",
    "numpy",
    "hydra-core",
    "omegaconf",
    "rouge-score",
    "sacrebleu",
)
_GIT_TIMEOUT_S = 10.0


def utc_now() -> datetime:
    """The clock of all records; tests replace it."""
    return datetime.now(UTC)


def provenance(
    *, command: Sequence[str], device: str, checkout: Path, clock: Callable[[], datetime] = utc_now
) -> dict[str, Any]:
    """A record's provenance.

    Args:
        command: the command line (`sys.argv`); it is stored without secrets and folders (`redact.shareable`).
        device: name of the device the run used, e.g. `cpu` or `NVIDIA H200`.
        checkout: folder of the code, looked up in git; None for whatever git does not know.
        clock: gives the time of writing.
    """
    return {
        "git": _git(checkout),
        "packages": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "command": shareable(command, environment=os.environ),
        "time_utc": clock().astimezone(UTC).isoformat(timespec="seconds"),
    }


def _git(checkout: Path) -> dict[str, Any]:
    if _git_output(checkout, "ls-files", "--error-unmatch", ".") is None:
        return {"commit": None, "is_dirty": None}  # the repository around a virtual environment is not the code's
    changes = _git_output(checkout, "status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git_output(checkout, "rev-parse", "HEAD"),
        "is_dirty": None if changes is None else bool(changes),
    }


def _git_output(checkout: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # No git here, no checkout, or no commit yet.
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
