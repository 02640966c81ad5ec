"""Questions about an invented world: each masks the word that states a fact."""

from random import Random

from unidelta.mini.frequency import evenly_told
from unidelta.mini.pretraining.texts import MASK
from unidelta.mini.second_language import bilingual
from unidelta.mini.splits import DEV
from unidelta.mini.world import Class, world


def facts(seed: int) -> dict[str, list[tuple[str, str]]]:
    """Facts about people, cities, things, deeds and qualities: sentences with one `<mask>`, and the word that belongs
    there. Only facts that pretraining text states (`Class.is_told`)."""
    this, rng = world(seed), Random(f"unidelta/probes/{seed}")
    people, things, say = this.people.words, this.things.words, _told
    return {
        "people": [(f"{word} is a {MASK} .", kind) for word, kind in say(this.people)],
        "cities": [(f"{word} is in {MASK} .", kind) for word, kind in say(this.cities)],
        "things": [(f"the {word} is a {MASK} .", kind) for word, kind in say(this.things)],
        "deeds": [
            (f"{rng.choice(people)} {word} the {rng.choice(things)} . it was {word} , a {MASK} .", kind)
            for word, kind in say(this.deeds)
        ],
        "qualities": [(f"it was very {word} , known for {MASK} .", kind) for word, kind in say(this.qualities)],
    }


def _told(words: Class) -> list[tuple[str, str]]:
    """Told words and their kinds, about every fourth word of the class: every second told one, to save time."""
    return [(word, words.kind(i)) for i, word in enumerate(words.words) if words.is_told[i]][::2]


def translations(seed: int) -> dict[str, list[tuple[str, str]]]:
    """Sentences of the first language with their translation, in which the verb is masked."""
    rng, both = Random(f"unidelta/probes/{seed}"), bilingual(seed)
    asked: list[tuple[str, str]] = []
    while len(asked) < 100:
        said = both.draw(rng, DEV, pick=evenly_told)
        verbs = both.second.verbs[said.deed]
        words = both.translated(said, rng).split()
        if len(verbs) == 1:  # with synonyms there is no single right answer
            hidden = " ".join(MASK if word == verbs[0] else word for word in words)
            asked.append((f"{both.first(said)} {hidden}", verbs[0]))
    return {"verbs of translations": asked}
