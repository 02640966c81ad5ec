"""Checkpoints of an unfinished run as folders, each of which is known to be whole before it is used.

`<root>/step-N/` holds what training wrote and a manifest with the SHA-256 of every file. It is made under another name,
and is renamed when everything is on the disk: a folder called `step-N` without a fitting manifest was damaged since.
"""

import hashlib
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unidelta.errors import IntegrityError
from unidelta.records.atomic import set_aside, sync, system_errors_named
from unidelta.records.strict_json import canonical, parse

_MANIFEST, _N_KEPT = "manifest.json", 2  # two: the newest may be damaged later than it was written
_STEP = re.compile(r"step-(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint whose files are what was written.

    Args:
        folder: its files.
        step: the optimiser steps done.
        resumed: how often the run had been continued when it was written.
    """

    folder: Path
    step: int
    resumed: int


class Checkpoints:
    """The checkpoints of one run.

    Args:
        root: their folder; made when first written to.
        identity: what has to be equal for a run to go on bit for bit (run, design, processes, threads, versions).
    """

    def __init__(self, root: Path, *, identity: Mapping[str, Any]) -> None:
        self._root, self._identity = root, dict(identity)

    def save(self, step: int, write: Callable[[Path], None], *, resumed: int) -> None:
        """Write one checkpoint and forget all but the last two.

        Args:
            step: the optimiser steps done.
            write: writes the files into the folder it is given.
            resumed: how often the run was continued.

        Raises:
            RecordError: the disk does not take it; earlier checkpoints are as they were.
        """
        path = self._root / f"step-{step}"
        temporary = self._temporary(step)
        with system_errors_named(path):
            try:
                temporary.mkdir(parents=True)
                write(temporary)
                files = sorted(temporary.iterdir())
                content = {
                    "step": step,
                    "resumed": resumed,
                    "identity": self._identity,
                    "files": {file.name: _sha256(file) for file in files},
                }
                content["sha256"] = _digest(content)
                manifest = temporary / _MANIFEST
                manifest.write_text(canonical(content) + "\n", encoding="utf-8")
                for file in (*files, manifest, temporary):
                    sync(file)
                if path.exists():
                    path.rename(self._temporary(step))
                temporary.rename(path)
                sync(self._root)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            for old in self._folders()[_N_KEPT:]:
                old.rename(self._temporary(step))
            self._clean()

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; newer ones that are not are set aside and named.

        Raises:
            IntegrityError: it is of another run, or was made under other circumstances.
            RecordError: a damaged one cannot be set aside.
        """
        self._clean()
        for folder in self._folders():
            try:
                manifest = _verified(folder)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"checkpoint {folder} is damaged ({error}); set aside as {set_aside(folder).name}")
                continue
            self._compare(folder, manifest["identity"])
            return Checkpoint(folder=folder, step=manifest["step"], resumed=manifest["resumed"])
        return None

    def remove(self) -> None:
        """Forget all checkpoints; those set aside stay."""
        for folder in self._folders():
            shutil.rmtree(folder, ignore_errors=True)
        self._clean()
        if self._root.is_dir() and not any(self._root.iterdir()):
            self._root.rmdir()

    def _compare(self, folder: Path, found: Mapping[str, Any]) -> None:
        names = sorted(found.keys() | self._identity.keys())
        other = [name for name in names if found.get(name) != self._identity.get(name)]
        if other:
            theirs = ", ".join(f"{name} {found.get(name)}" for name in other)
            ours = ", ".join(f"{name} {self._identity.get(name)}" for name in other)
            why = f"It was made with {theirs}; this is {ours}. The numbers would not be those of one run."
            raise IntegrityError(
                f"go on from {folder}", why, f"what it was made with, or begin anew: rm -r {self._root}"
            )

    def _folders(self) -> list[Path]:
        """Newest first."""
        found = {path: _STEP.fullmatch(path.name) for path in self._root.glob("step-*")}
        steps = {path: int(match[1]) for path, match in found.items() if match}
        return sorted(steps, key=lambda path: -steps[path])

    def _temporary(self, step: int) -> Path:
        return self._root / f".step-{step}.{uuid.uuid4().hex}.tmp"

    def _clean(self) -> None:
        for path in self._root.glob(".step-*.tmp"):
            shutil.rmtree(path, ignore_errors=True)


def _verified(folder: Path) -> dict[str, Any]:
    manifest = parse((folder / _MANIFEST).read_text(encoding="utf-8"))
    if manifest["sha256"] != _digest(manifest):
        raise ValueError(f"{_MANIFEST} was altered")
    for name, digest in manifest["files"].items():
        if _sha256(folder / name) != digest:
            raise ValueError(f"{name} was altered")
    return manifest


def _digest(manifest: Mapping[str, Any]) -> str:
    unsigned = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(canonical(unsigned).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
