"""The record of one run: everything a table, figure or claim needs, as one strict JSON text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from unidelta.errors import DamagedRecord, RecordError
from unidelta.records.strict_json import digest, parse, without_non_finite

SCHEMA_VERSION = 2

Status = Literal["complete", "diverged", "failed", "interrupted"]

_REPAIR = "restore the file, or delete it and run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run.

    Args:
        run_id: name of the run (`identity.run_id` of `spec`).
        status: how it ended; only `complete` runs have results.
        reason: why it did not complete, in one line; None if it did.
        coordinates: the run's position in the design space (scale, task, method, position, seed…); text
            and numbers only, for tables. `scale` and `task` name the folder of the record.
        spec: the resolved scientific spec, from which the run can be repeated.
        parameters: parameter counts.
        metrics: numbers by split and name, each metric with its signature.
        cost: times and memory.
        provenance: where, when and with what it ran.
        not_finite: numbers that were NaN or infinite, by dotted path; the record holds null instead.
        extra: fields that a later minor version added; kept when the record is written again.
        schema_version: version of this layout.
    """

    run_id: str
    status: Status
    coordinates: Mapping[str, Any]
    spec: Mapping[str, Any]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    cost: Mapping[str, Any]
    provenance: Mapping[str, Any]
    reason: str | None = None
    not_finite: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION


_MAPPINGS = ("coordinates", "spec", "parameters", "metrics", "cost", "provenance", "not_finite")
_NAMES = tuple(item.name for item in fields(RunRecord) if item.name != "extra")


def to_json(record: RunRecord) -> str:
    """The record as JSON: keys sorted, with a digest of its content.

    Raises:
        TypeError: a value cannot be JSON.
    """
    content, not_finite = without_non_finite({name: getattr(record, name) for name in _NAMES})
    content = {**record.extra, **content, "not_finite": {**record.not_finite, **not_finite}}
    content["sha256"] = digest(content)
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"


def from_json(text: str, *, origin: str) -> RunRecord:
    """The record in `text`.

    Args:
        text: the output of `to_json`.
        origin: name of the file, for messages.

    Raises:
        DamagedRecord: the text is truncated or was changed since it was written.
        RecordError: it has a newer version.
    """
    try:
        content = parse(text)
    except ValueError as error:
        raise DamagedRecord(f"record {origin}", f"it is not strict JSON: {error}", _REPAIR) from None
    if not isinstance(content, dict):
        raise DamagedRecord(f"record {origin}", "it is not a JSON object", _REPAIR)
    _check_version(content, origin)
    fault = _fault(content)
    if fault:
        raise DamagedRecord(f"record {origin}", fault, _REPAIR)
    known = {name: content[name] for name in _NAMES}
    extra = {name: value for name, value in content.items() if name not in (*_NAMES, "sha256")}
    return RunRecord(**known, extra=extra)


def _check_version(content: Mapping[str, Any], origin: str) -> None:
    version = content.get("schema_version")
    if type(version) is not int or version < 1:
        why = f"its schema_version is {json.dumps(version)}; versions are whole numbers from 1"
        raise DamagedRecord(f"record {origin}", why, _REPAIR)
    if version > SCHEMA_VERSION:
        why = f"it has schema version {version}; this unidelta reads version {SCHEMA_VERSION}"
        raise RecordError(f"record {origin}", why, "the unidelta that wrote it, or a newer one, or its file moved away")
    if version < SCHEMA_VERSION:
        why = f"it has schema version {version}, of unidelta 0.1; this one reads version {SCHEMA_VERSION}"
        raise RecordError(f"record {origin}", why, "unidelta 0.1, or its file moved away and the run again")


def _fault(content: Mapping[str, Any]) -> str | None:
    missing = [name for name in (*_NAMES, "sha256") if name not in content]
    if missing:
        return f"fields are missing: {', '.join(missing)}"
    for name in _MAPPINGS:
        if not isinstance(content[name], dict):
            return f"{name} is not an object"
    if content["status"] not in get_args(Status):
        return f"status is {json.dumps(content['status'])}; it is one of {', '.join(get_args(Status))}"
    if not isinstance(content["run_id"], str) or not isinstance(content["reason"], str | None):
        return "run_id or reason is not text"
    if content["sha256"] != digest(content):
        return "its content does not match its sha256: it was changed after it was written"
    return None
