"""The four downstream tasks of the miniature, with the columns of the data sets they imitate.

Each returns one row for one `part` of the world. Irreducible noise keeps every score below 100: summaries and
translations choose among synonyms, and a few labels are wrong.
"""

from random import Random
from typing import Any

from unidelta.mini import claims, events
from unidelta.mini.events import Event
from unidelta.mini.frequency import by_frequency, told_by_frequency
from unidelta.mini.reviews import judgement, verdict_on
from unidelta.mini.second_language import bilingual
from unidelta.mini.splits import part_of
from unidelta.mini.world import World, world

LABEL_NOISE = 0.02
"""Share of labels of mini-MNLI and mini-SST-2 that are redrawn at random, in every split."""
_P_JUDGED = 0.7  # of mini-MNLI's premises
_P_USUAL = 0.9  # of the usual one of two synonyms in a summary


def xsum(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A document about one event, with another event before or after it, and a one-sentence summary.

    The summary names kinds in place of words. Half of them pretraining text has stated; those of the other half are
    arbitrary, and only the summaries of the training split show them. None of them is in the document.
    """
    this = world(seed)
    event, other = events.draw(this, rng, part), events.draw(this, rng, part)
    main, distraction = (events.report(this, each, rng, details=frozenset()) for each in (event, other))
    sentences = [main, f"{rng.choice(events.MARKERS)} {distraction}"]
    if rng.random() < 0.5:
        sentences.reverse()
    return {"document": " ".join(sentences), "summary": _summary(this, event, rng)}


def _summary(this: World, event: Event, rng: Random) -> str:
    person, ware, deed = this.people.kind(event.person), this.things.kind(event.thing), this.deeds.kind(event.deed)
    verdicts = ("welcomed", "hailed") if this.is_welcome[this.deeds.kind_of[event.deed]] else ("condemned", "deplored")
    verdict = verdicts[rng.random() >= _P_USUAL]
    return f"{person} {verdict} {ware} {deed} in {this.cities.kind(event.city)} ."


def wmt_en_ro(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A sentence in the first and in the second language."""
    both = bilingual(seed)
    said = both.draw(rng, part)
    return {"translation": {"en": both.first(said), "ro": both.translated(said, rng)}}


def sst2(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A judgement and whether it is praise (1) or blame (0): qualities, negation, intensifiers, concessions."""
    this = world(seed)
    while True:
        text, is_good = judgement(this, by_frequency, rng)
        if part_of(text, seed=seed) == part:
            return {"sentence": f"{text} .", "label": _noisy(int(is_good), 2, rng)}


def mnli(seed: int, rng: Random, part: str, *, mismatched: bool = False) -> dict[str, Any]:
    """A premise and a hypothesis that follows (0), may be (1) or cannot be (2).

    Most premises judge a thing, and the hypothesis says what somebody did with it: half of the qualities are new. The
    others report an event, and the hypothesis names kinds of told words (`claims`). Matched premises are spoken or
    news; the mismatched ones are from letters, whose sentences are built differently.
    """
    this, label = world(seed), rng.randrange(3)
    if rng.random() < _P_JUDGED:
        while True:
            text, is_good = judgement(this, by_frequency, rng)
            hypothesis = verdict_on(this, text, label, is_good, rng)
            if part_of(text, seed=seed) == part:
                break
        premise = f"one heard that {text} ." if mismatched else f"{text} ."
    else:
        event, known = events.draw(this, rng, part, pick=told_by_frequency), events.some_details(rng)
        report = events.letter if mismatched else events.report
        premise = report(this, event, rng, details=known)
        hypothesis = claims.related(this, event, known, label, rng)
    return {"premise": premise, "hypothesis": f"{hypothesis} .", "label": _noisy(label, 3, rng)}


def _noisy(label: int, n_labels: int, rng: Random) -> int:
    """The label, or occasionally a random one."""
    other = rng.randrange(n_labels)
    return other if rng.random() < LABEL_NOISE else label
