"""Checkpoints of an unfinished run, as folders that are verified before they are used.

`<root>/step-N/` holds the training state and a manifest with the SHA-256 of every file. It is written under a temporary
name and renamed when everything is on the disk: a folder `step-N` without a matching manifest was damaged afterwards.
"""

import re
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unidelta.errors import IntegrityError
from unidelta.records.atomic import set_aside, sync, system_errors_named
from unidelta.records.sha256 import sha256_of_file
from unidelta.records.strict_json import canonical, digest, parse

_MANIFEST, _N_KEPT = "manifest.json", 2  # two: the newest may be damaged later than it was written
_STEP = re.compile(r"step-(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A verified checkpoint.

    Args:
        folder: its files.
        step: the optimiser steps done.
        resumed: how often the run had been resumed when it was written.
        changes: what changed each time it was resumed elsewhere, this time included: `{"step": 40, "threads": [8, 4]}`.
    """

    folder: Path
    step: int
    resumed: int
    changes: tuple[Mapping[str, Any], ...] = ()


class Checkpoints:
    """The checkpoints of one run.

    Args:
        root: their folder; created when first written to.
        identity: what must be equal to resume at all (run, design, processes).
        machine: what must be equal to resume bit for bit (threads, device, versions).
        is_strict: whether a checkpoint of a different machine is refused.
    """

    def __init__(self, root: Path, *, identity: Mapping[str, Any], machine: Mapping[str, Any], is_strict: bool) -> None:
        self._root, self._identity, self._machine, self._is_strict = root, dict(identity), dict(machine), is_strict

    def save(
        self,
        step: int,
        write: Callable[[Path], None],
        *,
        resumed: int,
        changes: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Write one checkpoint and delete all but the last two.

        Args:
            step: the optimiser steps done.
            write: writes the files into a given folder.
            resumed: how often the run was resumed.
            changes: what changed when it was resumed.

        Raises:
            RecordError: it cannot be written to the disk; earlier checkpoints are unchanged.
        """
        path = self._root / f"step-{step}"
        temporary = self._temporary(step)
        with system_errors_named(path):
            try:
                self._root.mkdir(exist_ok=True)  # not those above it: a results folder that was moved stays away
                temporary.mkdir()
                write(temporary)
                files = sorted(temporary.iterdir())
                content = {
                    "step": step,
                    "resumed": resumed,
                    "changes": list(changes),
                    "identity": self._identity,
                    "machine": self._machine,
                    "files": {file.name: sha256_of_file(file) for file in files},
                }
                content["sha256"] = digest(content)
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
        """The newest intact checkpoint; newer damaged ones are set aside with a message.

        Raises:
            IntegrityError: it belongs to a different run or, if strict, to a different machine.
            RecordError: a damaged one cannot be set aside.
        """
        self._clean()
        for folder in self._folders():
            try:
                manifest = _verified(folder)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"checkpoint {folder} is damaged ({error}); set aside as {set_aside(folder).name}")
                continue
            change = self._compare(folder, manifest)
            return Checkpoint(
                folder=folder,
                step=manifest["step"],
                resumed=manifest["resumed"],
                changes=(*manifest["changes"], *([{"step": manifest["step"], **change}] if change else [])),
            )
        return None

    def remove(self) -> None:
        """Delete all checkpoints except those set aside."""
        for folder in self._folders():
            shutil.rmtree(folder, ignore_errors=True)
        self._clean()
        if self._root.is_dir() and not any(self._root.iterdir()):
            self._root.rmdir()

    def _compare(self, folder: Path, manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
        """What has changed about the machine, as [before, now]."""
        other = _different(manifest["identity"], self._identity)
        if other:
            why, instead = "it belongs to another run", "the same settings as before"
            if other.keys() == {"processes"}:
                n = manifest["identity"]["processes"]
                why = "it holds a random state for each process"
                instead = f"the same words after {'python' if n == 1 else f'torchrun --nproc_per_node {n}'} train.py"
            instead = f"{instead}; or a new start: mv {self._root} {self._root}.other"
            raise IntegrityError(f"continue from {folder}", f"{_said(other)}: {why}", instead)
        change = _different(manifest["machine"], self._machine)
        if change and self._is_strict:
            why = f"{_said(change)}: the results would not be the same, bit for bit"
            instead = f"resume=any, which continues and says so in the record; or the {' and '.join(change)} of before"
            raise IntegrityError(f"continue from {folder}", why, instead)
        if change:
            print(f"{folder}: {_said(change)}; the record will say so")
        return change

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


def _different(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(found.keys() | wanted.keys())
    return {name: [found.get(name), wanted.get(name)] for name in names if found.get(name) != wanted.get(name)}


def _said(different: Mapping[str, Sequence[Any]]) -> str:
    before, now = (", ".join(f"{name} {pair[i]}" for name, pair in different.items()) for i in (0, 1))
    return f"it was made with {before}; this is {now}"


def _verified(folder: Path) -> dict[str, Any]:
    manifest = parse((folder / _MANIFEST).read_text(encoding="utf-8"))
    if manifest["sha256"] != digest(manifest):
        raise ValueError(f"{_MANIFEST} was altered")
    for name, sha256 in manifest["files"].items():
        if sha256_of_file(folder / name) != sha256:
            raise ValueError(f"{name} was altered")
    return manifest
