"""Claims and mini-MNLI: labels and verdicts agree with an independent reading of the sentences."""

from random import Random

import pytest

from unidelta.mini import rows
from unidelta.mini.pretraining.texts import news_and_claims
from unidelta.mini.world import DAYS, world

THINGS = set(world(0).things.words)
GOOD, BAD = {"loved", "kept", "recommended"}, {"hated", "returned", "regretted"}


def is_praise(judgement: str) -> bool:
    """Of the clause that counts: not the one after `although`, and the last of two with `but`."""
    text = judgement.removeprefix("one heard that ")
    clause = text.split(" , ")[1] if text.startswith("although ") else text.split(" , although ")[0].split(" but ")[-1]
    turned = bool({"not", "never", "hardly"} & set(clause.split()))
    (quality,) = set(clause.split()) & set(world(0).qualities.words)
    return world(0).is_good[world(0).qualities.words.index(quality)] is not turned


def judged_by_reading(premise: str, hypothesis: str) -> int:
    """The label, from the words of both sentences and the facts of the world alone."""
    this = world(0)
    told, claimed = premise.split(), hypothesis.split()
    if any(word in claimed for word in GOOD | BAD):
        if set(claimed) & set(this.things.words) - set(told):
            return 1
        return 0 if is_praise(premise) is bool(set(claimed) & GOOD) else 2
    if "not" in claimed:
        return 2
    for words in (this.people, this.things, this.cities):
        kinds = {words.kind(words.words.index(word)) for word in told if word in words.words}
        if any(word in words.kinds and word not in kinds for word in claimed):
            return 2
    if (days := set(DAYS) & set(told)) and set(DAYS) & set(claimed) - days:
        return 2
    details = {*DAYS, *this.qualities.words, *this.firms.words}
    return int(bool(details & set(claimed) - set(told)))


@pytest.mark.parametrize("split", ["train", "test_matched", "test_mismatched"])
def test_labels_of_inference_follow_from_the_two_sentences(split: str):
    labels = [(row["label"], judged_by_reading(row["premise"], row["hypothesis"])) for row in rows("mnli", split)]
    wrong = sum(label != expected for label, expected in labels) / len(labels)
    # A noisy label is drawn anew: two thirds of 2 % are wrong. Five standard deviations of 2,000 rows are 1.3 %.
    assert wrong == pytest.approx(0.0133, abs=0.013)


def test_a_hypothesis_alone_gives_two_labels_of_three_away_at_most():
    """By whether it denies, or names a detail or another thing."""
    right = 0
    for row in rows("mnli", "train"):
        said = set(row["hypothesis"].split())
        detailed = {"on", "for", "the", *world(0).qualities.words}
        guess = 2 if "not" in said else int(bool(said & detailed))
        right += guess == row["label"]
    assert right / len(rows("mnli", "train")) < 2 / 3


def test_claims_of_pretraining_are_so_where_the_text_says_so():
    rng, n = Random(7), 0
    for _ in range(4000):
        text = news_and_claims(0, rng)
        if text.verdict in ("still", "perhaps", "never"):
            assert ("still", "perhaps", "never")[judged_by_reading(*text.target)] == text.verdict
            n += 1
    assert n > 1900


def test_the_marks_of_a_claim_say_which_of_its_words_make_the_verdict():
    rng, seen = Random(8), set()
    for _ in range(4000):
        text = news_and_claims(0, rng)
        if not text.marks:
            continue
        premise, hypothesis = text.target
        assert set(text.marks) <= set(hypothesis.split())
        marks = set(text.marks.values())
        expected = "never" if "never" in marks else "perhaps" if "perhaps" in marks else "still"
        assert expected == text.verdict
        if set(hypothesis.split()) & (GOOD | BAD):
            assert set(text.marks) == set(hypothesis.split()) & (GOOD | BAD if text.verdict != "perhaps" else THINGS)
            continue
        right = " ".join(word for word in hypothesis.split() if text.marks.get(word, "still") == "still")
        assert judged_by_reading(premise, right) == 0  # what is left is true
        seen.add(text.verdict)
    assert seen == {"still", "perhaps", "never"}
