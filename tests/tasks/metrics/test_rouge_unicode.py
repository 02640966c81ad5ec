"""ROUGE of words of every script: rouge-score's numbers on plain English, hand counts elsewhere."""

import random

import pytest
from rouge_score.rouge_scorer import RougeScorer

from unidelta.tasks import METRICS
from unidelta.tasks.metrics.rouge_unicode import KEYS, words

METRIC = METRICS["rouge_unicode"]


def test_plain_english_scores_as_rouge_score_without_a_stemmer() -> None:
    rng, vocabulary = random.Random(5), "rain closed the Bridge near old harbour 7 times, again.".split()
    theirs = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    for _ in range(200):
        right, predicted = (" ".join(rng.choices(vocabulary, k=rng.randint(0, 9))) for _ in range(2))
        expected = [score.fmeasure for score in theirs.score(right, predicted).values()]
        (found,) = METRIC.measure([predicted], [right])
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Дождь закрыл МОСТ №7.", ["дождь", "закрыл", "мост", "no7"]),
        ("l'été a\u0306 ţară", ["l", "été", "ă", "ţară"]),  # a letter and its mark are one
        ("बारिश ने पुल बंद किया।", ["बारिश", "ने", "पुल", "बंद", "किया"]),
        ("雨で橋が閉鎖 ABC", ["雨", "で", "橋", "が", "閉", "鎖", "abc"]),
        ("비가 다리를 닫았다", ["비가", "다리를", "닫았다"]),
        ("… — !?", []),
    ],
)
def test_words_of_other_scripts(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_an_example_counted_by_hand() -> None:
    # 2 of 3 and 2 of 4 words; 1 of 2 and 1 of 3 pairs; the longest common subsequence has 2.
    scores = METRIC.score(["дождь закрыл мост"], ["дождь закрыл старый порт"])
    assert [scores[key] for key in KEYS] == pytest.approx([100 * 4 / 7, 100 * 2 / 5, 100 * 4 / 7])
    assert METRICS["rouge"].score(["дождь закрыл мост"], ["дождь закрыл мост"])["rouge1"] == 0.0
    assert METRIC.score(["дождь закрыл мост"], ["дождь закрыл мост"]) == dict.fromkeys(KEYS, 100.0)
