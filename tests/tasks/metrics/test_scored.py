"""Scores of first examples and raw references, and intervals against resampling done directly."""

import random

import numpy as np
import pytest
import sacrebleu

from unidelta.tasks.metrics.accuracy import ACCURACY
from unidelta.tasks.metrics.bleu import BLEU
from unidelta.tasks.metrics.bleu_romanian import BLEU_ROMANIAN
from unidelta.tasks.metrics.romanian import moses_tokens
from unidelta.tasks.metrics.rouge import ROUGE
from unidelta.tasks.metrics.scored import interval_signature, printed_scores, scored

WORDS = "the cat slept on a mat while dogs barked at every țară și oraș".split()


def texts(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """`n` predictions, some of them empty, and references."""
    rng = random.Random(seed)
    references = [" ".join(rng.choices(WORDS, k=rng.randint(4, 12))) for _ in range(n)]
    predictions = [" ".join(word for word in text.split() if rng.random() < 0.8) for text in references]
    return ["" if rng.random() < 0.1 else text for text in predictions], references


def test_the_first_examples_are_scored_as_if_they_were_all() -> None:
    predictions, references = texts(30)
    for metric in (BLEU, ROUGE):
        whole, part = (scored([metric], predictions[:n], references[:n]) for n in (30, 12))
        assert whole.scores(12) == part.scores() == metric.score(predictions[:12], references[:12])
        assert whole.intervals(12) == part.intervals()
        assert whole.report(12) == part.report() and part.report()["n"] == 12
        assert whole.scores(99) == whole.scores()


def test_several_metrics_give_the_numbers_of_each_by_itself() -> None:
    predictions, references = texts(20)
    together = scored([ROUGE, BLEU], predictions, references).report()
    alone = [scored([metric], predictions, references).report() for metric in (ROUGE, BLEU)]
    assert together["interval95"] == alone[0].pop("interval95") | alone[1].pop("interval95")
    assert {key: value for key, value in together.items() if key != "interval95"} == alone[0] | alone[1]


def test_an_example_has_the_scores_of_metrics_that_are_means_of_examples() -> None:
    predictions, references = texts(20)
    measured = scored([ROUGE, BLEU], predictions, references)
    for key in ROUGE.keys:
        mean = sum(measured.per_example(i)[key] for i in range(20)) / 20
        assert mean == pytest.approx(measured.scores()[key])
    assert "bleu" not in measured.per_example(0)


def test_raw_references_give_the_same_numbers_by_another_name() -> None:
    predictions, references = texts(20)
    raw = [text if i % 3 else f"{text} cut here" for i, text in enumerate(references)]
    for metric in (BLEU, ROUGE):
        scores = scored([metric], predictions, references, raw).scores()
        against_raw = {f"raw_{key}": value for key, value in metric.score(predictions, raw).items()}
        assert scores == metric.score(predictions, references) | against_raw
        assert scored([metric], predictions, references, references).scores()[f"raw_{metric.keys[0]}"] == pytest.approx(
            scores[metric.keys[0]]
        )


def test_an_interval_of_a_mean_is_that_of_resampled_means() -> None:
    predictions, references = texts(40)
    found = scored([ROUGE], predictions, references).intervals(seed=5, n_resamples=300)
    f1 = 100 * np.asarray(ROUGE.measure(predictions, references))
    rng = np.random.default_rng(5)
    means = np.stack([f1[rng.integers(40, size=40)].mean(axis=0) for _ in range(300)])
    for i, key in enumerate(ROUGE.keys):
        assert found[key] == pytest.approx([np.quantile(means[:, i], 0.025), np.quantile(means[:, i], 0.975)])


def test_an_interval_of_bleu_is_that_of_resampled_corpora() -> None:
    predictions, references = texts(25)
    found = scored([BLEU, BLEU_ROMANIAN], predictions, references).intervals(seed=2, n_resamples=120)
    tokens = [[moses_tokens(text) for text in side] for side in (predictions, references)]
    rng, plain, romanian = np.random.default_rng(2), [], []
    for _ in range(120):
        drawn = rng.integers(25, size=25)
        plain.append(sacrebleu.corpus_bleu([predictions[i] for i in drawn], [[references[i] for i in drawn]]).score)
        left, right = ([side[i] for i in drawn] for side in tokens)
        romanian.append(sacrebleu.corpus_bleu(left, [right], tokenize="none", smooth_method="none", force=True).score)
    assert found == {
        "bleu": pytest.approx(np.quantile(plain, (0.025, 0.975)).tolist()),
        "bleu_romanian": pytest.approx(np.quantile(romanian, (0.025, 0.975)).tolist()),
    }


def test_an_interval_of_accuracy_is_about_the_binomials() -> None:
    # 320 of 400: a standard error of √(0.8 · 0.2 / 400) = 2 %, so that 95 % is about 80 ± 3.9.
    low, high = scored([ACCURACY], [1] * 400, [1] * 320 + [0] * 80).intervals()["accuracy"]
    assert (low, high) == (pytest.approx(80 - 3.9, abs=0.6), pytest.approx(80 + 3.9, abs=0.6))


def test_equal_seeds_give_equal_intervals_and_other_seeds_others() -> None:
    measured = scored([ROUGE], *texts(30))
    assert measured.intervals() == measured.intervals()
    assert measured.intervals(seed=1) != measured.intervals(seed=2)


@pytest.mark.parametrize("metric", [ACCURACY, BLEU, ROUGE], ids=lambda metric: metric.name)
def test_one_example_has_an_interval_without_width(metric) -> None:
    one = [1] if metric is ACCURACY else ["a b c d"]
    report = scored([metric], one, one).report()
    assert report["n"] == 1
    assert report["interval95"] == {key: [report[key], report[key]] for key in metric.keys}


def test_what_is_printed_has_neither_raw_numbers_nor_intervals() -> None:
    report = scored([ROUGE], ["a b"], ["a b"], ["a c"]).report()
    assert set(printed_scores({"loss": 1.0, **report})) == {"loss", *ROUGE.keys}


def test_lists_that_do_not_match_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="1 predictions do not match 2 references"):
        scored([ROUGE], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="1 predictions do not match 2 references"):
        scored([ROUGE], ["a"], ["a"], ["a", "b"])


def test_the_signature_says_how_intervals_are_made() -> None:
    assert interval_signature() == "bootstrap:percentile|over:examples|level:95|resamples:1000|seed:0"
