"""The registered metrics: chrF, F1 and Matthews' correlation against other implementations, and names."""

import random

import numpy as np
import pandas as pd
import pytest
import sacrebleu

from unidelta.tasks.metrics.metric import METRICS
from unidelta.tasks.metrics.scored import scored

WORDS = "Haus häuser bauen Bau 家 建てる . , naïve x".split()
NAMES = ("cold", "mild", "hot", "scorching")


def sentences(rng: random.Random, n: int) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=rng.choice((0, 1, 1, 3, 8)))) for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_chrf_is_sacrebleus(seed: int) -> None:
    rng = random.Random(seed)
    predictions, references = sentences(rng, 30), sentences(rng, 30)
    expected = sacrebleu.corpus_chrf(predictions, [references]).score
    assert METRICS["chrf"].score(predictions, references)["chrf"] == pytest.approx(expected, abs=1e-9)
    measured = scored([METRICS["chrf"]], predictions, references)
    for i, pair in enumerate(zip(predictions, references, strict=True)):
        one = sacrebleu.sentence_chrf(pair[0], [pair[1]]).score
        assert measured.per_example(i)["chrf"] == pytest.approx(one, abs=1e-9)


def labels(seed: int, n_classes: int, n: int = 60) -> tuple[list[str], list[str]]:
    """Right labels, unevenly spread, and predictions that are right in about two of three cases."""
    rng = random.Random(seed)
    right = rng.choices(NAMES[:n_classes], weights=range(1, n_classes + 1), k=n)
    return [label if rng.random() < 0.6 else rng.choice(NAMES[:n_classes]) for label in right], right


@pytest.mark.parametrize(("seed", "n_classes"), [(0, 2), (1, 2), (2, 3), (3, 4)])
def test_f1_is_the_mean_of_precision_and_recall_over_the_confusion_table(seed: int, n_classes: int) -> None:
    predicted, right = labels(seed, n_classes)
    table = pd.crosstab(pd.Series(right), pd.Series(predicted)).reindex(
        index=NAMES[:n_classes], columns=NAMES[:n_classes], fill_value=0
    )
    scores = []
    for name in NAMES[:n_classes]:
        precision = table.loc[name, name] / table[name].sum()
        recall = table.loc[name, name] / table.loc[name].sum()
        scores.append(2 * precision * recall / (precision + recall))
    assert METRICS["f1"].score(predicted, right)["f1"] == pytest.approx(100 * np.mean(scores))


def test_f1_of_classes_that_are_never_predicted_or_never_right_is_0() -> None:
    # a: 2·2 / (3 + 2); b is right once and never predicted; c is predicted once and never right.
    assert METRICS["f1"].score(["a", "a", "a", "c"], ["a", "a", "b", "a"])["f1"] == pytest.approx(
        100 * (2 * 2 / 6 + 0 + 0) / 3
    )


@pytest.mark.parametrize(("seed", "n_classes"), [(0, 2), (1, 2), (2, 3), (3, 4)])
def test_matthews_is_the_correlation_of_indicator_vectors(seed: int, n_classes: int) -> None:
    predicted, right = labels(seed, n_classes)
    one_hot = [
        np.array([[label == name for name in NAMES[:n_classes]] for label in side]) for side in (predicted, right)
    ]
    x, y = (side - side.mean(axis=0) for side in one_hot)  # cov(X, Y) = Σ over classes, as Gorodkin defines it
    expected = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    assert METRICS["matthews"].score(predicted, right)["matthews"] == pytest.approx(100 * expected)
    if n_classes == 2:
        pearson = np.corrcoef(one_hot[0][:, 0], one_hot[1][:, 0])[0, 1]
        assert expected == pytest.approx(pearson)


def test_matthews_of_a_constant_prediction_is_0_and_of_the_opposite_minus_100() -> None:
    assert METRICS["matthews"].score([1, 1, 1], [0, 1, 1]) == {"matthews": 0.0}
    assert METRICS["matthews"].score([1, 0, 1, 0], [0, 1, 0, 1])["matthews"] == pytest.approx(-100)


@pytest.mark.parametrize("name", ["f1", "matthews"])
def test_intervals_are_those_of_resampled_examples(name: str) -> None:
    predicted, right = labels(7, 3)
    found = scored([METRICS[name]], predicted, right).intervals(seed=4, n_resamples=50)[name]
    rng = np.random.default_rng(4)
    drawn = [rng.integers(60, size=60) for _ in range(50)]
    scores = [METRICS[name].score([predicted[i] for i in at], [right[i] for i in at])[name] for at in drawn]
    assert found == pytest.approx(np.percentile(scores, (2.5, 97.5)).tolist())


def test_every_metric_gives_the_scores_it_announces() -> None:
    assert {"rouge", "bleu", "bleu_romanian", "chrf", "accuracy", "f1", "matthews"} <= set(METRICS)
    for metric in METRICS.values():
        pair = ["a b c d", "b c d e"] if metric.fits == "text" else [0, 1]
        assert tuple(metric.score(pair, pair)) == metric.keys
        assert metric.headline in metric.keys
        assert list(metric.score(pair, pair).values()) == pytest.approx([100] * len(metric.keys))
        assert metric.signature()
