"""What a refusal advises for a slip of the keyboard can be typed as it stands."""

import pytest

from unidelta.analysis.source import every
from unidelta.config.arguments import arguments_of
from unidelta.config.overrides import check
from unidelta.config.spelling import parse
from unidelta.errors import ConfigError, Problems, RecordError


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


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("results_dir=1e3,2e3", ["1e3", "2e3"]),
        ("tracking.group=true,b", ["true", "b"]),
        ("task.hub_revision=0e1", ["0e1"]),
        ("experiment=quick,none", ["quick", "none"]),
    ],
)
def test_a_text_is_the_text_that_was_typed_alone_and_among_others(typed, read):
    override = parse(typed)
    values = [*override.sweep_string_iterator()] if override.is_sweep_override() else [override.value()]
    assert [str(value).strip('"') for value in values] == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("task.labels=[1e3,b]", ["1e3", "b"]),
        ("task.label_words=[false,no]", ["false", "no"]),
        ("task.metrics=[rouge,chrf]", ["rouge", "chrf"]),
        ("method.attn.targets=['query',value]", ["query", "value"]),
    ],
)
def test_a_list_of_texts_has_the_texts_that_were_typed(typed, read):
    assert list(map(str, parse(typed).value())) == read


def test_hydra_is_not_given_the_folder_that_was_taken_in_already():
    for words in (["--config-dir", "~/a b", "--cfg", "job"], ["--cfg=job", "-cd=~/x"]):
        found = arguments_of([*words, "seed=1"])
        assert found.config_dir is not None and "".join(found.options).replace("=", "") == "--cfgjob"


def test_completions_are_asked_for_by_a_shell(monkeypatch):
    monkeypatch.delenv("COMP_LINE", raising=False)
    with pytest.raises(ConfigError, match="when TAB is pressed"):
        arguments_of(["-sc", "query=zsh"])
    monkeypatch.setenv("COMP_LINE", "python train.py me")
    assert arguments_of(["-sc", "query=zsh"]).is_completion


def test_a_source_of_runs_may_be_in_ones_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RecordError, match="there are none"):
        (tmp_path / "runs").mkdir()
        every("~/runs")
