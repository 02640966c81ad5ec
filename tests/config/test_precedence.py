"""command line > experiment > tuned > scale_task > scale > task > method > config.yaml, in any order of the words."""

from itertools import pairwise, permutations
from pathlib import Path

import pytest

from unidelta.config.compose import compose
from unidelta.config.composer import Composer
from unidelta.errors import ConfigError

LEVELS = ("config", "method", "task", "scale", "scale_task", "tuned", "experiment", "command line")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> str:
    """A folder of throwaway options; each says who set `seed`, and shares one more key with its neighbours."""
    root: Path = tmp_path_factory.mktemp("conf")

    def option(group: str, name: str, body: str) -> None:
        path = root / group / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{body}\n", encoding="utf-8")

    sets = {
        "method": ("training.warmup_steps=1", "training.eval_batch_size=1"),
        "task": ("training.eval_batch_size=2", "training.adam_beta1=0.2"),
        "scale": ("training.adam_beta1=0.3", "training.max_grad_norm=3"),
        "scale_task": ("training.max_grad_norm=4", "training.adam_beta2=0.4"),
        "tuned": ("training.adam_beta2=0.5", "training.weight_decay=0.5"),
        "experiment": ("training.weight_decay=0.6", "seed=6"),
    }
    for group, values in sets.items():
        lines = [
            "training:",
            *(f"  {v.removeprefix('training.').replace('=', ': ')}" for v in values if "." in v.split("=")[0]),
        ]
        lines += [v.replace("=", ": ") for v in values if "." not in v.split("=")[0]]
        own = {"method": "method: {name: m, kind: full_fine_tuning}", "task": "task: {name: t, kind: summarization}"}
        own |= {"scale": "scale: {name: s}"}
        name = {"tuned": "s/t_m", "scale_task": "s_t"}.get(group, group[0])
        option(group, name, "\n".join([*lines, own.get(group, "")]))
    option(
        "experiment", "deep", "defaults:\n  - override /method: lora\n  - override /composition: learned_scale\nseed: 9"
    )
    return f"hydra.searchpath=[file://{root}]"


def test_each_level_beats_the_one_below(elsewhere):
    words = [elsewhere, "method=m", "task=t", "scale=s", "experiment=e"]
    config = compose(words)
    found = {
        "training.warmup_steps": config.training.warmup_steps,  # 0 in the schema, 1 by the method
        "training.eval_batch_size": config.training.eval_batch_size,  # method 1, task 2
        "training.adam_beta1": config.training.adam_beta1,  # task 0.2, scale 0.3
        "training.max_grad_norm": config.training.max_grad_norm,  # scale 3, scale_task 4
        "training.adam_beta2": config.training.adam_beta2,  # scale_task 0.4, tuned 0.5
        "training.weight_decay": config.training.weight_decay,  # tuned 0.5, experiment 0.6
        "seed": config.seed,  # config.yaml 42, experiment 6
    }
    assert list(found.values()) == [1, 2, 0.3, 4, 0.5, 0.6, 6]
    typed = compose([*words, *(f"{key}=7" for key in found)])
    assert [typed.seed, typed.training.warmup_steps, typed.training.weight_decay] == [7, 7, 7]
    assert len(list(pairwise(LEVELS))) == len(found)


def test_an_experiment_beats_the_method_and_the_command_line_beats_both(elsewhere):
    alone = compose([elsewhere, "experiment=deep"])
    assert (alone.method.name, alone.position.name, alone.composition.name, alone.seed) == (
        "lora",
        "attn",
        "learned_scale",
        9,
    )
    typed = compose([elsewhere, "experiment=deep", "composition=scaled", "seed=1"])
    assert (typed.method.name, typed.composition.name, typed.seed) == ("lora", "scaled", 1)
    assert compose([elsewhere, "experiment=deep", "method=prefix"]).method.name == "prefix"


@pytest.mark.parametrize(
    ("words", "read", "value"),
    [
        (["method=lora"], lambda c: c.position.name, "attn"),
        (["method=lora", "position=ffn"], lambda c: c.position.name, "ffn"),
        (["method=mam", "task=mnli", "scale=paper"], lambda c: c.method.ffn.bottleneck, 16),
        (["method=mam", "task=mnli", "method.ffn.bottleneck=9"], lambda c: c.method.ffn.bottleneck, 9),
        (["method=mam", "task=xsum", "scale=paper"], lambda c: c.method.ffn.bottleneck, 512),
        (["task=mnli", "scale=paper"], lambda c: c.training.learning_rate, 1e-4),
        (["task=mnli", "scale=mini", "method=frozen"], lambda c: c.training.learning_rate, 3e-3),
        (["task=mnli", "scale=mini", "training.learning_rate=2e-3"], lambda c: c.training.learning_rate, 2e-3),
        (["task=mnli"], lambda c: c.backbone.family, "roberta"),
        (["task=mnli", "backbone=bert"], lambda c: c.backbone.family, "bert"),
    ],
)
def test_the_shipped_options_obey_it_too(composed, words, read, value):
    assert read(composed(*words)) == value


@pytest.mark.parametrize(
    "words",
    [
        ("method=lora", "position=ffn", "composition=learned_scale"),
        ("task=mnli", "backbone=bert", "method=mam"),
        ("scale=paper", "task=xsum", "training.learning_rate=1e-3"),
    ],
)
def test_the_order_of_the_words_does_not_matter(words):
    first, *others = (compose(order) for order in list(permutations(words))[::2])
    assert all(other == first for other in others)


def test_two_compositions_do_not_share_anything():
    first, second = compose(["method=lora"]), compose(["method=lora"])
    first.method.attn.targets.append("key")
    assert second.method.attn.targets == ["query", "value"]


@pytest.mark.parametrize(
    "words",
    [
        (
            "method=lora",
            "seed=3",
            "composition.scale=2",
            "training.max_steps=null",
            "training.epochs=3",
            "layers=[0,1]",
        ),
        ("experiment=quick", "seed=4", "method.attn.targets=[query,key]", "method=mam", "method.attn.options.k=3"),
        ("task=mnli", "task.path=~/a#b", "results_dir=${task.name}", "task.source=local", "task.labels=[țară,1e3]"),
        ('tracking.group="a,b"', "task=sst2"),
        ("backbone.checkpoint=a/b", "seed=1", "scale=paper", "task=wmt_en_ro", "seed=2", "training.precision=bf16"),
    ],
)
def test_values_that_a_composer_sets_are_what_hydra_makes_of_them(composed, words):
    found, expected = composed(*words), compose(words)
    assert found == expected
    assert (found.typed, found.said) == (expected.typed, expected.said)


@pytest.mark.parametrize("words", [["task=nope"], ["seed=1.5"]])
def test_what_a_composer_cannot_compose_is_refused_in_the_words_of_hydra(words):
    with pytest.raises(ConfigError) as expected:
        compose(words)
    with pytest.raises(ConfigError) as found:
        Composer().compose(words)
    assert str(found.value) == str(expected.value)
