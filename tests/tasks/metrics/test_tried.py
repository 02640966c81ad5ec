"""A metric that breaks its own contract is refused before anything trains."""

from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.errors import ConfigError
from unidelta.run.run import run
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.metrics.tried import try_metrics

from ...composed import composed
from ...own_registries import keep


def measure(predictions, references):
    return [(len(text), 1.0) for text in predictions]


def metric(**changes) -> Metric:
    told = {"headline": "letters", "keys": ("letters", "words"), "measure": measure, **changes}
    told.setdefault("combine", lambda sums, n: {"letters": sums[0], "words": sums[1]})
    return Metric(name="letters", fits="text", signature=lambda: "letters|mine", **told)


@pytest.fixture
def registered(monkeypatch):
    keep(monkeypatch, METRICS)
    return lambda **changes: METRICS.register(metric(**changes))


def test_a_headline_that_is_no_score_is_refused_at_once():
    with pytest.raises(ConfigError, match="its headline `syllables` is not a score") as refusal:
        metric(headline="syllables")
    assert refusal.value.asked == f"the metric `letters` of {__file__}"
    assert refusal.value.instead == "headline= one of its keys: letters, words"


@pytest.mark.parametrize(
    ("combine", "why"),
    [
        (lambda sums, n: {"letters": sums[0]}, "combine gives letters, and keys says letters, words"),
        (lambda sums, n: {}, "combine gives nothing, and keys says letters, words"),
        (lambda sums, n: {"letters": 1.0, "words": 1.0, "n": 2.0}, "combine gives letters, words, n, and keys"),
        (lambda sums, n: sums["letters"], "TypeError"),
    ],
)
def test_scores_other_than_the_keys_are_refused_before_a_run_trains(registered, combine, why):
    mine = registered(combine=combine)
    with pytest.raises(ConfigError) as refusal:
        try_metrics([METRICS["rouge"], mine], ["one two", "three"])
    assert why in refusal.value.why and refusal.value.asked == f"the metric `letters` of {__file__}"


def test_an_error_of_a_metric_is_told_with_its_line(registered):
    def measure(predictions, references):
        raise LookupError("no word list")

    line = measure.__code__.co_firstlineno + 1
    with pytest.raises(ConfigError) as refusal:
        try_metrics([registered(measure=measure)], ["one"])
    assert refusal.value.why == f"{__file__}:{line}: LookupError: no word list"


def test_a_run_tries_its_metrics_first(registered, tmp_path: Path):
    registered(combine=lambda sums, n: {"other": 1.0})
    words = ["task=xsum", "method=bitfit", "scale=mini", "task.metrics=[rouge,letters]", "training.max_steps=100000"]
    with pytest.raises(ConfigError, match="combine gives other, and keys says letters, words"):
        run(composed([*words, f"results_dir={tmp_path}", "tracking=none"]), command=["train.py", *words])


def test_the_projects_own_metrics_keep_the_contract():
    for each in METRICS.values():
        assert replace(each).headline in each.keys
        try_metrics([each], ["a b c d", "b c"] if each.fits == "text" else [0, 1])
