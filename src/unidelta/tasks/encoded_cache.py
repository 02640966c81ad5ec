"""A disk cache of token ids: XSum's training split takes minutes to tokenise, and seconds to read.

One safetensors file per split, named by a hash of everything that determines its content, and holding a SHA-256 of
that content. The cache only saves time: a damaged file is rebuilt, and a folder that cannot be written is ignored.
"""

import hashlib
import json
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from transformers import PreTrainedTokenizerBase

from unidelta.errors import first_line
from unidelta.records.sha256 import sha256_of_file
from unidelta.tasks.encode import COUNTS, Encoded, ModelLimits, check_encoded, prepare, tokenised
from unidelta.tasks.features import Features
from unidelta.tasks.kind import KINDS
from unidelta.tasks.sources import Rows
from unidelta.tasks.task import TaskSpec

MIN_ROWS = 10_000
"""Smaller splits are tokenised each time, which takes about a second; all of the miniature's are smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the cache needs to know.

    Args:
        folder: the cache folder.
        fingerprint: of the rows (`sources.fingerprint`).
    """

    folder: Path
    fingerprint: str


def encode(
    rows: Rows,
    *,
    spec: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    limits: ModelLimits,
    split: str,
    kept: Kept | None = None,
) -> Encoded:
    """Token ids of `rows`, read from the cache or written to it if there is one.

    Args:
        rows: rows of the task.
        spec: the task; its lengths, languages and prompt are used.
        tokenizer: the backbone's tokenizer; mBART's is set to the task's languages and stays that way.
        limits: the model's limits.
        split: of the rows, named in errors; targets are truncated at `max_target_length` in `train`, and at
            `eval_max_target_length` in all others.
        kept: None for no cache.

    Raises:
        ConfigError: a length is beyond the model's positions, a language is unknown to the tokenizer, or it cannot make
            the task's prompt (several problems together are `Problems`).
        DataError: there are no rows, none of them has a source, or the tokenizer gives no ids or ids the model has no
            embedding for.
    """
    prepare(spec, tokenizer, limits)
    encoded, file = None, None
    if kept is not None and len(rows) >= MIN_ROWS:
        file = kept.folder / "encoded" / f"{_key(kept, spec, tokenizer, split)}.safetensors"
        encoded = _read(file)
    if encoded is None:
        encoded = tokenised(rows, spec=spec, tokenizer=tokenizer, split=split)
        if file is not None:
            _write(file, encoded)
    check_encoded(encoded, spec, limits, split=split)
    return encoded


def _key(kept: Kept, spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, split: str) -> str:
    """A hash of the rows, the tokenizer, the settings and the code of this package."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    content = {
        "rows": kept.fingerprint,
        "tokenizer": _fingerprint_of_tokenizer(tokenizer),
        "columns": [asdict(KINDS[spec.kind]), spec.column_names(), spec.labels],
        "lengths": [
            spec.max_source_length,
            spec.max_target_length if split == "train" else spec.eval_max_target_length,
        ],
        "languages": [spec.source_language, spec.target_language],
        "prompt": None if spec.prompt is None else asdict(spec.prompt),
        "packages": {name: version(name) for name in ("transformers", "tokenizers")},
        "code": [sha256_of_file(file) for file in code],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _fingerprint_of_tokenizer(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 of the tokenizer's files."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="unidelta-") as folder:
        tokenizer.save_pretrained(folder)
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _read(file: Path) -> Encoded | None:
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="numpy") as stored:
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (no mapping)
            metadata = stored.metadata() or {}
        counts = {name: int(metadata[name]) for name in COUNTS}
        if metadata["sha256"] != _digest(arrays, counts):
            raise ValueError("its content is not what was written")
        return Encoded(features=Features.from_arrays(arrays), **counts)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        reason = first_line(error)
        print(f"Note: the token ids cached in {file} cannot be used ({reason}); rebuilding.", file=sys.stderr)
        return None


def _write(file: Path, encoded: Encoded) -> None:
    """Save token ids, completely or not at all."""
    assert isinstance(encoded.features, Features)
    arrays = encoded.features.arrays()
    counts = {name: getattr(encoded, name) for name in COUNTS}
    metadata = {**{name: str(count) for name, count in counts.items()}, "sha256": _digest(arrays, counts)}
    temporary = file.with_name(f".{uuid.uuid4().hex}.tmp")
    with suppress(OSError, SafetensorError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            # `save_file` makes files readable by one user only, whatever the umask; a group may share this cache.
            temporary.write_bytes(save(arrays, metadata=metadata))
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def _digest(arrays: Mapping[str, np.ndarray], counts: Mapping[str, int]) -> str:
    digest = hashlib.sha256(json.dumps(counts, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
