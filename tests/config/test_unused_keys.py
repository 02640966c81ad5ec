"""What somebody typed is read, or refused with the reason; and what is not read changes no run's name."""

from copy import deepcopy
from typing import Any, get_args

import pytest

from unidelta.config.keys import keys, types
from unidelta.config.resolve import CHOICES
from unidelta.config.schema import RunConfig
from unidelta.errors import Problems, UserError
from unidelta.records.identity import run_id
from unidelta.run.identity import identity
from unidelta.run.prepare import prepare

IN_TOKENS = "task=wmt_en_ro scale=paper"
# words: part of the way out
UNUSED = {
    "method=lora method.ffn.bottleneck=64": "leave method.ffn.bottleneck out, or position=ffn",
    "method=mam position=ffn method.attn.bottleneck=3": "leave method.attn.bottleneck out, or position=attn",
    "method=adapter budget=percent budget.percent=6.7 method.ffn.bottleneck=3": "budget=paper method.ffn.bottleneck=3",
    "method=prompt budget=bottleneck budget.bottleneck=5 method.length=9": "budget=paper method.length=9",
    "method=adapter_houlsby budget=bottleneck budget.ffn=5 method.ffn.bottleneck=9": "budget=paper",
    "method=adapter method.flexible=[ffn]": "budget=percent",
    "method=mam position=attn insertion=parallel": "leave insertion out",
    "method=prefix_lora position=attn composition=additive": "leave composition out",
    f"{IN_TOKENS} training.batch_size=8": "training.max_tokens=null training.batch_size=N",
    "task=wmt_en_ro task.generation.length_penalty=2": "task.generation.num_beams",
    "task=mnli task.test_split=validation_matched": "task.source=hub",
    "task=mnli task.eval_max_target_length=9": "task=xsum",
    "task=mnli backbone.hub_revision=main": "scale=paper",
    "task=sst2 method=frozen training.warmup_ratio=0.1": "a method that trains",
    "task=xsum method=frozen backbone.dropout=0.3": "a method that trains",
    "task=wmt_en_ro method=frozen backbone.attention_dropout=0.2": "a method that trains",
    "task=xsum task.target_language=ro_RO": "backbone=mbart",
    "task=xsum task.columns.text=null": "leave it out",
    "task=mnli task.columns.source=null": "leave it out",
    "task=xsum task.labels=null": "task=classification",
    "task=mnli scale=paper task.mini_test_splits=[test_matched]": "task.source=mini",
    "task=sst2 scale=paper task.path=a/b task.hub_id=c/d": "leave one of the two out",
    "task=xsum scale=paper mini.seed=0": "leave mini.seed out, or task.source=mini",
    "task=wmt_en_ro task.classify_by=words": "leave it out, or task=classification",
    "task=mnli task.classify_by=words": "backbone=llama",
}
READ = (
    "method=lora position=ffn method.ffn.bottleneck=64",
    "method=lora position=both method.ffn.bottleneck=64 method.attn.bottleneck=3",
    "method=mam budget=percent budget.percent=6.7 method.attn.bottleneck=3",  # the FFN alone is flexible
    "method=adapter_houlsby budget=bottleneck budget.ffn=5 method.attn.bottleneck=9",
    "method=prompt method.length=9",
    "method=mam position=ffn insertion=parallel",
    "task=wmt_en_ro training.batch_size=8",
    f"{IN_TOKENS} training.max_tokens=null training.static_batches=false training.batch_size=8",
    "task=xsum task.generation.num_beams=2 task.generation.length_penalty=2",
    "task=sst2 scale=paper task.hub_config=sst2",
    "task=sst2 scale=paper task.path=a/b task.hub_config=sst2",
    "task=mnli task.mini_test_splits=[test_mismatched]",
    "task=xsum task.metrics=[chrf,bleu] task.select_by=bleu task.title=X",
    "task=sst2 task.columns.text=sentence task.columns.text_pair=null task.labels=[a,b] resume=any",
    "method=frozen task=xsum training.eval_batch_size=7 seed=3",
    "method=frozen task=wmt_en_ro task.max_train_examples=7",  # every run reads and counts the training split
    "method=frozen training.head=trained task=sst2 backbone.dropout=0.3 backbone.attention_dropout=0.2",
)


@pytest.mark.parametrize("words", UNUSED)
def test_what_nothing_would_read_is_refused(composed, words):
    with pytest.raises(Problems) as refusal:
        prepare(composed(*words.split()))
    (problem,) = refusal.value.errors
    assert problem.why.startswith("nothing would read it: ")
    assert UNUSED[words] in problem.instead


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("task=sst2 scale=paper mini.seed=7", "scale=paper reads no rows of the miniature"),
        ("task=sst2 task.source=local task.path=/ mini.seed=7", "task.source=local reads no rows of the miniature"),
        ("task=wmt_en_ro task.label_words=[yes,no]", "wmt_en_ro has no labels"),
    ],
)
def test_the_reason_is_the_choice_that_leaves_no_use_for_it(composed, words, why):
    with pytest.raises(Problems) as refusal:
        prepare(composed(*words.split()))
    assert f"nothing would read it: {why}" in [problem.why for problem in refusal.value.errors]
    assert len({problem.asked for problem in refusal.value.errors}) == len(refusal.value.errors)


