"""PLACEHOLDER corpora: template sentences in the columns of the four data sets. Scores on them mean nothing.

Every row tells one *fact*: an adjective, a person, a deed, an object and a place. Facts are numbered, a seed
shuffles the numbers, and the splits take consecutive slices of them: they are disjoint by construction.
Text is lower case with punctuation set apart, so that a word-level tokenizer decodes to exactly what it read.
"""

import random
from typing import Any

from unidelta.errors import DataError

# English and Romanian, side by side: the translation is word for word, adjectives after their noun.
_ADJECTIVES = [
    ("old", "bătrân"),
    ("young", "tânăr"),
    ("tall", "înalt"),
    ("tired", "obosit"),
    ("brave", "curajos"),
]
_PEOPLE = [
    ("fisherman", "pescarul"), ("teacher", "profesorul"), ("doctor", "medicul"), ("painter", "pictorul"),
    ("driver", "șoferul"), ("baker", "brutarul"), ("guard", "paznicul"), ("student", "studentul"),
]  # fmt: skip
_DEEDS = [
    ("sold", "a vândut"), ("bought", "a cumpărat"), ("lost", "a pierdut"),
    ("found", "a găsit"), ("saw", "a văzut"), ("wanted", "a vrut"),
]  # fmt: skip
_OBJECTS = [
    ("boat", "barca"), ("house", "casa"), ("letter", "scrisoarea"), ("book", "cartea"),
    ("lamp", "lampa"), ("key", "cheia"), ("bread", "pâinea"), ("picture", "pictura"),
]  # fmt: skip
_PLACES = [
    ("in the village", "în sat"), ("in the city", "în oraș"), ("near the river", "lângă râu"),
    ("in the market", "în piață"), ("near the school", "lângă școală"), ("at home", "acasă"),
]  # fmt: skip
_LEXICON = (_ADJECTIVES, _PEOPLE, _DEEDS, _OBJECTS, _PLACES)
_N_FACTS = 5 * 8 * 6 * 8 * 6  # 11 520, against at most 448 rows per task

_PRAISE = ["wonderful", "charming", "funny", "moving", "clever"]
_BLAME = ["dull", "clumsy", "boring", "empty", "bland"]
_GLUE_WORDS = "a about and film in it news never people said that the was weather who .".split()

_TRAIN, _HELD_OUT = 320, 64  # rows
SPLITS = {
    "xsum": ("train", "validation", "test"),
    "wmt_en_ro": ("train", "validation", "test"),
    "mnli": ("train", "validation_matched", "validation_mismatched"),
    "sst2": ("train", "validation"),
}


def rows(task: str, split: str, *, seed: int = 0) -> list[dict[str, Any]]:
    """320 training rows or 64 held-out rows of `task`, in the columns of the data set it stands for.

    The same arguments give the same rows in every process.

    Raises:
        DataError: there is no such task or no such split.
    """
    if task not in SPLITS:
        raise DataError(f"task={task}", "The embedded corpora do not have it.", f"One of: {', '.join(SPLITS)}")
    if split not in SPLITS[task]:
        instead = f"One of: {', '.join(SPLITS[task])}"
        raise DataError(f"split {split} of {task}", "The embedded corpus does not have it.", instead)
    place = SPLITS[task].index(split)
    start, n_rows = (0, _TRAIN) if place == 0 else (_TRAIN + (place - 1) * _HELD_OUT, _HELD_OUT)
    # A string seeds `Random` through SHA-512, not through `hash`: independent of PYTHONHASHSEED.
    facts = random.Random(f"{task}/{seed}").sample(range(_N_FACTS), _TRAIN + 2 * _HELD_OUT)
    return [_ROW[task](_fact(number), index, split) for index, number in enumerate(facts[start : start + n_rows])]


def vocabulary() -> list[str]:
    """Every word that any row can contain, sorted."""
    pairs = [words for column in _LEXICON for pair in column for words in pair]
    return sorted({word for words in [*pairs, *_PRAISE, *_BLAME, *_GLUE_WORDS] for word in words.split()})


_Fact = list[tuple[str, str]]  # (English, Romanian) of: adjective, person, deed, object, place


def _fact(number: int) -> _Fact:
    fact: _Fact = []
    for column in _LEXICON:  # mixed-radix digits of `number`
        number, digit = divmod(number, len(column))
        fact.append(column[digit])
    return fact


def _xsum(fact: _Fact, index: int, split: str) -> dict[str, Any]:
    adjective, person, deed, thing, place = (english for english, _ in fact)
    document = f"the {adjective} {person} was {place} . the {person} {deed} the {thing} . it was in the news ."
    return {"document": document, "summary": f"the {person} {deed} the {thing} .", "id": f"{split}-{index}"}


def _wmt_en_ro(fact: _Fact, index: int, split: str) -> dict[str, Any]:
    (adjective, adjectiv), (person, om), (deed, fapt), (thing, lucru), (place, loc) = fact
    english = f"the {adjective} {person} {deed} the {thing} {place} ."
    return {"translation": {"en": english, "ro": f"{om} {adjectiv} {fapt} {lucru} {loc} ."}}


def _mnli(fact: _Fact, index: int, split: str) -> dict[str, Any]:
    adjective, person, deed, thing, place = (english for english, _ in fact)
    label = index % 3  # 0 entailment, 1 neutral, 2 contradiction
    hypothesis = [
        f"the {person} {deed} the {thing} .",
        f"the {person} said that the weather was {_BLAME[index % 5]} .",
        f"the {person} never {deed} the {thing} .",
    ][label]
    genre = "people said that " if split == "validation_mismatched" else ""
    premise = f"{genre}the {adjective} {person} {deed} the {thing} {place} ."
    return {"premise": premise, "hypothesis": hypothesis, "label": label, "idx": index}


def _sst2(fact: _Fact, index: int, split: str) -> dict[str, Any]:
    adjective, person, deed, thing, place = (english for english, _ in fact)
    label = index % 2  # 0 negative, 1 positive
    first, second = random.Random(index).sample(_PRAISE if label else _BLAME, 2)
    sentence = f"a {first} and {second} film about the {adjective} {person} who {deed} the {thing} {place} ."
    return {"sentence": sentence, "label": label, "idx": index}


_ROW = {"xsum": _xsum, "wmt_en_ro": _wmt_en_ro, "mnli": _mnli, "sst2": _sst2}
