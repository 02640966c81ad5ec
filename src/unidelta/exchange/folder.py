"""Folders of other libraries: a JSON that describes, and tensors; written all or nothing, read without running code."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from unidelta.design.spec import Design
from unidelta.errors import DamagedDeltas, ExchangeError, first_line
from unidelta.exchange.tie import Tie
from unidelta.injection.injection import Injection
from unidelta.injection.saved import sha256_of
from unidelta.records.atomic import system_errors_named, whole_folder, write_atomically
from unidelta.records.strict_json import canonical, parse

_MARK, _BACKBONE = "unidelta", "unidelta_backbone"  # in a safetensors file: the digest of itself, and of the backbone
_MAY_CHANGE = ("base_model_name_or_path", "revision", "model_name")  # say where the backbone is, not what deltas are


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder of another library, understood, before any of it is in a model.

    Args:
        design: of its deltas.
        tensors: by their names.
        ties: what each tensor is in a model with the design.
        beside: names of the backbone's own parameters that the folder has: of a head, or new ones.
        backbone: the fingerprint of the weights that they are for, where it is known.
    """

    design: Design
    tensors: Mapping[str, Tensor]
    ties: Callable[[Injection], Sequence[Tie]]
    beside: Sequence[str]
    backbone: str | None = None


def read_json(path: Path, *, asked: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ExchangeError: there is none, or it cannot be read.
    """
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExchangeError(asked, f"{error.strerror}: {path}", "the folder that the other library saved") from None
    except ValueError as error:
        raise ExchangeError(asked, f"{path.name} cannot be read: {error}", "the folder as it was saved") from None
    if not isinstance(found, dict):
        raise ExchangeError(asked, f"{path.name} is not a JSON object", "the folder as it was saved")
    return found


def read_tensors(
    folder: Path, names: Sequence[str], *, config: Mapping[str, Any], allow_bin: bool, asked: str
) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of a safetensors file or, on demand, of a pickle, of which nothing but tensors is read.

    With them comes the fingerprint of the backbone that they are for, where this project wrote the file.

    Args:
        folder: the other library's.
        names: of the safetensors file, and of the pickle that is read in its place.
        config: the content of the folder's JSON, which a file of ours was written with.
        allow_bin: whether the pickle may be read.
        asked: in words, for the error.

    Raises:
        ExchangeError: there is no such file, or it cannot be read.
        DamagedDeltas: it has changed since this project wrote it.
    """
    safe, unsafe = (folder / name for name in names)
    if safe.is_file():
        return _safetensors(safe, config, asked)
    if not unsafe.is_file():
        raise ExchangeError(asked, f"there is no {safe.name}", "the folder that the other library saved")
    if not allow_bin:
        why = f"it has {unsafe.name} and no {safe.name}: a pickle, which can run code when it is read"
        raise ExchangeError(asked, why, "--allow-bin (allow_bin=True) to read the tensors in it and nothing else")
    try:
        found = torch.load(unsafe, map_location="cpu", weights_only=True)
    except Exception as error:  # what a file that holds more than tensors raises has no common type
        why = f"{unsafe.name} cannot be read: {first_line(error)}"
        raise ExchangeError(asked, why, "the folder as it was saved") from None
    if not isinstance(found, dict) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise ExchangeError(asked, f"{unsafe.name} holds something other than named tensors", "a file of weights")
    return dict(found), None


def _safetensors(path: Path, config: Mapping[str, Any], asked: str) -> tuple[dict[str, Tensor], str | None]:
    try:
        with safe_open(path, "pt") as file:
            mark, backbone = ((file.metadata() or {}).get(key) for key in (_MARK, _BACKBONE))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise DamagedDeltas(asked, f"{path.name} cannot be read: {error}", "the folder as it was saved") from None
    if mark is not None and mark != _digest(tensors, {**config, _BACKBONE: backbone}):
        why = f"{path.name} or the JSON beside it has changed since unidelta wrote them"
        raise DamagedDeltas(asked, why, "the folder as it was exported, or the export again")
    return tensors, backbone


def marked(tensors: Mapping[str, Tensor], config: Mapping[str, Any], *, backbone: str) -> bytes:
    """A safetensors file that other libraries read, and that says whether it or its JSON was changed later.

    Args:
        tensors: by name.
        config: the content of the JSON beside it.
        backbone: the fingerprint of the weights that they are for.
    """
    own = {name: tensor.cpu().contiguous().clone() for name, tensor in sorted(tensors.items())}
    mark = _digest(own, {**config, _BACKBONE: backbone})
    return to_bytes(own, {"format": "pt", _MARK: mark, _BACKBONE: backbone})


def _digest(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> str:
    content = {key: value for key, value in config.items() if key not in _MAY_CHANGE}
    return sha256_of(tensors, after=canonical(content))


def pretty(config: Mapping[str, Any]) -> str:
    """A JSON as other libraries write it."""
    return json.dumps(config, indent=2, sort_keys=True) + "\n"


def check_free(folder: Path, *, asked: str) -> None:
    """Refuse a folder that has files.

    Raises:
        ExchangeError: it has files, or is a file.
        RecordError: it cannot be read.
    """
    with system_errors_named(folder):
        is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_free:
        raise ExchangeError(asked, f"{folder} exists and is not empty", "a folder that is new or empty")


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write a folder of files, all or none.

    Args:
        folder: new or empty.
        files: content by name.

    Raises:
        RecordError: the disk does not take it.
    """
    with system_errors_named(folder), whole_folder(folder) as partial:
        for name, content in files.items():
            write_atomically(partial / name, content)
