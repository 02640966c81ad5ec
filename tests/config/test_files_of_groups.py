"""Files that somebody adds are used, or refused because nothing would read them."""

import sys
from functools import cache

import pytest

import unidelta
from unidelta.config import compose as composing
from unidelta.config import strays
from unidelta.config.compose import compose
from unidelta.config.overrides import check
from unidelta.config.own_files import check_own_files, mistakes
from unidelta.config.schema import ComposedConfig
from unidelta.config.strays import check_strays
from unidelta.design.form import FORMS
from unidelta.errors import ConfigError, DesignError, Problems
from unidelta.extensions.folders import add_folder, added_folders
from unidelta.extensions.paths import CONF
from unidelta.run.prepare import prepare
from unidelta.tasks.metrics.metric import METRICS

from ..own_registries import keep


@cache
def default() -> ComposedConfig:
    """What is composed of no words, whatever files of a user's own there are."""
    return compose([])


@pytest.mark.parametrize("header", ["", "# @package _global_\n"])
def test_an_experiment_is_read_with_and_without_its_package(folder, header):
    body = "defaults:\n  - override /method: prefix\n  - override /task: sst2\nseed: 11\ntraining: {max_steps: 12}\n"
    folder({"experiment/of_mine.yaml": header + body, "experiment/deep/er.yaml": header + "seed: 5\n"})
    check(["experiment=of_mine", "experiment=deep/er"])
    config = compose(["experiment=of_mine", "training.max_steps=13"])
    assert (config.method.name, config.task.name, config.seed, config.training.max_steps) == ("prefix", "sst2", 11, 13)
    assert compose(["experiment=deep/er"]).seed == 5
    for word in ("experiment=null", "experiment=none"):
        assert compose([word]) == default()


def test_what_an_experiment_says_in_vain_is_told(folder, capsys):
    folder({"experiment/vain.yaml": "task: {hub_config: abc, max_train_examples: 9}\n"})
    prepare(compose(["experiment=vain", "task=sst2", "method=lora"]))
    told = capsys.readouterr().err
    assert "Nothing reads task.hub_config, which the experiment sets: the rows are those of task.source=mini" in told
    assert "max_train_examples" not in told


