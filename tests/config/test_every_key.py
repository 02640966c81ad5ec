"""Every key of the schema can be typed: nothing in its name or in a text is mistaken for something else."""

from itertools import cycle, islice
from typing import Any, get_args, get_origin

import pytest

from unidelta.config.compose import compose
from unidelta.config.keys import keys, text_keys, types
from unidelta.config.overrides import check
from unidelta.config.resolve import CHOICES
from unidelta.config.schema import PATHS
from unidelta.errors import Problems

ALSO = ("method.attn_also.", "method.ffn_also.")  # second deltas, which this method has not; their keys are the first's
NAMES = {key for key in keys() if key.endswith(".name")} | {"method.kind"}  # what files of a group are called by
TEXTS = {"method.attn.form": "low_rank", "method.ffn.form": "low_rank", "backbone.family": "bert"}
VALUES = {int: 3, float: 0.5, bool: True}
AWKWARD = (
    "my_target_runs",
    "a_partial_b/class",
    "țară",
    "données à moi",
    "ünïcode/ß",
    "lr=3",
    "a#1",
    "a(1)",
    "a{b}",
    "[x]y",
    "1e3",
    "007",
    "true",
    "2024_01",
    "a@b:c",
    "50%",
    "it!s*?",
)


def valid(key: str) -> Any:
    """A value that the key can have, from its type in the schema."""
    hint = types()[key]
    if hint is Any:
        return "last:2"  # layers
    if key in CHOICES:
        return CHOICES[key][-1]
    if list in map(get_origin, (hint, *get_args(hint))):
        return "[a,b]"
    kind = next(one for one in (hint, *get_args(hint)) if one in (str, *VALUES))
    return VALUES.get(kind, TEXTS.get(key, "x"))


def found(config: Any, key: str) -> Any:
    for part in key.split("."):
        config = getattr(config, part)
    return config


def test_every_key_takes_a_valid_value_and_has_it():
    maps = (".options", "backbone.config", "training.tuned")
    typed = {
        key: valid(key) for key in keys() if key not in NAMES and not key.startswith(ALSO) and not key.endswith(maps)
    }
    words = ["method=mam", "task=xsum", *(f"{key}={value}" for key, value in typed.items())]
    check(words)
    config = compose(words)
    for key, value in typed.items():
        assert found(config, key) == (["a", "b"] if value == "[a,b]" else value), key


@pytest.mark.parametrize("first", range(3))
def test_every_text_is_taken_as_it_stands(first):
    """Three compositions, each with all keys and all texts, which meet in other pairs."""
    typed = sorted(key for key in text_keys() - NAMES - set(CHOICES) - set(TEXTS) if not key.startswith(ALSO))
    texts = dict(zip(typed, islice(cycle(AWKWARD), 7 * first, None), strict=False))
    assert len(texts) == len(typed) >= len(AWKWARD)
    words = [f"{key}={text}" for key, text in texts.items()]
    check(words)
    config = compose(["method=mam", "task=xsum", *words])
    assert {key: found(config, key) for key in typed} == texts


@pytest.mark.parametrize("empty", ["", '""', "''"])
def test_an_empty_value_is_refused(empty):
    words = [f"{key}={empty}" for key in sorted(text_keys() - NAMES)]
    with pytest.raises(Problems) as refusal:
        check(words)
    assert [error.asked for error in refusal.value.errors] == words
    assert all("an unset variable of the shell" in error.why for error in refusal.value.errors)


TYPED = {
    "~/x": "/home/of-mine/x",
    "~": "/home/of-mine",
    "./a b/ț": "./a b/ț",
    "/a/~/b": "/a/~/b",
    "../up": "../up",
    '"~/quoted"': "/home/of-mine/quoted",
}


@pytest.mark.parametrize("word", TYPED)
def test_a_path_is_a_path_wherever_it_is_typed(word, monkeypatch):
    monkeypatch.setenv("HOME", "/home/of-mine")
    words = [f"{key}={word}" for key in PATHS]
    check(words)
    config = compose(words)
    assert {key: found(config, key) for key in PATHS} == dict.fromkeys(PATHS, TYPED[word])


def test_the_home_of_nobody_is_refused_wherever_it_is_typed():
    words = [f"{key}=~nobody-of-that-name/x" for key in PATHS]
    check(words)
    with pytest.raises(Problems, match="no home folder") as refusal:
        compose(words)
    assert len(refusal.value.errors) == len(PATHS)


@pytest.mark.parametrize(
    "word",
    [
        "hydra.launcher._target_=os.system",
        "hydra.launcher={_target_: os.system}",
        "hydra.sweeper={a: [{b: {_partial_: true}}]}",
        "hydra.launcher={_target_: a},{_target_: b}",
        "hydra.job_logging.handlers.x={class: a.B}",
        "hydra.callbacks={}",
        "+hydra.searchpath=[x]",
        "results_dir=${oc.env:HOME}",
        "results_dir=${ oc.env:HOME}",
        "tracking.group=a-${oc.decode:${oc.env:KEY}}",
        "results_dir='${oc.${tracking.group}:HOME}'",
        r"results_dir='\\${oc.env:HOME}'",
        "+hydra.job.env_set.PATH=/elsewhere",
        "+hydra.job={env_set: {PATH: /elsewhere}}",
    ],
)
def test_what_names_code_or_reads_the_environment_is_refused_however_it_is_wrapped(word):
    with pytest.raises(Problems, match=r"a configuration is data|may be a secret"):
        check([word])


def test_plain_references_and_the_time_are_no_code():
    check(["hydra.sweep.dir=logs/${now:%Y}", "tracking.group=${task.name}-${seed}"])
