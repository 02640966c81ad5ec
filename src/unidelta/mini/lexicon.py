"""Invented words of two languages: syllables drawn from a seed, without repetition, not copied from any corpus.

The first language uses English function words, so that a person can follow its sentences; its content words are
invented here. The second language is entirely invented, with Romanian-looking letters.
"""

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Sounds:
    """The syllables of a language: onset + vowel, and a coda that ends a stem."""

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]


FIRST = Sounds(
    onsets=tuple("b d f g k l m n p r s t v z br dr gr kr pr tr bl gl pl st sk sp sh th".split()),
    vowels=tuple("a e i o u ai ea ou".split()),
    codas=("", "", "n", "r", "l", "s", "m", "k", "t", "nd", "rn", "st", "lm"),
)
SECOND = Sounds(
    onsets=tuple("v z c j n l m r h t d ț ș vr zl sc dr cr".split()),
    vowels=tuple("a e i o u ă oa ie au".split()),
    codas=("", "n", "r", "l", "sc", "nt"),
)


@dataclass(slots=True)
class Lexicon:
    """A supply of fresh words.

    Args:
        rng: the source of randomness.
        taken: words that may not be used: function words, and every word made so far.
    """

    rng: Random
    taken: set[str] = field(default_factory=set)

    def stems(self, n: int, sounds: Sounds, *, syllables: int, endings: tuple[str, ...] = ("",)) -> tuple[str, ...]:
        """`n` new stems, without endings, such that no stem with any of `endings` is an existing word.

        Args:
            n: how many.
            sounds: the language.
            syllables: of the stem, without endings.
            endings: the inflections the stem will take.
        """
        stems: list[str] = []
        while len(stems) < n:
            body = "".join(self.rng.choice(sounds.onsets) + self.rng.choice(sounds.vowels) for _ in range(syllables))
            stem = body + self.rng.choice(sounds.codas)
            forms = {stem + ending for ending in endings}
            if not forms & self.taken:
                self.taken |= forms
                stems.append(stem)
        return tuple(stems)

    def words(self, n: int, sounds: Sounds, *, syllables: int, suffix: str = "") -> tuple[str, ...]:
        """`n` new words that end in `suffix`, the mark of their class."""
        return tuple(stem + suffix for stem in self.stems(n, sounds, syllables=syllables, endings=(suffix,)))
