"""Which parts of an output are right: what a run has learnt of the world, and what it has kept.

Every part is counted twice: for words whose facts pretraining text states (`told`), and for the others (`new`), which
only a task's training split teaches. A part that one method has learnt and another has not shows what a single score
hides.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from unidelta.mini.events import MARKERS
from unidelta.mini.reviews import VERDICTS
from unidelta.mini.second_lexicon import ADJECTIVE_ENDINGS, content, second_lexicon
from unidelta.mini.world import Class, World, world

Part = tuple[str, bool]
"""The name of a part, and whether it is right."""


def shares(task: str, rows: Iterable[Mapping[str, Any]], outputs: Iterable[Any], *, seed: int) -> dict[str, float]:
    """The share of right parts in percent, by name; parts that occur in no row are missing.

    Args:
        task: xsum, wmt_en_ro, mnli or sst2.
        rows: of one split.
        outputs: a summary, translation or label for each row.
        seed: of the world.
    """
    found: dict[str, list[bool]] = {}
    for row, output in zip(rows, outputs, strict=True):
        for name, is_right in _PARTS[task](world(seed), row, output):
            found.setdefault(name, []).append(is_right)
    return {name: 100 * sum(found[name]) / len(found[name]) for name in sorted(found)}


def _of_summary(this: World, row: Mapping[str, Any], output: str) -> Iterator[Part]:
    """Each word at its place; the verdict depends on the deed."""
    subject = _main_sentence(row["document"])
    words, right = output.split(), row["summary"].split()
    slots = {
        0: ("profession", this.people),
        1: ("verdict", this.deeds),
        2: ("ware", this.things),
        3: ("event", this.deeds),
        5: ("country", this.cities),
    }
    for place, (name, words_of) in slots.items():
        yield f"{name}_{_origin(words_of, subject)}", words[place : place + 1] == right[place : place + 1]


def _main_sentence(document: str) -> list[str]:
    return next(sentence for sentence in document.split(" .") if not sentence.strip().startswith(MARKERS)).split()


def _of_translation(this: World, row: Mapping[str, Any], output: str) -> Iterator[Part]:
    """Nouns, adjectives and verbs of the reference that are in the output, in the same form."""
    deeds, forms, words = _places(this.deeds), _forms(this.seed), set(output.split())
    deed = next(deeds[word] for word in row["translation"]["en"].split() if word in deeds)
    for word in row["translation"]["ro"].split():
        if word in forms:
            name, words_of, index = forms[word]
            is_idiom = name == "verb" and index != deed  # the verb of another deed says deed and manner
            yield "idiom" if is_idiom else f"{name}_{_told(words_of, index)}", word in words


def _of_inference(this: World, row: Mapping[str, Any], label: int) -> Iterator[Part]:
    """By the right label, noise included: of claims about kinds, and of judgements by the main clause's quality."""
    relation = ("entailed", "neutral", "contradicted")[row["label"]]
    of_what = _origin(this.qualities, _main_clause(row["premise"])) if _is_judgement(row["hypothesis"]) else "kinds"
    yield f"{relation}_{of_what}", label == row["label"]


def _is_judgement(hypothesis: str) -> bool:
    return any(word in hypothesis.split() for words in VERDICTS.values() for word in words)


def _of_judgement(this: World, row: Mapping[str, Any], label: int) -> Iterator[Part]:
    """By the quality of the main clause, noise included."""
    yield f"quality_{_origin(this.qualities, _main_clause(row['sentence']))}", label == row["label"]


def _main_clause(judgement: str) -> list[str]:
    text = judgement.removeprefix("one heard that ")
    if text.startswith("although"):
        return text.split(" , ")[1].split()
    return text.split(" , although ")[0].split(" but ")[-1].split()


_PARTS = {"xsum": _of_summary, "wmt_en_ro": _of_translation, "mnli": _of_inference, "sst2": _of_judgement}


def _origin(words: Class, text: list[str]) -> str:
    """Whether the one word of a class in a text is told or new."""
    places = _places(words)
    return _told(words, next(places[word] for word in text if word in places))


def _told(words: Class, index: int) -> str:
    return "told" if words.is_told[index] else "new"


@cache
def _places(words: Class) -> dict[str, int]:
    return {word: index for index, word in enumerate(words.words)}


@cache
def _forms(seed: int) -> dict[str, tuple[str, Class, int]]:
    """Forms of the second language: what they are, and of which word of the first."""
    shared, second = content(seed), second_lexicon(seed)
    found: dict[str, tuple[str, Class, int]] = {}
    for index in range(len(shared.things.words)):
        found |= dict.fromkeys(second.forms_of_thing(index), ("noun", shared.things, index))
    for index, stem in enumerate(second.adjectives):
        found |= dict.fromkeys((stem + ending for ending in ADJECTIVE_ENDINGS), ("adjective", shared.qualities, index))
    for index, verbs in enumerate(second.verbs):
        found |= dict.fromkeys(verbs, ("verb", shared.deeds, index))
    return found
