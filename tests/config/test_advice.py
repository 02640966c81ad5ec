"""What a refusal advises for a slip of the keyboard can be typed as it stands."""

import pytest

from unidelta.config.overrides import check
from unidelta.errors import Problems


@pytest.mark.parametrize("typed", ["hydra/sweeper=optuna", "hydra.sweeper=optuna", "hydra.sweeper.params.seed=1"])
def test_there_is_one_sweeper(typed):
    with pytest.raises(Problems, match="the listed values of its keys"):
        check([typed], is_multirun=True)


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("method!=lora", "method=lora"),
        ("se ed!=1", "seed=1"),
        ("!=1", "key=value, such as method=mam"),
        ("task?=xsum", "task=xsum"),
    ],
)
def test_what_is_advised_for_a_key_with_other_signs_can_be_typed(typed, advice):
    with pytest.raises(Problems) as refusal:
        check([typed])
    assert refusal.value.instead == advice


def test_several_values_are_advised_with_the_rest_of_the_command():
    with pytest.raises(Problems) as refusal:
        check(["method=lora", "seed=1,2", "task.path=a b"], is_multirun=False)
    assert refusal.value.instead == "python train.py -m method=lora seed=1,2 'task.path=a b'"


@pytest.mark.parametrize(
    "typed", ["backbone.config.d_model=8", "backbone.config={d_model:8}", "+backbone.config.layers=2"]
)
def test_sizes_are_said_to_be_the_checkpoints(typed):
    with pytest.raises(Problems, match="sizes are those of the checkpoint's own") as refusal:
        check([typed])
    assert refusal.value.instead.startswith("backbone.checkpoint=DIR")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("mini.seed=null", "it cannot be null"),
        ("training.max_grad_norm=None", "it cannot be null"),
        ("dry_run=null", "it cannot be null"),
        ("task.metrics=null", "it cannot be null"),
        ("training.eval_every=None", "null is written null"),
    ],
)
def test_null_is_spoken_of_in_plain_words(typed, why):
    with pytest.raises(Problems) as refusal:
        check([typed])
    (problem,) = refusal.value.errors
    assert (problem.asked, problem.why) == (typed, why)
