"""The name of a run: a hash of all that decides its numbers, so that equal runs have equal names."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unidelta.records.strict_json import canonical

N_HEX_DIGITS = 16  # 64 bits: two of a million runs share a name with probability 3e-8.

LATER_KEYS: dict[str, Any] = {"backbone.head": "auto", "backbone.quantised": "none"}
"""Keys of the spec that came after the first records of this layout, by dotted path, with what every run before it did.

A run that does the same keeps the name it had, so that a new switch makes no finished run look undone.
"""
_GLUE = {"kind": "classification", "metrics": ["accuracy"], "select_by": "accuracy"}
FORMER_TASKS: dict[str, dict[str, Any]] = {
    "xsum": {
        "kind": "summarization",
        "columns": {"source": "document", "target": "summary"},
        "labels": [],
        "metrics": ["rouge"],
        "select_by": "rouge2",
    },
    "wmt_en_ro": {
        "kind": "translation",
        "columns": {"source": "translation.en", "target": "translation.ro"},
        "labels": [],
        "metrics": ["bleu", "bleu_romanian"],
        "select_by": "loss",
    },
    "mnli": {
        **_GLUE,
        "columns": {"text": "premise", "text_pair": "hypothesis", "label": "label"},
        "labels": ["entailment", "neutral", "contradiction"],
    },
    "sst2": {**_GLUE, "columns": {"text": "sentence", "label": "label"}, "labels": ["negative", "positive"]},
}
"""What the first four tasks did, by name, before columns, labels and metrics were keys of the spec."""

LABELS = (
    "method",
    "conventions",
    "published_bottlenecks",
    "backbone.architecture.name",
    "backbone.architecture.published_denominator",
)
"""Keys of the spec, by dotted path, that say how a run is called and counted: no number of it follows from them.

The design and the content of the weights stand for them, so that one design has one name whatever it was called.
"""

OF_FROZEN = ("eval_batch_size", "precision")
"""Of the training settings, those on which the numbers of a frozen model depend."""


def run_id(spec: Mapping[str, Any]) -> str:
    """First 16 hexadecimal digits of SHA-256 over the canonical JSON of the scientific spec.

    `LABELS` are left out, of a frozen model all settings of training but `OF_FROZEN`, and `LATER_KEYS` and those of
    `FORMER_TASKS` at their values of before.

    Args:
        spec: task, data fingerprint, backbone, design, training, seed and limits; nothing that leaves the
            numbers alone (device, paths, tracking).

    Raises:
        ValueError: a number in the spec is not finite.
        TypeError: something in it cannot be JSON.
    """
    return hashlib.sha256(canonical(_deciding(spec)).encode()).hexdigest()[:N_HEX_DIGITS]


def settings(spec: Mapping[str, Any]) -> str:
    """All that decides a run's numbers but its seed, as one text: runs of equal settings may be averaged.

    1 and 1.0 are one setting: what comes back from W&B does not tell them apart.
    """
    return canonical(_numbers({name: value for name, value in _deciding(spec).items() if name != "seed"}))


def _numbers(value: Any) -> Any:
    """`value` with whole numbers for floats that are whole."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, (list, tuple)) else value


def _deciding(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """`spec` without its labels, and without the later keys that say what was done before there was such a key."""
    for path in LABELS:
        spec = _without(spec, path.split("."), lambda value: True)
    if spec.get("design") == {"kind": "frozen"}:
        spec = {**spec, "training": {name: spec["training"][name] for name in OF_FROZEN}}
    task = spec.get("task")
    former = FORMER_TASKS.get(task.get("name", ""), {}) if isinstance(task, Mapping) else {}
    for path, before in {**LATER_KEYS, **{f"task.{key}": value for key, value in former.items()}}.items():
        spec = _without(spec, path.split("."), lambda value, before=before: value == before)
    return spec


def _without(spec: Mapping[str, Any], path: Sequence[str], is_left_out: Callable[[Any], bool]) -> Mapping[str, Any]:
    """`spec` without the key at this path, if its value is to be left out."""
    name, *rest = path
    if name not in spec:
        return spec
    if not rest:
        return {key: item for key, item in spec.items() if key != name} if is_left_out(spec[name]) else spec
    inner = spec[name]
    return {**spec, name: _without(inner, rest, is_left_out)} if isinstance(inner, Mapping) else spec
