"""Lengths of what goes in and of what comes out are checked before anything is loaded."""

import pytest

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
        "task=xsum task.generation.max_length=0",
        "task=xsum task.max_source_length=-3",
        "task=xsum task.generation.num_beams=2 task.generation.length_penalty=inf",
        "task=xsum task.generation.num_beams=0",
    ],
)
def test_what_the_model_cannot_take_or_give_is_refused(composed, words):
    with pytest.raises(Problems) as refusal:
        prepare(composed("method=bitfit", *words.split()))
    key, _, length = words.split()[-1].partition("=")
    (problem,) = refusal.value.errors
    assert f"{key}={length}" in problem.asked
    prepare(composed("method=bitfit", *words.split()[:-1], problem.instead.split()[0].strip(",")))


def test_greedy_search_does_not_read_a_penalty_whatever_it_is(composed):
    for penalty in ("2", "inf"):
        with pytest.raises(Problems, match="greedy search"):
            prepare(composed("task=xsum", f"task.generation.length_penalty={penalty}"))


def test_all_of_them_are_told_at_once(composed):
    words = ["task.max_source_length=500", "task.generation.max_length=400", "task.generation.min_length=500"]
    with pytest.raises(Problems) as refusal:
        prepare(composed("task=xsum", *words))
    assert len(refusal.value.errors) == 3
