"""Records as text: nothing lost, no undetected change, strict JSON only."""

import json
import math
from dataclasses import fields, replace

import pytest

from unidelta.errors import RecordError
from unidelta.records import RunRecord, from_json, to_json
from unidelta.records.strict_json import canonical, without_non_finite


def refused(text: str) -> RecordError:
    with pytest.raises(RecordError) as caught:
        from_json(text, origin="a.json")
    assert caught.value.asked == "record a.json"
    return caught.value


def changed(record: RunRecord, **changes) -> str:
    """The record's text with fields changed (None removes) after it was written."""
    content = json.loads(to_json(record))
    for name, value in changes.items():
        if value is None:
            del content[name]
        else:
            content[name] = value
    return json.dumps(content)


def test_a_record_survives_the_way_to_text_and_back(record) -> None:
    again = from_json(to_json(record), origin="a.json")
    for item in fields(RunRecord):
        assert getattr(again, item.name) == getattr(record, item.name)
    assert to_json(again) == to_json(record)


def test_the_text_is_readable_line_by_line(record) -> None:
    text = to_json(record)
    assert '\n  "seed": 42,\n' in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_become_null_and_say_what_they_were(record, value: float) -> None:
    broken = replace(
        record,
        status="diverged",
        reason="loss nan at step 2",
        metrics={"validation": {"accuracy": value}},
        cost={"seconds": value},
    )
    text = to_json(broken)
    assert "NaN" not in text and "Infinity" not in text
    again = from_json(text, origin="a.json")
    assert again.metrics == {"validation": {"accuracy": None}}
    assert again.not_finite == {"metrics.validation.accuracy": str(value), "cost.seconds": str(value)}
    assert again.reason == "loss nan at step 2"
    # Written again, the reason is still there.
    assert from_json(to_json(again), origin="a.json") == again


def test_a_changed_metric_is_noticed(record) -> None:
    error = refused(changed(record, metrics={"validation": {"accuracy": 99.9}}))
    assert error.why == "its content does not match its sha256: it was changed after it was written"
    assert error.instead == "restore the file, or delete it and run again"


def test_every_missing_field_is_named(record) -> None:
    assert refused(changed(record, metrics=None, cost=None)).why == "fields are missing: metrics, cost"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not strict JSON: Expecting value"),
        ("\0" * 64, "it is not strict JSON: Expecting value"),
        ('{"a": 1, "a": 1}', "it is not strict JSON: the key 'a' is there twice"),
        ('{"a": NaN}', "it is not strict JSON: NaN is not a JSON number"),
        ('{"a": 1e999}', "it is not strict JSON: 1e999 is too large a number"),
        ("[" * 100_000, "it is not strict JSON: nested too deeply"),
        ("[]", "it is not a JSON object"),
    ],
)
def test_what_is_no_record_is_refused(text: str, why: str) -> None:
    assert refused(text).why.startswith(why)


@pytest.mark.parametrize("cut", [1, 0.25, 0.5, 0.9, 0.999])
def test_a_cut_record_is_refused(record, cut: float) -> None:
    text = to_json(record)
    assert "not strict JSON" in refused(text[: int(len(text) * cut) - 3]).why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metrics": []}, "metrics is not an object"),
        ({"status": "fine"}, 'status is "fine"; it is one of complete, diverged, failed, interrupted'),
        ({"run_id": 7}, "run_id or reason is not text"),
        ({"reason": 7}, "run_id or reason is not text"),
    ],
)
def test_wrong_types_are_refused(record, changes: dict, why: str) -> None:
    assert refused(changed(record, **changes)).why == why


@pytest.mark.parametrize("version", [3, 10**9])
def test_a_newer_version_is_refused_with_both_versions(record, version: int) -> None:
    error = refused(changed(record, schema_version=version))
    assert error.why == f"it has schema version {version}; this unidelta reads version 2"
    assert error.instead == "the unidelta that wrote it, or a newer one, or its file moved away"


def test_a_record_of_the_first_edition_is_refused_with_what_to_do(record) -> None:
    error = refused(changed(record, schema_version=1))
    assert error.why == "it has schema version 1, of unidelta 0.1; this one reads version 2"
    assert error.instead == "unidelta 0.1, or its file moved away and the run again"


@pytest.mark.parametrize(("version", "shown"), [(0, "0"), (-1, "-1"), ("1", '"1"'), (True, "true"), (None, "null")])
def test_what_is_no_version_is_refused(record, version, shown: str) -> None:
    why = refused(changed(record, schema_version=version)).why
    assert why == f"its schema_version is {shown}; versions are whole numbers from 1"


def test_fields_of_a_later_minor_version_are_kept(record) -> None:
    later = to_json(replace(record, extra={"energy": {"joules": 5}}))
    again = from_json(later, origin="a.json")
    assert again.extra == {"energy": {"joules": 5}}
    assert to_json(again) == later


def test_the_canonical_form_ignores_the_order_of_keys_only() -> None:
    assert canonical({"b": 1, "a": [1.5, "ș"]}) == '{"a":[1.5,"\\u0219"],"b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": math.nan})


def test_what_is_finite_is_left_alone() -> None:
    value = {"a": [1, 2.5, {"b": None}], "c": "nan", "d": True}
    assert without_non_finite(value) == (value, {})
