"""Metrics against values worked out by hand."""

import math

import pytest
from rouge_score.rouge_scorer import RougeScorer

from unidelta.tasks.metrics import ACCURACY, BLEU, ROUGE
from unidelta.tasks.metrics.sentences import one_sentence_per_line


def test_accuracy_is_the_percent_of_equal_labels() -> None:
    assert ACCURACY.score([0, 1, 2, 2], [0, 1, 1, 2]) == {"accuracy": 75.0}


def test_rouge_of_one_pair_by_hand() -> None:
    # Words: 3 of 3 and of 4 match, F = 2·1·¾ / (1 + ¾) = 6/7. Bigrams: 1 of 2 and of 3, F = 2/5.
    scores = ROUGE.score(["the cat slept"], ["the cat then slept"])
    assert scores["rouge1"] == pytest.approx(100 * 6 / 7)
    assert scores["rouge2"] == pytest.approx(100 * 2 / 5)
    assert scores["rougeL"] == pytest.approx(100 * 6 / 7)
    assert scores["rougeLsum"] == pytest.approx(100 * 6 / 7)


def test_rouge_is_the_mean_over_examples() -> None:
    assert ROUGE.score(["a b", "x"], ["a b", "y"])["rouge1"] == pytest.approx(50.0)


def test_rouge_stems_words() -> None:
    assert ROUGE.score(["running dogs"], ["run dog"])["rouge1"] == pytest.approx(100.0)


def test_only_rouge_lsum_forgives_the_order_of_sentences() -> None:
    scores = ROUGE.score(["Dogs bark. Cats meow."], ["Cats meow. Dogs bark."])
    assert scores["rougeL"] == pytest.approx(50.0)
    assert scores["rougeLsum"] == pytest.approx(100.0)


def test_rouge_equals_the_scorer_it_speeds_up() -> None:
    predictions = ["The ministers' meetings were cancelled!", "", "She was happily married in 1999."]
    references = ["A meeting of ministers was cancelled.", "No prediction", "She married happily, in 1999."]
    plain = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    scores = ROUGE.score(predictions, references)
    for key in ("rouge1", "rouge2", "rougeL"):
        pairs = zip(references, predictions, strict=True)
        mean = sum(plain.score(right, predicted)[key].fmeasure for right, predicted in pairs) / 3
        assert scores[key] == pytest.approx(100 * mean, abs=1e-12)


def test_sentences_end_at_punctuation_before_a_capital() -> None:
    text = '  He left. "Why?" she asked.\nNobody  knew at 3.5 metres. '
    assert one_sentence_per_line(text) == 'He left.\n"Why?" she asked.\nNobody knew at 3.5 metres.'


def test_bleu_of_one_pair_by_hand() -> None:
    # 5 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples; brevity exp(1 − 6/5).
    expected = math.exp(1 - 6 / 5) * (1 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    score = BLEU.score(["one two three four six"], ["one two three four five six"])
    assert score["bleu"] == pytest.approx(100 * expected)


def test_bleu_keeps_diacritics() -> None:
    assert BLEU.score(["a b c și"], ["a b c și"])["bleu"] == pytest.approx(100.0)
    assert BLEU.score(["a b c si"], ["a b c și"])["bleu"] < 100


def test_outer_white_space_does_not_count() -> None:
    assert BLEU.score([" a b c d\n"], ["a b c d"])["bleu"] == pytest.approx(100.0)
    assert ROUGE.score([" a b c d\n"], ["a b c d"])["rougeLsum"] == pytest.approx(100.0)


@pytest.mark.parametrize("metric", [ACCURACY, BLEU, ROUGE], ids=lambda metric: metric.name)
def test_unequal_or_empty_lists_are_a_mistake(metric) -> None:
    with pytest.raises(ValueError, match="1 predictions do not match 2 references"):
        metric.score(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="no predictions"):
        metric.score([], [])


@pytest.mark.parametrize("metric", [ACCURACY, BLEU, ROUGE], ids=lambda metric: metric.name)
def test_scores_have_the_announced_names(metric) -> None:
    one = [1] if metric is ACCURACY else ["a b c d"]
    assert tuple(metric.score(one, one)) == metric.keys
    assert all(value == pytest.approx(100.0) for value in metric.score(one, one).values())


def test_signatures_name_the_implementation() -> None:
    assert ACCURACY.signature() == "accuracy|percent"
    assert BLEU.signature().startswith("bleu: nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert ROUGE.signature().startswith("rouge-score|stem:porter|agg:mean|sentences:plain|version:")