def test_an_experiment_with_a_key_that_does_not_exist_is_refused(folder):
    folder({"experiment/typo.yaml": "training: {max_stepz: 3}\n"})
    with pytest.raises(Exception, match="max_stepz"):
        compose(["experiment=typo"])


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ("method/lora", "another name for method/lora.yaml"),
        ("scale/mini", "another name for scale/mini.yaml"),
        ("tuned/mini/xsum_lora", "experiment/NAME.yaml with the values of tuned/mini/xsum_lora.yaml"),
        ("scale_task/small_sst2", "experiment/NAME.yaml with the values of scale_task/small_sst2.yaml"),
    ],
)
def test_a_file_that_would_be_hidden_behind_one_of_ours_is_refused(place, instead, tmp_path):
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / f"{place}.yaml").write_text("training: {max_steps: 3}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"is there already: .*{place}.yaml") as refusal:
        add_folder(tmp_path)
    assert refusal.value.instead.startswith(instead)
    assert tmp_path.resolve() not in added_folders()


def test_tuned_values_are_read_for_one_scale_and_for_all(folder):
    folder(
        {
            "tuned/sst2_ia3.yaml": "# @package _global_\ntraining: {max_steps: 7, weight_decay: 0.5}\n",
            "tuned/mini/sst2_ia3.yaml": "training: {weight_decay: 0.25}\n",
        }
    )
    check([])
    training = compose(["method=ia3", "task=sst2"]).training
    assert (training.max_steps, training.weight_decay) == (7, 0.25)
    assert compose(["method=ia3", "task=sst2", "scale=paper"]).training.weight_decay == 0.5


@pytest.mark.parametrize(
    ("name", "why"),
    {
        "tuned/xsum-lora.yaml": "no option has that name",
        "tuned/tiny/xsum_lora.yaml": "no option has that name",
        "tuned/mini/xsum_lorra.yaml": "no option has that name",
        "scale_task/xsum.yaml": "no option has that name",
        "method/mine.yml": "end in .yaml",
        "tuned/mini/sst2_ia3.YAML": "end in .yaml",
        "scale/mine.Yml": "end in .yaml",
        "forms/mine.PY": "end in .py",
        "METHOD/mine.yaml": "the folders of groups",
        "Forms/mine.py": "Python is imported from forms/",
        "methods/mine.yaml": "the folders of groups",
        "experiments/mine.yaml": "the folders of groups",
        "sweep/mine.yaml": "the folders of groups",
        "metric/mine.py": "Python is imported from forms/, generators/",
        "compositons/mine.py": "Python is imported from",
    }.items(),
)
def test_a_file_that_nothing_reads_is_refused(folder, name, why):
    folder({name: "seed: 3\n"})
    with pytest.raises(Problems, match=why) as refusal:
        check([])
    assert name in refusal.value.asked


HEAD = "# @package _global_\ndefaults:\n  - override /position: ffn\n  - override /insertion: parallel\n"
SLOT = "method: {name: mine, ffn: {form: bottleneck, bottleneck: 8}, flexible: [ffn]}\n"


@pytest.mark.parametrize(
    ("name", "content", "why", "instead"),
    [
        ("method/mine", "method:\n  name: [mine", r"it is not YAML: line 2, column 14", "valid YAML"),
        ("budget/mine", "percent: 3\n\tname: mine", r"it is not YAML: line 2, column 1", "valid YAML"),
        ("training/mine", "batch_size: 3\nbatch_size: 4", "found duplicate key batch_size", "valid YAML"),
        ("task/mine", "# nothing yet\n", "it has no keys", "keys like those of"),
        ("method/mine", HEAD.partition("\n")[2] + SLOT, "without its header", "# @package _global_"),
        ("method/mine", HEAD.replace("parallel", "paralel") + SLOT, "there is no insertion `paralel`", "parallel"),
        ("task/mine", "defaults:\n  - sumarization\nname: mine", "no task `sumarization`", "summarization"),
        (
            "method/mine",
            HEAD + SLOT.replace("bottleneck:", "botleneck:"),
            r"method.ffn.botleneck`",
            "method.ffn.bottleneck",
        ),
        ("task/mine", "defaults:\n  - xsum\nname: mine\nbeams: 3", "no key `task.beams`", "task.generation.num_beams"),
        ("method/mine", HEAD + SLOT.replace("[ffn]", "ffn"), "str is not a ListConfig", "[ffn]"),
        ("experiment/mine", "training: {max_steps: many}", "could not be converted", "a value of its type"),
        ("method/mine", HEAD + SLOT.replace("mine", "mime"), "a method is named after its file", "name: mine"),
        ("task/mine", "defaults:\n  - xsum\nmax_train_examples: 3", "a task is named after its file", "name: mine"),
        ("task/mine", "defaults:\n  - _self_\n  - xsum\nname: mine", "overrides this file", "[xsum, _self_]"),
        (
            "method/mine",
            "# @package _global_\ndefaults: [_self_, lora]\nmethod: {name: mine}",
            "overrides",
            "[lora, _self_]",
        ),
        ("experiment/mine", "training: null", "keys below it, such as max_steps", "training: {max_steps: …}, or leave"),
        ("task/mine", "defaults: [xsum]\nname: mine\ngeneration: 6", "keys below it", "generation: {num_beams: …}"),
        ("experiment/mine", "defaults: [1: 2]", "an entry names a group", "override /GROUP: OPTION"),
        ("training/mine", "optim.wd: 3", "a dot is a part of the name", "weight_decay: 3"),
    ],
)
def test_a_mistake_in_a_file_of_ones_own_is_told_with_the_file(folder, name, content, why, instead):
    path = folder({f"{name}.yaml": content})
    with pytest.raises(Problems, match=why) as refusal:
        check_own_files()
    assert refusal.value.instead.startswith(instead)
    assert f"{path / name}.yaml" in refusal.value.asked
    with pytest.raises(Problems, match=why):
        unidelta.register(path)


@pytest.mark.parametrize(
    ("content", "mended"),
    [
        ("training.max_steps: 7", "training: {max_steps: 7}"),
        ("task.generation.num_beams: 2", "task: {generation: {num_beams: 2}}"),
        ("tracking.group: x y", 'tracking: {group: "x y"}'),
        ("training: {max_stepz.x: 7, epochs: null}\ntraining.max_step: 7", None),
        ("method: lora", "defaults: [override /method: lora]"),
        ("task: SST-2", "defaults: [override /task: sst2]"),
        ("defaults: [method: prefix]", "defaults: [override /method: prefix]"),
        ("defaults:\n  - /task: mnli\n", "defaults: [override /task: mnli]"),
        ("defaults: [override scale: paper]", "defaults: [override /scale: paper]"),
        ("defaults: [override /method=lora]", "defaults: [override /method: lora]"),
        ("defaults:\n  - position:ffn\n  - override /method: adapter\n", "defaults: [override /position: ffn]"),
        (
            "defaults:\n  override /method: lora\n  override /task: sst2\n",
            "defaults: [override /method: lora, override /task: sst2]",
        ),
    ],
)
def test_what_is_advised_for_a_slip_in_an_experiment_can_be_written(folder, content, mended):
    path = folder({"experiment/mine.yaml": content})
    with pytest.raises(Problems) as refusal:
        check_own_files()
    if mended is None:
        assert [error.instead for error in refusal.value.errors][1] == "max_steps: 7, below training"
        return
    (problem,) = refusal.value.errors
    assert problem.instead in (mended, mended.removeprefix("defaults: [").removesuffix("]"))
    assert problem.asked.endswith(f"in {path / 'experiment' / 'mine.yaml'}")
    (path / "experiment" / "mine.yaml").write_text(mended, encoding="utf-8")
    check_own_files()
    assert compose(["experiment=mine"]) != default()


def test_a_slip_in_a_file_of_the_project_is_told_where_it_makes_hydra_fail(tmp_path, monkeypatch):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "default.yaml").write_text("max_stepz: 3\n", encoding="utf-8")
    monkeypatch.setattr(composing, "folders", lambda: [tmp_path])
    refusal = composing.not_composable(["seed=1"], ValueError("Key 'max_stepz' not in 'TrainingConfig'"))
    assert (refusal.why, refusal.instead) == ("there is no key `training.max_stepz`", "training.max_steps")


