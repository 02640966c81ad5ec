"""Names of runs."""

import hashlib
import math
import subprocess
import sys

import pytest

from unidelta.records import run_id
from unidelta.records.identity import LATER_KEYS


def test_the_name_is_the_start_of_sha256_over_canonical_json() -> None:
    expected = hashlib.sha256(b'{"lr":0.0001,"seed":42,"task":{"name":"sst2"}}').hexdigest()[:16]
    assert run_id({"task": {"name": "sst2"}, "seed": 42, "lr": 1e-4}) == expected


def test_the_order_of_keys_does_not_matter_and_everything_else_does() -> None:
    spec = {"a": 1, "b": {"c": 2.0, "d": [1, 2]}}
    assert run_id(spec) == run_id({"b": {"d": [1, 2], "c": 2.0}, "a": 1})
    others = [
        {**spec, "a": 2},
        {**spec, "a": None},
        {**spec, "b": {"c": 2.5, "d": [1, 2]}},
        {**spec, "b": {"c": 2.0, "d": [2, 1]}},
        {"a": 1},
    ]
    assert len({run_id(spec), *map(run_id, others)}) == 6


def test_the_name_is_the_same_in_every_process() -> None:
    code = "from unidelta.records import run_id; print(run_id({'b': 1, 'a': {'d': 2.5, 'c': None}}))"
    names = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(names) == 1


def test_labels_change_no_name_wherever_they_stand_and_what_a_frozen_model_does_not_read_neither() -> None:
    spec = {"method": "a", "design": {"kind": "full"}, "backbone": {"architecture": {"name": "x", "n": 1}}}
    called = {**spec, "method": "b", "conventions": "paper", "published_bottlenecks": {"attn": 3}}
    called["backbone"] = {"architecture": {"name": "y", "n": 1, "published_denominator": 7}}
    assert run_id(called) == run_id(spec)
    assert run_id({**spec, "backbone": {"architecture": {"name": "x", "n": 2}}}) != run_id(spec)
    training = {"precision": "fp32", "eval_batch_size": 8, "learning_rate": 1.0}
    frozen = {**spec, "design": {"kind": "frozen"}, "training": training}
    assert run_id({**frozen, "training": {**training, "learning_rate": 2.0}}) == run_id(frozen)
    assert run_id({**frozen, "training": {**training, "eval_batch_size": 9}}) != run_id(frozen)
    tuned = {**spec, "training": training}
    assert run_id({**tuned, "training": {**training, "learning_rate": 2.0}}) != run_id(tuned)


def test_a_spec_that_is_no_json_has_no_name() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_id({"lr": math.nan})
    with pytest.raises(TypeError):
        run_id({"lr": object()})


def test_a_later_key_changes_no_name_until_it_says_something_new(monkeypatch) -> None:
    before = {"seed": 1, "training": {"learning_rate": 0.1}}
    monkeypatch.setitem(LATER_KEYS, "training.max_tokens", None)
    assert run_id({"seed": 1, "training": {"learning_rate": 0.1, "max_tokens": None}}) == run_id(before)
    assert run_id({"seed": 1, "training": {"learning_rate": 0.1, "max_tokens": 4096}}) != run_id(before)
    assert run_id({"seed": 1, "max_tokens": None, "training": {"learning_rate": 0.1}}) != run_id(before)
