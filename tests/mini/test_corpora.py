"""The corpora of the miniature: the same bytes everywhere, disjoint splits, closed vocabulary, noise as stated."""

import hashlib
import json
from functools import cache
from random import Random
from typing import Any

import pytest

from unidelta.errors import DataError
from unidelta.mini import SPLITS, rows
from unidelta.mini.miniature import SPECIAL
from unidelta.mini.pretraining.objectives.llama import all_texts, facts_and_translations
from unidelta.mini.pretraining.texts import both_languages, news, news_and_claims, news_in_segments
from unidelta.mini.second_language import LANGUAGES, Bilingual, Proposition
from unidelta.mini.second_lexicon import content
from unidelta.mini.settings import words_of
from unidelta.mini.splits import part_of
from unidelta.mini.world import Class, world

COLUMNS = {"xsum": ("document", "summary"), "mnli": ("premise", "hypothesis"), "sst2": ("sentence",)}
BACKBONE = {"xsum": "bart", "wmt_en_ro": "mbart", "mnli": "roberta", "sst2": "roberta"}
N_TEXTS = {**dict.fromkeys(("bart", "mbart", "roberta"), 30_000), "llama": 90_000}  # at most those of a part
N_MORE = 15_000
TEXT = {"bart": news, "mbart": both_languages, "roberta": news_in_segments, "llama": all_texts}
MORE = {"llama": (facts_and_translations,)}  # a rare word of the second language may come in one part only


def texts(task: str, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row["translation"].values()) if task == "wmt_en_ro" else tuple(row[name] for name in COLUMNS[task])


def fingerprint() -> str:
    corpora: list[Any] = [[rows(task, split)[:400] for split in SPLITS[task]] for task in SPLITS]
    for draw in (*TEXT.values(), news_and_claims):
        rng = Random("fingerprint")
        corpora.append([draw(0, rng).target for _ in range(200)])
    corpora += [words_of(family) for family in TEXT]
    return hashlib.sha256(json.dumps(corpora).encode()).hexdigest()


def test_every_process_sees_the_bytes_that_the_committed_records_were_made_of():
    # each process hashes with a seed of its own, and so an order of hashes would show here sooner or later
    assert fingerprint() == "dbd08a34eff747ce2b60ba38cd46d30d63faaba00db65557511b63fa1113b812"


@pytest.mark.parametrize("task", SPLITS)
def test_no_input_of_one_split_is_in_another(task: str):
    seen: dict[tuple[str, ...], str] = {}
    for split in SPLITS[task]:
        for row in rows(task, split):
            key = texts(task, row)[:1] if task != "mnli" else texts(task, row)
            assert seen.setdefault(key, split) == split


def events_of(text: str) -> set[str]:
    """Every event, person/deed/thing/city, that stands in one sentence: read off the words, not off the generator."""
    found = set()
    for sentence in text.split(" ."):
        words = sentence.split()
        named = [[of[word] for word in words if word in of] for of in numbered()]
        if all(len(numbers) == 1 for numbers in named):
            found.add("/".join(str(numbers[0]) for numbers in named))
    return found


@cache
def numbered() -> list[dict[str, int]]:
    this = world(0)
    classes = (this.people.words, this.deeds.words, this.things.words, this.cities.words)
    return [{word: i for i, word in enumerate(words)} for words in classes]


def test_no_event_of_dev_or_test_is_in_training_or_pretraining_text():
    """Each is of its own part: that a whole event is drawn twice is too rare to be met by chance."""
    rng = Random(5)
    read = [" . ".join(draw(0, rng).target) for draw in (news, news_and_claims) for _ in range(1000)]
    for part, split, texts in (("train", "train", read), ("dev", "validation", []), ("test", "test", [])):
        told = {
            event for text in [*texts, *(row["document"] for row in rows("xsum", split))] for event in events_of(text)
        }
        assert len(told) > 500
        assert {part_of(event, seed=0) for event in told} == {part}


def test_an_item_belongs_to_one_part_whatever_is_drawn():
    parts = [part_of(f"item {i}", seed=0) for i in range(5000)]
    assert parts == [part_of(f"item {i}", seed=0) for i in range(5000)]
    # 10 % each; five standard deviations of a binomial of 5000 are 106
    assert all(abs(parts.count(part) - 500) < 106 for part in ("dev", "test"))


@cache
def words_read(family: str) -> set[str]:
    rng = Random(1)
    numbers = [(TEXT[family], N_TEXTS[family]), *((draw, N_MORE) for draw in MORE.get(family, ()))]
    drawn = (draw(0, rng) for draw, n in numbers for _ in range(n))
    return {word for text in drawn for segment in text.target for word in segment.split()}


@pytest.mark.parametrize(("task", "family"), [*BACKBONE.items(), ("xsum", "llama"), ("wmt_en_ro", "llama")])
def test_every_word_a_task_uses_occurs_in_the_pretraining_of_its_backbone(task: str, family: str):
    used = {word for split in SPLITS[task] for row in rows(task, split) for t in texts(task, row) for word in t.split()}
    read = words_read(family)
    assert used <= read
    known = set(words_of(family)) - {*SPECIAL, *LANGUAGES}
    assert read <= known  # no word without an embedding
    assert len(known - read) <= (10 if family == "llama" else 0)  # none idle; two in five of mini-llama's are mBART's


@pytest.mark.parametrize(("task", "n_labels"), [("mnli", 3), ("sst2", 2)])
def test_labels_are_balanced(task: str, n_labels: int):
    for split in SPLITS[task]:
        labels = [row["label"] for row in rows(task, split)]
        shares = [labels.count(label) / len(labels) for label in range(n_labels)]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0.7 / n_labels


