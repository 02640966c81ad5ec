"""Questions about an invented world: each masks the word that states a fact."""

from random import Random

from unidelta.mini.pretraining.texts import MASK
from unidelta.mini.second_language import bilingual
from unidelta.mini.splits import DEV
from unidelta.mini.world import world


def facts(seed: int) -> dict[str, list[tuple[str, str]]]:
    """Facts about people, cities, things and deeds: sentences with one `<mask>`, and the word that belongs there."""
    this, rng = world(seed), Random(f"unidelta/probes/{seed}")
    people, things = this.people.words, this.things.words
    return {
        "people": [(f"{word} is a {MASK} .", this.people.kind(i)) for i, word in enumerate(people)],
        "cities": [(f"{word} is in {MASK} .", this.cities.kind(i)) for i, word in enumerate(this.cities.words)],
        "things": [(f"the {word} is a {MASK} .", this.things.kind(i)) for i, word in enumerate(things)],
        "deeds": [
            (f"{rng.choice(people)} {word} the {rng.choice(things)} . it was {word} , a {MASK} .", this.deeds.kind(i))
            for i, word in enumerate(this.deeds.words)
        ],
    }


def translations(seed: int) -> dict[str, list[tuple[str, str]]]:
    """Sentences of the first language with their translation, in which the verb is masked."""
    rng, both = Random(f"unidelta/probes/{seed}"), bilingual(seed)
    asked: list[tuple[str, str]] = []
    while len(asked) < 100:
        said = both.draw(rng, DEV)
        verbs = both.second.verbs[said.deed]
        words = both.translated(said, rng).split()
        if len(verbs) == 1:  # with synonyms there is no single right answer
            hidden = " ".join(MASK if word == verbs[0] else word for word in words)
            asked.append((f"{both.first(said)} {hidden}", verbs[0]))
    return {"verbs of translations": asked}
