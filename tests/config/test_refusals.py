"""Everything that cannot be is refused in three lines: what was asked, why not, what to type instead."""

import re

import pytest

from unidelta.backbones.config_file import read_config
from unidelta.config import compose as composing
from unidelta.config.compose import compose
from unidelta.config.groups import options
from unidelta.config.resolve import published_architecture, resolve
from unidelta.errors import ConfigError, Problems, UserError

# words: (how many problems, words of the first reason, words of the first way out)
REFUSED = {
    "method=nope": (1, "there is no method `nope`", "method=adapter or method="),
    "method=lorra": (1, "there is no method `lorra`", "method=lora"),
    "method=full method.kind=deltas position=attn": (1, "the kind is the method's own", "method=full, method=bitfit"),
    "task=xsumm": (1, "there is no task `xsumm`", "task=xsum"),
    "scale=tiny": (1, "there is no scale `tiny`", "scale=mini or scale=paper"),
    "metod=lora": (1, "there is no key `metod`", "method"),
    "training.learningrate=1": (1, "there is no key `training.learningrate`", "training.learning_rate"),
    "learning_rate=1": (1, "there is no key `learning_rate`", "training.learning_rate"),
    "+colour=red": (1, "no key `colour`", ""),
    "+seed=1": (1, "keys are neither added nor deleted", "seed=1"),
    "~seed": (1, "keys are neither added nor deleted", ""),
    "seed=abc": (1, "value 'abc' of type 'str' could not be converted to Integer", "seed=42"),
    "seed=1.5": (1, "could not be converted to Integer", "seed=42"),
    "dry_run=maybe": (1, "is not a valid bool", "dry_run=False"),
    "training.batch_size=many": (1, "could not be converted to Integer", "training.batch_size=16"),
    "word": (1, "it cannot be read as key=value", "key=value"),
    "seed=-1": (1, "it must be a finite number, between 0 and 4294967295", "seed=42, the default"),
    f"seed={10**400}": (1, "it must be a finite number, between 0 and 4294967295", "seed=42, the default"),
    "training.learning_rate=inf": (1, "it must be a finite number, above 0", "training.learning_rate=0.001"),
    "training.batch_size=0": (1, "it must be a finite number, 1 or more", "training.batch_size=16"),
    "training.schedule=cosine": (1, "the choices are polynomial, linear, constant", "training.schedule=polynomial"),
    "training.epochs=3": (1, "length of a run is stated once", "training.epochs=3 training.max_steps=null, or"),
    "training.max_steps=null": (1, "a run has a length", "training.max_steps=300 or training.epochs=3"),
    "training.max_steps=2e2": (1, "could not be converted to Integer", "training.max_steps=200"),
    "training.max_tokens=0": (1, "1 or more", "training.max_tokens=null, which counts"),
    "training.warmup_steps=400 training.warmup_ratio=0 training.max_steps=300": (
        1,
        "would end before its warm-up",
        "training.warmup_steps=0, or at most 299",
    ),
    "training.static_batches=true": (
        1,
        "only batches of a number of tokens can be static",
        "training.max_tokens=4096, or",
    ),
    "task=wmt_en_ro scale=paper training.max_tokens=null": (1, "can be static", "training.static_batches=false"),
    "training.loss_normalisation=sum": (
        1,
        "the choices are tokens, micro_batches",
        "training.loss_normalisation=tokens",
    ),
    "task.source=local": (1, "it needs the folder with the splits", "task.source=local task.path=DIR"),
    "task.path=x": (
        1,
        "a path is read with task.source=local or task.source=hub only",
        "task.source=local task.path=x",
    ),
    "task=xsum method=lora training.head=trained": (1, "a bart has no classification head", "leave training.head out"),
    "task=xsum task.max_target_length=null": (1, "keeps a number of tokens", "task.max_target_length=128"),
    "task=summarization task.path=. task.max_target_length=null task.eval_max_target_length=null": (
        2,
        "a task of kind summarization keeps a number of tokens",
        "task.max_target_length=128",
    ),
    "task=wmt_en_ro task.eval_max_target_length=null": (1, "keeps a number", "task.eval_max_target_length=128"),
    "task=sst2 backbone=bart": (1, "sst2 classifies, and bart is an encoder-decoder", "backbone=roberta or"),
    "task=xsum backbone=bert": (1, "xsum generates text, and bert has no decoder", "backbone=bart or backbone=mbart"),
    "method=prefix insertion=sequential": (1, "it is parallel by its equation (Eq. 7–10)", "insertion=parallel, or"),
    "method=prefix position=ffn": (
        1,
        "it is defined at attn, because a prefix changes attention heads",
        "position=attn",
    ),
    "method=adapter composition=gated": (1, "only a prefix has a softmax", "composition=additive"),
    "method=adapter position=none": (1, "a delta needs a position", "position=attn or position=ffn"),
    "method=full position=attn": (1, "full inserts no delta, so it has no position", "method=full alone"),
    "method=full budget=paper": (1, "full inserts no delta, so it has no budget", "method=full alone"),
    "method=prompt position=attn": (1, "prompt inserts no delta, so it has no position", "method=prompt alone"),
    "method=prompt task=mnli": (1, "the classifier reads the first position", "method=prefix"),
    "method=adapter composition=additive composition.scale=4": (
        1,
        "only the scaled composition has an s; additive would ignore it",
        "composition=scaled composition.scale=4",
    ),
    "method=full task=mnli training.head=frozen": (1, "full trains every parameter", "method=full training.head=conv"),
    "method=prefix method.attn.reparameterisation=direct method.attn.prefix_dropout=0.1 method.attn.mlp_width=800": (
        2,
        "P_k, P_v are trained directly, so no MLP makes them",
        "leave method.attn.mlp_width out, or method.attn.reparameterisation=mlp",
    ),
    "method=adapter method.ffn.mlp_width=800 method.ffn.prefix_dropout=0.1 method.ffn.reparameterisation=direct": (
        3,
        "only a prefix and a multi-head adapter would read it",
        "leave method.ffn.reparameterisation out, or method.ffn.form=prefix",
    ),
    "method=adapter method.ffn.scale=2 seed=-1": (2, "a finite number", "seed=42"),
    "method=lora composition=additive method.attn.scale=4": (
        1,
        "only the scaled composition has an s; additive would ignore it",
        "leave method.attn.scale out, or composition=scaled",
    ),
    "method=mam method.attn.scale=4": (1, "gated would ignore it", "or method.attn.composition=scaled"),
    "method=lora composition.scale=2 method.attn.scale=3": (
        1,
        "composition.scale is the s of every scaled slot",
        "leave method.attn.scale out, or leave composition.scale=2 out",
    ),
    "composition.scale=0": (1, "must be finite and positive", "composition=scaled composition.scale=4"),
    "budget=percent": (1, "it does not say how large the delta is", "budget.percent=3.6"),
    "budget=percent budget.percent=-1": (1, "above 0 and below 100", "budget.percent=3.6"),
    "budget=percent budget.percent=99": (1, "the slot can hold at most 1024", "budget.percent="),
    "budget=percent budget.percent=nan": (1, "above 0 and below 100", "budget.percent=3.6"),
    "budget=percent budget.percent=1e-9": (1, "this budget is too small", "budget.percent="),
    "budget=bottleneck budget.bottleneck=0": (1, "a bottleneck below 1 tunes nothing", "budget.bottleneck=30"),
    "budget=bottleneck budget.percent=3": (1, "budget=bottleneck reads", "budget=percent budget.percent=3, or"),
    "budget=paper budget.bottleneck=3": (1, "budget=paper reads no size", "budget=bottleneck budget.bottleneck=3, or"),
    "budget.percent=2 budget=bottleneck": (
        1,
        "reads budget.bottleneck, budget.attn",
        "budget=percent budget.percent=2",
    ),
    "method=adapter position=attn budget=bottleneck budget.ffn=5": (
        1,
        "no delta at ffn",
        "position=ffn or position=both",
    ),
    "method=adapter position=attn method.attn.form=adapter": (1, "the choices are bottleneck, low_rank", "method.attn"),
    "method=full method.attn.bottleneck=3": (1, "method=full", ""),
    "method=prefix method.ffn.bottleneck=3": (1, "has no `method.ffn`", ""),
    "method=lora method.attn.targets=[up]": (1, "attention has the linear maps query, key, value", "targets=[query"),
    "seed=-1 training.batch_size=0 task.path=x method=prefix insertion=sequential": (4, "a finite number", "seed=42"),
    "metod=lora seed=abc +x=1 method=nope": (4, "there is no key `metod`", "method"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_mistake_is_told_in_three_lines_with_all_the_others(asked, words):
    n_problems, why, instead = REFUSED[words]
    with pytest.raises(UserError) as refusal:
        asked(*words.split())
    errors = refusal.value.errors if isinstance(refusal.value, Problems) else (refusal.value,)
    assert len(errors) == n_problems, str(refusal.value)
    assert why in errors[0].why
    assert errors[0].instead.startswith(instead) or instead in errors[0].instead
    for error in errors:
        first, second, third = str(error).splitlines()
        assert first.startswith("You asked:  ") and len(first) > 12
        assert second.startswith("Why not:    ") and len(second) > 12
        assert third.startswith("Instead:    ") and len(third) > 12
    assert "Traceback" not in str(refusal.value)


@pytest.mark.parametrize(
    ("words", "asked_words"),
    [
        ("budget=paper budget.bottleneck=1234567", "budget=paper budget.bottleneck=1234567"),
        ("method=full budget.bottleneck=1234567", "method=full budget.bottleneck=1234567"),
        ("budget=paper budget.percent=3.6", "budget=paper budget.percent=3.6"),
    ],
)
def test_numbers_are_told_as_they_are_typed(asked, words, asked_words):
    with pytest.raises(Problems) as refusal:
        asked(*words.split())
    assert refusal.value.asked == asked_words


def test_a_method_that_puts_deltas_nowhere_is_refused_with_a_way_out():
    """Without `check` before it, as a notebook would, or from a file without slots."""
    config = compose(["method=full", "method.kind=deltas", "position=attn"])
    architecture = published_architecture(config.backbone, n_labels=0)
    with pytest.raises(Problems, match=r"neither method\.attn nor method\.ffn") as refusal:
        resolve(config, architecture=architecture, published=architecture)
    assert refusal.value.instead == "one of them in the method's file, or a method such as method=adapter"


def test_several_problems_are_numbered(asked):
    with pytest.raises(Problems) as refusal:
        asked("seed=-1", "training.batch_size=0")
    blocks = str(refusal.value).split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["Problem 1 of 2", "Problem 2 of 2"]
    assert all(len(block.splitlines()) == 4 for block in blocks)


def test_composing_what_cannot_be_composed_is_a_configuration_error_and_no_more(monkeypatch, composed):
    """Without `check` before it, as a notebook would: one message, no stack of Hydra's, and the next one composes."""
    monkeypatch.setattr(composing, "folders", list)  # whose files it would read through for a mistake, each time
    for words in (["method=nope"], ["seed=abc"], ["nokey=1"], ["=="]):
        with pytest.raises(ConfigError) as refusal:
            compose(words)
        assert refusal.value.asked == " ".join(words)
        assert len(str(refusal.value).splitlines()) == 3
    assert compose(["method=lora"]) == composed("method=lora")


IGNORED_OR_CRASHING = (
    "method=full composition.scale=4",
    "method=prompt composition.scale=4",
    "method=full budget.percent=3",
    "method=prompt budget=bottleneck budget.attn=5",
    "position.slots=[attn,foo]",
    "backbone.family=gpt2",
    "method=adapter position=attn method.attn.at_layer_output=true",
    "method=adapter method.flexible=[foo]",
    "method=lora method.name=mam",
)


@pytest.mark.parametrize("words", IGNORED_OR_CRASHING)
def test_what_would_be_ignored_or_crash_is_refused(asked, words):
    with pytest.raises(UserError):
        asked(*words.split())


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("method=lora task=mnli scale=paper composition=additive", "scale", 1.0),  # s = 2 is the files'
        ("method=lora task=mnli scale=paper composition.scale=3", "scale", 3.0),
        ("method=lora task=mnli scale=paper", "scale", 2.0),
        ("method=lora method.attn.scale=3", "scale", 3.0),
        ("method=prefix", "mlp_width", 800),
        ("method=prefix method.attn.mlp_width=7 method.attn.prefix_dropout=0.1", "mlp_width", 7),
        ("method=prefix method.attn.reparameterisation=direct method.attn.prefix_dropout=0", "prefix_dropout", 0.0),
    ],
)
def test_what_is_used_and_what_nobody_typed_passes(asked, words, field, value):
    assert getattr(asked(*words.split()).design.parts[0], field) == value


