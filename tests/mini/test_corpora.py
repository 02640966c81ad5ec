"""The corpora of the miniature: the same bytes everywhere, disjoint splits, closed vocabulary, noise as stated."""

import hashlib
import json
import os
import subprocess
import sys
from random import Random
from typing import Any

import pytest

from unidelta.errors import DataError
from unidelta.mini import SPLITS, rows
from unidelta.mini.miniature import SPECIAL
from unidelta.mini.pretraining.objectives.llama import all_texts
from unidelta.mini.pretraining.texts import both_languages, news, news_and_claims
from unidelta.mini.second_language import LANGUAGES, Bilingual, Proposition
from unidelta.mini.settings import words_of
from unidelta.mini.splits import part_of
from unidelta.mini.world import world

COLUMNS = {"xsum": ("document", "summary"), "mnli": ("premise", "hypothesis"), "sst2": ("sentence",)}
BACKBONE = {"xsum": "bart", "wmt_en_ro": "mbart", "mnli": "roberta", "sst2": "roberta"}
TEXT = {"bart": news, "mbart": both_languages, "roberta": news_and_claims, "llama": all_texts}


def texts(task: str, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row["translation"].values()) if task == "wmt_en_ro" else tuple(row[name] for name in COLUMNS[task])


def fingerprint() -> str:
    corpora: list[Any] = [[rows(task, split)[:400] for split in SPLITS[task]] for task in SPLITS]
    for draw in TEXT.values():
        rng = Random("fingerprint")
        corpora.append([draw(0, rng).target for _ in range(200)])
    corpora += [words_of(family) for family in TEXT]
    return hashlib.sha256(json.dumps(corpora).encode()).hexdigest()


def test_another_process_with_another_hash_seed_sees_the_same_bytes():
    program = f"import runpy; print(runpy.run_path({__file__!r})['fingerprint']())"
    env = {**os.environ, "PYTHONHASHSEED": "20220425"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == fingerprint()


@pytest.mark.parametrize("task", SPLITS)
def test_no_input_of_one_split_is_in_another(task: str):
    seen: dict[tuple[str, ...], str] = {}
    for split in SPLITS[task]:
        for row in rows(task, split):
            key = texts(task, row)[:1] if task != "mnli" else texts(task, row)
            assert seen.setdefault(key, split) == split


def events_of(text: str) -> set[tuple[str, ...]]:
    """Every (person, deed, thing, city) that stands in one sentence: read off the words, not off the generator."""
    this = world(0)
    classes = (this.people.words, this.deeds.words, this.things.words, this.cities.words)
    found = set()
    for sentence in text.split(" ."):
        words = sentence.split()
        named = [[word for word in words if word in of] for of in classes]
        if all(len(names) == 1 for names in named):
            found.add(tuple(names[0] for names in named))
    return found


def test_no_event_of_dev_or_test_is_in_training_or_pretraining_text():
    held_out = set[tuple[str, ...]]()
    for split in ("validation", "test"):
        for row in rows("xsum", split):
            held_out |= events_of(row["document"])
    assert len(held_out) > 1000
    rng = Random(5)
    training = [row["document"] for row in rows("xsum", "train")]
    training += [" . ".join(draw(0, rng).target) for draw in (news, news_and_claims) for _ in range(4000)]
    for text in training:
        assert not events_of(text) & held_out


def test_an_item_belongs_to_one_part_whatever_is_drawn():
    parts = [part_of(f"item {i}", seed=0) for i in range(5000)]
    assert parts == [part_of(f"item {i}", seed=0) for i in range(5000)]
    # 10 % each; five standard deviations of a binomial of 5000 are 106
    assert all(abs(parts.count(part) - 500) < 106 for part in ("dev", "test"))


@pytest.mark.parametrize(("task", "family"), [*BACKBONE.items(), ("xsum", "llama"), ("wmt_en_ro", "llama")])
def test_every_word_a_task_uses_occurs_in_the_pretraining_of_its_backbone(task: str, family: str):
    rng = Random(1)
    used = {word for split in SPLITS[task] for row in rows(task, split) for t in texts(task, row) for word in t.split()}
    read = {
        word for _ in range(12_000) for segment in TEXT[family](0, rng).target for word in segment.split()
    }  # a seventh of pretraining
    assert used <= read
    assert read == set(words_of(family)) - {*SPECIAL, *LANGUAGES}  # no word without an embedding, none idle


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
        document, summary = row["document"].split(), row["summary"].split()
        person = next(word for word in summary if word in this.people.kinds)
        assert person not in document
        people = [this.people.words.index(word) for word in document if word in this.people.words]
        assert person in {this.people.kind(index) for index in people}


def test_sentiment_follows_quality_and_negation():
    this, wrong = world(0), 0
    single = [
        row for row in rows("sst2", "train") if " but " not in row["sentence"] and "although" not in row["sentence"]
    ]
    for row in single:
        *_, quality, _ = row["sentence"].split()
        turned = any(word in row["sentence"].split() for word in ("not", "never", "hardly"))
        wrong += row["label"] != int(this.is_good[this.qualities.words.index(quality)] is not turned)
    # A noisy label is drawn anew: half of 10 % are wrong. Five standard deviations are about 2 %.
    assert wrong / len(single) == pytest.approx(0.05, abs=0.02)


def test_the_second_language_agrees_in_gender_and_number():
    both, second = Bilingual(0), Bilingual(0).second
    rng = Random(2)
    for _ in range(300):
        said: Proposition = both.draw(rng, "train")
        words = both.translated(said, rng).split()
        if said.what.quality is None:
            continue
        stem = second.adjectives[said.what.quality]
        ending = "i" if said.what.number is not None else "ua"[second.genders[said.what.thing]]
        assert stem + ending in words


def test_translations_choose_among_synonyms():
    both, rng = Bilingual(0), Random(3)
    said = next(s for s in (both.draw(rng, "train") for _ in range(200)) if len(both.second.verbs[s.deed]) == 2)
    n = sum(both.second.verbs[said.deed][1] in both.translated(said, rng).split() for _ in range(1000))
    assert n / 1000 == pytest.approx(0.3, abs=0.073)  # five standard deviations


@pytest.mark.parametrize(
    ("task", "split", "named"),
    [("cola", "train", "xsum, wmt_en_ro, mnli, sst2"), ("mnli", "validation", "validation_matched")],
)
def test_unknown_tasks_and_splits_are_refused_by_name(task: str, split: str, named: str):
    with pytest.raises(DataError, match=named):
        rows(task, split)