def test_summaries_name_the_kinds_that_documents_leave_out():
    this = world(0)
    for row in rows("xsum", "test"):
        said = {word for sentence in main_sentences(row["document"]) for word in sentence.split()}
        summary = row["summary"].split()
        for words in (this.people, this.things, this.deeds, this.cities):
            (of_document,) = said & set(words.words)
            assert words.kind(words.words.index(of_document)) in summary
            assert not said & set(words.kinds)


def main_sentences(document: str) -> list[str]:
    sentences = [sentence.strip() for sentence in document.split(" .") if sentence]
    return [sentence for sentence in sentences if sentence.split()[0] not in ("meanwhile", "elsewhere", "earlier")]


def test_pretraining_text_states_no_fact_of_the_words_that_tasks_teach():
    """An untold word never stands in one document with its own kind more often than with any other kind."""
    this, rng = world(0), Random(9)
    new = {w: (words, i) for words in (this.people, this.things, this.deeds) for i, w in enumerate(words.words)}
    new = {word: of for word, of in new.items() if not of[0].is_told[of[1]]}
    own = total = 0
    for draw in (news, news_and_claims):
        for _ in range(6000):
            words = {word for segment in draw(0, rng).target for word in segment.split()}
            for word in words & set(new):
                of, index = new[word]
                kinds = words & set(of.kinds)
                total += len(kinds)
                own += of.kind(index) in kinds
    assert own <= 5 + 0.15 * total  # by chance 1 in 16 to 24


def test_pretraining_text_translates_no_word_that_the_task_teaches():
    this, second, rng = content(0), Bilingual(0).second, Random(10)
    new = {w for words in (this.things, this.deeds, this.qualities) for w in words.words if not told(words, w)}
    new |= {f"{word}s" for word in this.things.words if not told(this.things, word)}
    new |= {form for i, ok in enumerate(this.things.is_told) if not ok for form in second.forms_of_thing(i)}
    new |= {verb for i, ok in enumerate(this.deeds.is_told) if not ok for verb in second.verbs[i]}
    new |= {
        stem + e for stem, ok in zip(second.adjectives, this.qualities.is_told, strict=True) if not ok for e in "ui"
    }
    seen = False
    for _ in range(4000):
        text = both_languages(0, rng)
        words = {word for segment in text.target for word in segment.split()}
        if text.source is not None:  # both languages in one document
            assert not words & new
        seen = seen or bool(words & new)
    assert seen  # in one language


def told(words: Class, word: str) -> bool:
    return words.is_told[words.words.index(word)]


def test_idioms_and_irregular_plurals_are_translated_as_wholes():
    both, second, rng = Bilingual(0), Bilingual(0).second, Random(4)
    n_idioms = n_irregular = 0
    for _ in range(3000):
        said: Proposition = both.draw(rng, "train")
        words = both.translated(said, rng).split()
        if said.manner is not None and (said.deed, said.manner) in second.idioms:
            n_idioms += 1
            assert second.verbs[second.idioms[said.deed, said.manner]][0] in words
            assert second.manners[said.manner][1] not in words
        if said.what.number is not None and said.what.thing in second.irregular:
            n_irregular += 1
            assert second.irregular[said.what.thing] in words
    assert n_idioms > 30
    assert n_irregular > 30


def test_the_frequent_words_are_far_more_frequent():
    words = [word for row in rows("xsum", "train") for word in row["document"].split()]
    n = [words.count(word) for word in world(0).things.words]
    assert sum(n[:20]) > 10 * sum(n[-20:])


def test_sentiment_follows_quality_and_negation():
    this, wrong = world(0), 0
    single = [
        row for row in rows("sst2", "train") if " but " not in row["sentence"] and "although" not in row["sentence"]
    ]
    for row in single:
        *_, quality, _ = row["sentence"].split()
        turned = any(word in row["sentence"].split() for word in ("not", "never", "hardly"))
        wrong += row["label"] != int(this.is_good[this.qualities.words.index(quality)] is not turned)
    # A noisy label is drawn anew: half of 2 % are wrong. Five standard deviations are about 0.9 %.
    assert wrong / len(single) == pytest.approx(0.01, abs=0.009)


def test_the_second_language_agrees_in_number_and_nouns_have_a_gender():
    both, second, rng = Bilingual(0), Bilingual(0).second, Random(2)
    for _ in range(300):
        said: Proposition = both.draw(rng, "train")
        words = both.translated(said, rng).split()
        what = said.what
        if what.quality is not None:
            assert second.adjectives[what.quality] + ("u" if what.number is None else "i") in words
        if what.number is None and not what.is_definite:
            article = ("un", "o")[second.genders[what.thing]]
            assert words[words.index(article) + 1] in second.forms_of_thing(what.thing)


def test_translations_choose_among_synonyms():
    both, rng = Bilingual(0), Random(3)
    drawn = (both.draw(rng, "train") for _ in range(200))
    said = next(s for s in drawn if len(both.second.verbs[s.deed]) == 2 and s.manner is None)
    n = sum(both.second.verbs[said.deed][1] in both.translated(said, rng).split() for _ in range(1000))
    assert n / 1000 == pytest.approx(0.15, abs=0.057)  # five standard deviations


@pytest.mark.parametrize(
    ("task", "split", "named"),
    [("cola", "train", "xsum, wmt_en_ro, mnli, sst2"), ("mnli", "validation", "validation_matched")],
)
def test_unknown_tasks_and_splits_are_refused_by_name(task: str, split: str, named: str):
    with pytest.raises(DataError, match=named):
        rows(task, split)
