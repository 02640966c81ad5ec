"""Opinions about things: text from which a model can learn which qualities are praise.

A review ends in a *verdict*, what the writer did with the thing. Sentences to classify (`sst2`) have no verdict.
"""

from itertools import pairwise
from random import Random

from unidelta.mini.frequency import Pick, by_frequency, evenly_told
from unidelta.mini.world import World

VERDICTS = {True: ("loved", "kept", "recommended"), False: ("hated", "returned", "regretted")}
_KEEPING = ("", "", "very ", "quite ", "still ")
_P_TURNED = 0.25  # if half were negated, a quality alone would not predict the verdict
_TURNING = ("not ", "never ", "hardly ", "not very ")


def judgement(world: World, pick: Pick, rng: Random) -> tuple[str, bool]:
    """One opinion, or two of which only the main clause counts, and whether that is praise; without a full stop.

    Args:
        world: the world.
        pick: picks the qualities.
        rng: the source of randomness.
    """

    def thing() -> str:
        return f"the {world.things.words[by_frequency(world.things, rng)]}"

    first, is_good = _opinion(world, pick, rng, subject=thing())
    form = rng.random()
    if form < 0.5:
        return first, is_good
    second, second_is_good = _opinion(world, pick, rng, subject="it" if rng.random() < 0.5 else thing())
    if form < 0.75:
        return f"{first} but {second}", second_is_good
    if form < 0.88:
        return f"although {first} , {second}", second_is_good
    return f"{second} , although {first}", second_is_good


def verdict_on(world: World, text: str, relation: int, is_good: bool, rng: Random) -> str:
    """What somebody did after a judgement: as it suggests, or not, or with another thing; without a full stop.

    Args:
        world: the world.
        text: the judgement.
        relation: 0 if it follows, 1 if it is about another thing, 2 if it contradicts.
        is_good: whether the judgement is praise.
        rng: the source of randomness.
    """
    name = world.people.words[by_frequency(world.people, rng)]
    said = [thing for the, thing in pairwise(text.split()) if the == "the"]
    if relation == 1:
        other = world.things.words[by_frequency(world.things, rng)]
        while other in said:
            other = world.things.words[by_frequency(world.things, rng)]
        return f"{name} {rng.choice(VERDICTS[rng.random() < 0.5])} the {other}"
    return f"{name} {rng.choice(VERDICTS[is_good is (relation == 0)])} it"


def _opinion(world: World, pick: Pick, rng: Random, *, subject: str) -> tuple[str, bool]:
    """`the <thing> was not very <quality>`, and whether that is praise."""
    index = pick(world.qualities, rng)
    turned = rng.random() < _P_TURNED
    modifier = rng.choice(_TURNING if turned else _KEEPING)
    return f"{subject} was {modifier}{world.qualities.words[index]}", world.is_good[index] is not turned


def review(world: World, rng: Random) -> str:
    """A verdict with its reason: half of them plain, half with a judgement before or after."""
    name = world.people.words[by_frequency(world.people, rng)]
    if rng.random() < 0.5:
        index = evenly_told(world.qualities, rng)
        verdict = rng.choice(VERDICTS[world.is_good[index]])
        thing = world.things.words[by_frequency(world.things, rng)]
        return f"{name} {verdict} the {world.qualities.words[index]} {thing} ."
    text, is_good = judgement(world, evenly_told, rng)
    verdict = rng.choice(VERDICTS[is_good])
    return rng.choice((f"{text} . {name} {verdict} it .", f"{name} {verdict} it because {text} ."))