FORM = "from unidelta.design.form import Form, register_form\n\n\n@register_form\n"
MENDED = """
from dataclasses import replace
from unidelta.tasks.metrics.metric import METRICS
METRICS.register(replace(METRICS["accuracy"], name="mended"))
x = "mended"
"""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("forms/a.py", "x = 1\ny = x / 0\n", "a.py:2 cannot be imported: ZeroDivisionError: division by zero"),
        ("forms/a.py", "x = (\n", "a.py cannot be imported: SyntaxError: '(' was never closed (a.py, line 1)"),
        ("metrics/b.py", "\nimport no_such_module\n", "b.py:2 cannot be imported: ModuleNotFoundError"),
        ("forms/a.py", f"{FORM}class Mine:\n    name = 'mine'\n", "it is not a Form"),
        (
            "forms/a.py",
            f"{FORM}class Mine(Form):\n    name = 'mine'\n",
            "a.py:4 cannot be imported: TypeError: Can't inst",
        ),
    ],
)
def test_python_of_ones_own_that_does_not_import_is_told_with_its_line(folder, monkeypatch, name, content, said):
    keep(monkeypatch, METRICS)
    with pytest.raises((ConfigError, DesignError)) as refusal:
        folder({name: content})
    assert said in refusal.value.why and refusal.value.instead
    assert not added_folders() and "mine" not in FORMS
    path = folder({name: MENDED})
    assert added_folders() == [path]
    files = {str(getattr(module, "__file__", None)): module for module in list(sys.modules.values())}
    assert files[str(path / name)].x == "mended"


def test_what_hydra_reads_in_defaults_is_not_refused(folder):
    folder({"experiment/mine.yaml": "defaults:\n  - override  /task: mnli\n  - optional /task: mine\n"})
    check_own_files()


def test_all_mistakes_of_all_files_are_told_at_once(folder):
    folder(
        {
            "method/one.yaml": HEAD + "method: {name: two, ffn: {fom: low_rank}}\n",
            "training/three.yaml": "steps: 4\nlr: x\n",
        }
    )
    with pytest.raises(Problems) as refusal:
        check_own_files()
    assert [error.instead for error in refusal.value.errors] == [
        *("method.ffn.form", "name: one", "training.max_steps", "training.learning_rate"),
    ]


def test_the_projects_own_files_have_none_of_these_mistakes():
    assert list(mistakes(CONF)) == []


def test_other_things_may_lie_in_a_folder_of_ones_own(folder):
    folder({"data/set.yaml": "a: 1\n", "sweeps/s.yaml": "- seed=1\n", "notes.yml": "a: 1\n"})
    check_strays()


def test_a_stray_beside_config_yaml_is_refused(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("a: 1\n")
    (tmp_path / "mine.yaml").write_text("seed: 3\n")
    monkeypatch.setattr(strays, "CONF", tmp_path)
    monkeypatch.setattr(strays, "folders", lambda: [tmp_path])
    with pytest.raises(Problems, match="the folders of groups"):
        check_strays()


def test_who_chooses_a_file_that_is_chosen_by_its_name_is_told():
    for word in ("tuned=mini/xsum_lora", "scale_task=mini_xsum"):
        with pytest.raises(Problems, match="is chosen automatically"):
            check([word])
