"""What a refusal advises for a slip of the keyboard can be typed as it stands."""

import shlex
import subprocess

import pytest

from unidelta.analysis.source import every
from unidelta.config.arguments import arguments_of
from unidelta.config.overrides import check
from unidelta.config.spelling import as_hydra_reads, parse
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


@pytest.mark.parametrize(
    ("typed", "is_multirun", "read"),
    [
        ("task.labels=[țară,b]", False, ["țară", "b"]),
        ("task.labels=[ no , да!, 1e3]", False, ["no", "да!", "1e3"]),
        ("task.label_words=[a(b),c=d]", False, ["a(b)", "c=d"]),
        ("task.extra_eval_splits=[train[-5:],test]", False, ["train[-5:]", "test"]),
        ("task.eval_split=train[-5:],ț", False, None),
        ("task.labels=[a,,b]", False, None),
        ("task.labels=[a,]", True, None),
        ("tracking.group=a,,b", True, None),
        ("method=lora,,mam", True, None),
        ("task.labels=[ț,1e3],[yes,no]", True, ['["ț","1e3"]', "[yes,no]"]),
        ("results_dir=~/a, ~/b#1", True, ["~/a", "~/b#1"]),
    ],
)
def test_texts_with_other_signs_are_read_as_they_stand(typed, is_multirun, read):
    if read is None:
        with pytest.raises(Problems):
            check([typed], is_multirun=is_multirun)
        return
    check([typed], is_multirun=is_multirun)
    override = parse(typed)
    found = [*override.sweep_string_iterator()] if override.is_sweep_override() else override.value()
    assert [str(each).strip('"') for each in found] == read


@pytest.mark.parametrize("is_multirun", [False, True])
@pytest.mark.parametrize(
    ("typed", "n"),
    [
        ('task.labels=[a"b,ț]', (1, 1)),
        ("task.label_words=it's,ț", (1, 1)),
        ('tracking.group=a"b,c', (1, 2)),
        ("tracking.project='x,y,z", (1, 3)),
        ("tracking.group=a{b,'c,d'", (1, 2)),
        ("task.labels=[a,,b]", (1, 1)),
        ('task.labels=["a","b"', (1, 1)),
        ("tracking.group=,a,,b", (1, 2)),
        ("method.attn.options.k=[a,,b]", (1, 1)),
        ("seed=ț", (1, 1)),
        ("method=lorä", (1, 1)),
        ("method='lora,mam,", (1, 2)),
        ('training.max_steps="3', (1, 1)),
        ("method.attn.options.k=ț", (1, 1)),
    ],
)
def test_what_is_advised_for_a_value_that_hydra_does_not_read_can_be_typed(typed, n, is_multirun):
    with pytest.raises(Problems) as refusal:
        check([typed], is_multirun=is_multirun)
    (problem,) = refusal.value.errors
    (advice,) = shlex.split(problem.instead.partition(", the value")[0].partition(" or ")[0].partition(", or ")[0])
    check([advice], is_multirun=is_multirun)
    override = parse(advice)
    values = [*override.sweep_string_iterator()] if override.is_sweep_override() else [override.value()]
    assert len(values) == n[is_multirun]


@pytest.mark.parametrize(
    "typed", ["results_dir=${HOME}/x", "task.path=$HOME", 'tracking.group=a`"${HOME}-${seed}', "hydra.run.dir=${HOME}"]
)
def test_a_variable_that_the_shell_did_not_read_is_advised_in_marks_in_which_it_does(typed, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    with pytest.raises(Problems, match=r"hide \$HOME from the shell") as refusal:
        check([typed.replace('`"', "`")])
    word = refusal.value.instead
    done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, text=True, timeout=20)
    assert done.stdout == typed.replace('`"', "`").replace("${HOME}", "/home/me").replace("$HOME", "/home/me")
    check([done.stdout])


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("tracking.group=${sed}", "tracking.group=${seed}"),
        ("results_dir=r/${method.nam}", "results_dir=r/${method.name}"),
        ("results_dir='sed/${sed}'", "results_dir='sed/${seed}'"),
        ("results_dir=${NO_SUCH_VARIABLE_HERE}", None),
    ],
)
def test_a_reference_to_no_key_is_told(typed, advice):
    with pytest.raises(Problems, match="there is no key") as refusal:
        check([typed])
    if advice is None:
        assert refusal.value.instead == "the value itself"
        return
    assert shlex.split(refusal.value.instead) == [advice]
    check([advice])


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("task.labels=[a", "task.labels=[a]"),
        ("task.labels=a]", "task.labels=[a]"),
        ("task.prompt=[a]", 'task.prompt="[a]"'),
        ("task.prompt={source: a}", 'task.prompt="{source: a}"'),
    ],
)
def test_what_is_advised_for_brackets_can_be_typed(typed, advice):
    with pytest.raises(Problems) as refusal:
        check([typed])
    assert shlex.split(refusal.value.instead) == [advice]
    check([advice])


@pytest.mark.parametrize("key", ["hydra.sweep.dir", "hydra.run.dir"])
@pytest.mark.parametrize("typed", ["~/x y", '"~/x y"', "'~'"])
def test_a_folder_of_hydra_may_be_in_ones_home(key, typed, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    check([f"{key}={typed}"])
    (word,) = as_hydra_reads([f"{key}={typed}"])
    assert parse(word).value() == typed.strip("\"'").replace("~", "/home/me")
    assert as_hydra_reads(["hydra.sweep.dir=logs/${now:%Y}"]) == ["hydra.sweep.dir=logs/${now:%Y}"]


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
