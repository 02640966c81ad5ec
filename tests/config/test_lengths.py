"""Lengths of what goes in and of what comes out are checked before anything is loaded."""

import pytest

from unidelta.config.compose import compose
from unidelta.errors import Problems
from unidelta.run.prepare import prepare


@pytest.mark.parametrize(
    "words",
    [
        "task=xsum task.generation.max_length=129",
        "task=xsum task.max_target_length=200",
        "task=xsum task.eval_max_target_length=200",
        "task=xsum task.max_source_length=129",
        "task=sst2 task.max_source_length=400",
        "task=wmt_en_ro scale=paper task.generation.max_length=1025",
        "task=wmt_en_ro task.generation.min_length=65",
        "task=xsum scale=paper task.generation.min_length=61",
    ],
)
def test_what_the_model_cannot_take_or_give_is_refused(words):
    with pytest.raises(Problems) as refusal:
        prepare(compose(["method=bitfit", *words.split()]))
    key, _, length = words.split()[-1].partition("=")
    (problem,) = refusal.value.errors
    assert f"{key}={length}" in problem.asked
    prepare(compose(["method=bitfit", *words.split()[:-1], problem.instead.split()[0]]))


def test_all_of_them_are_told_at_once():
    words = ["task.max_source_length=500", "task.generation.max_length=400", "task.generation.min_length=500"]
    with pytest.raises(Problems) as refusal:
        prepare(compose(["task=xsum", *words]))
    assert len(refusal.value.errors) == 3