def test_all_of_it_is_told_and_words_with_one_reason_together(composed):
    words = ["method=lora", "task=sst2", "method.ffn.bottleneck=64", "task.hub_id=a/b", "task.hub_config=c"]
    with pytest.raises(Problems) as refusal:
        prepare(composed(*words))
    assert [problem.asked for problem in refusal.value.errors] == [
        "method.ffn.bottleneck=64",
        "task.hub_id=a/b task.hub_config=c",
    ]


@pytest.mark.parametrize("words", READ)
def test_what_is_read_is_taken(composed, words):
    prepare(composed(*words.split()))


def test_how_to_track_is_told_once_where_nothing_is_tracked(composed, capsys):
    for seed in range(3):
        prepare(composed("tracking=none", "tracking.project=of-another-test", f"seed={seed}"))
    assert capsys.readouterr().err.count("Nothing reads tracking.project=of-another-test: tracking=none") == 1


RUNS = (
    "task=xsum method=mam",
    "task=sst2 method=lora",
    "task=sst2 method=frozen",
    "task=xsum method=prompt budget=bottleneck budget.bottleneck=5",
    "task=mnli method=bitfit backbone=bert scale=paper",
    "task=wmt_en_ro method=prefix scale=paper",
    "task=wmt_en_ro method=full",
    "task=xsum method=adapter position=attn budget=percent budget.percent=6.7",
    "task=mnli method=ia3 task.source=local task.path=/",
    "task=xsum method=multihead_parallel_adapter task.generation.num_beams=4 scale=paper",
)
NOT_OF_THE_NUMBERS = (
    *("results_dir dry_run force save_deltas save_model plan task.path training.device training.progress").split(),
    *("task.max_unknown_share training.gradient_checkpointing training.backbone_dtype training.log_every").split(),
    *("training.save_every_minutes tracking. method.name position.name backbone.name").split(),
    *(
        "backbone.published_denominator conventions training.head task.title resume"
    ).split(),  # what these decide is in the design
)


def another(key: str, value: Any) -> Any:
    """A value that the key does not have; None where there is none to try."""
    if key in CHOICES:
        return next(choice for choice in CHOICES[key] if choice != value)
    match value:
        case bool():
            return not value
        case int():
            return value + 100
        case float():
            return value / 2 or 0.25
        case None:
            kinds = [kind for kind in get_args(types()[key]) if kind in (int, float, str)]
            return {int: 3, float: 0.5, str: "x"}[kinds[0]] if kinds else None
        case str():
            return f"{value}x"
        case _:
            return None


def named(config: RunConfig) -> str:
    """The run's name, but for its rows."""
    spec = prepare(config)
    return run_id(identity(spec, data={}, weights=spec.backbone.weights.fingerprint()))


@pytest.mark.parametrize("words", RUNS)
def test_every_key_of_the_schema_is_refused_or_decides_something(composed, words):
    """Whatever is taken either changes the run's name, or is known to leave its numbers alone."""
    base = composed(*words.split())
    name, unused = named(base), []
    for key in keys():
        config = deepcopy(base)
        node: Any = config
        *path, last = key.split(".")
        for part in path:
            node = None if node is None else getattr(node, part)
        value = None if node is None else another(key, getattr(node, last))
        if value is None:
            continue
        setattr(node, last, value)
        config.typed = (f"{key}={value}",)
        try:
            if named(config) == name and not key.startswith(NOT_OF_THE_NUMBERS):
                unused.append((key, value))
        except UserError:
            continue
    # an option that is what it was by default: the scale's own source
    assert [pair for pair in unused if pair != ("task.source", "hub")] == []


ALIKE = (
    ("method=lora task=sst2 method.attn.bottleneck=200", "method=lora task=sst2 method.attn.bottleneck=201"),
    ("method=adapter insertion=parallel method.ffn.bottleneck=512", "method=parallel_adapter"),
    ("method=scaled_parallel_adapter", "method=parallel_adapter composition=scaled method.ffn.init=lora"),
    (
        "method=prefix budget=bottleneck budget.attn=3 method.attn.init=bert",
        "method=mam position=attn budget=bottleneck budget.attn=3 method.attn.init=bert",
    ),
    ("method=bitfit task=xsum", "method=bitfit task=xsum conventions=paper"),
)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_one_design_has_one_name_whatever_it_was_called(composed, one, other):
    rate = "training.learning_rate=1e-3"  # each method's file of tuned rates is its own
    first, second = (composed(*words.split(), rate) for words in (one, other))
    assert prepare(first).design == prepare(second).design
    assert named(first) == named(second)


def test_what_matters_changes_the_name_and_what_does_not_leaves_it(composed):
    base = ("method=bitfit", "task=sst2", "training.max_steps=1")
    matters = ("seed=7", "training.weight_decay=0.2", "conventions=paper")
    names = [named(composed(*base, *words)) for words in ((), *((word,) for word in matters))]
    assert len(set(names)) == 4
    assert named(composed(*base, "results_dir=elsewhere", "training.device=cpu")) == names[0]
