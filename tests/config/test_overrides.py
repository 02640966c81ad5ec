"""What is typed is checked before anything is composed: names, choices, types, sweeps."""

import pytest

from unidelta.config.groups import options
from unidelta.config.keys import keys
from unidelta.config.overrides import check
from unidelta.config.schema import GROUPS
from unidelta.design.composition import COMPOSITIONS
from unidelta.errors import Problems


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["method=mam", "task=sst2", "seed=3"],
        ["method=mam,lora,prefix", "seed=range(1,4)"],
        ["training.learning_rate=1e-3,1e-4"],
        ["hydra.job.name=x", "hydra/launcher=basic"],
        ["backbone.checkpoint='a folder, with a comma'"],
        ["backbone.checkpoint=null", "training.epochs=null"],
        ["method.attn.targets=[query,key]"],
        ["task.extra_eval_splits=[]"],
        ["experiment=null"],
    ],
    ids=str,
)
def test_what_exists_passes(words):
    check(words)


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("method=adaptor", "method=adapter"),
        ("method=prefx", "method=prefix"),
        ("method=scaled_paralel_adapter", "method=scaled_parallel_adapter"),
        ("task=mnly", "task=mnli"),
        ("composition=scale", "composition=scaled"),
        ("position=fnn", "position=ffn"),
        ("sed=3", "seed=3"),
        ("trainig.max_steps=3", "training.max_steps=3"),
        ("max_steps=3", "training.max_steps=3"),
        ("method.attn.botleneck=3", "method.attn.bottleneck=3"),
        ("generation.num_beams=3", "task.generation.num_beams=3"),
    ],
)
def test_the_nearest_name_is_offered(word, nearest):
    with pytest.raises(Problems) as refusal:
        check([word])
    assert nearest in refusal.value.instead.split(" or ")


def test_an_unknown_experiment_is_told_which_there_are():
    with pytest.raises(Problems, match="there are none, quick") as refusal:
        check(["experiment=qick"])
    assert refusal.value.instead == "experiment=quick"
    check(["experiment=null"])


def test_every_value_of_a_sweep_over_choices_is_checked():
    with pytest.raises(Problems) as refusal:
        check(["method=mam,adaptor,lora,nope"])
    assert [error.asked for error in refusal.value.errors] == ["method=adaptor", "method=nope"]


@pytest.mark.parametrize("word", ["seed=1,abc", "training.batch_size=8,16,many"])
def test_every_value_of_a_sweep_has_its_type_checked(word):
    with pytest.raises(Problems):
        check([word])


def test_the_choices_are_the_files_of_the_group():
    assert options("position") == ["attn", "both", "ffn", "none"]
    assert options("insertion") == ["none", "parallel", "sequential"]
    assert options("composition") == sorted([*COMPOSITIONS, "none"])
    assert len(options("method")) >= 14
    assert all(options(group) for group in GROUPS)


def test_keys_are_dotted_and_lead_to_values():
    known = keys()
    assert len(known) == len(set(known))
    assert {"seed", "training.learning_rate", "method.attn.targets", "task.generation.num_beams"} <= set(known)
    assert not {"training", "method.attn", "task.generation"} & set(known)