def test_one_mistake_is_told_once(asked):
    with pytest.raises(Problems) as refusal:
        asked("conventions=authors")
    assert len(refusal.value.errors) == 1


@pytest.mark.parametrize("bottleneck", [0, -5, 5000])
def test_a_size_that_is_refused_on_the_published_backbone_is_refused_on_a_small_one(asked, bottleneck):
    words = ("method=adapter", f"method.ffn.bottleneck={bottleneck}")
    for saves_apart in (False, True):
        with pytest.raises(Problems):
            asked(*words, saves_apart=saves_apart)


@pytest.mark.parametrize("word", ["~seed", "~method", "~training.batch_size"])
def test_the_way_out_of_a_deletion_can_be_typed(asked, word):
    with pytest.raises(Problems) as refusal:
        asked(word)
    asked(*refusal.value.instead.split())


def test_the_backbones_that_are_advised_are_those_that_can_be_typed(asked, tmp_path):
    advice: list[str] = []
    for words in ("task=xsum backbone=electra", "task=sst2 backbone=marian"):
        with pytest.raises(Problems) as refusal:
            asked(*words.split())
        advice += [error.instead for error in refusal.value.errors]
    (tmp_path / "config.json").write_text('{"model_type": "gemma3_text"}')
    with pytest.raises(UserError) as refusal:
        read_config(tmp_path / "config.json", family="llama", asked="backbone.checkpoint=DIR")
    named = {name for words in [*advice, refusal.value.instead] for name in re.findall(r"backbone=(\S+)", words)}
    assert {"qwen2", "xlm-roberta", "gemma3"} <= named <= set(options("backbone"))
