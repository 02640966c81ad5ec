"""Opinions about things: text from which a model can learn which qualities are praise.

A review ends in a *verdict*, what the writer did with the thing. Sentences to classify (`sst2`) have no verdict.
"""

from random import Random

from unidelta.mini.world import World

VERDICTS = {True: ("loved", "kept", "recommended"), False: ("hated", "returned", "regretted")}
_KEEPING = ("", "", "very ", "quite ", "still ")
_P_TURNED = 0.25  # if half were negated, a quality alone would not predict the verdict
_TURNING = ("not ", "never ", "hardly ", "not very ")


def opinion(world: World, rng: Random, *, subject: str) -> tuple[str, bool]:
    """`the <thing> was not very <quality>`, and whether that is praise."""
    quality = rng.randrange(len(world.qualities.words))
    turned = rng.random() < _P_TURNED
    modifier = rng.choice(_TURNING if turned else _KEEPING)
    return f"{subject} was {modifier}{world.qualities.words[quality]}", world.is_good[quality] is not turned


def judgement(world: World, rng: Random) -> tuple[str, bool]:
    """One opinion, or two of which only the main clause counts; without a full stop."""
    thing = f"the {rng.choice(world.things.words)}"
    first, is_good = opinion(world, rng, subject=thing)
    form = rng.random()
    if form < 0.5:
        return first, is_good
    second, second_is_good = opinion(world, rng, subject=rng.choice(("it", f"the {rng.choice(world.things.words)}")))
    if form < 0.75:
        return f"{first} but {second}", second_is_good
    if form < 0.88:
        return f"although {first} , {second}", second_is_good
    return f"{second} , although {first}", second_is_good


def review(world: World, rng: Random) -> str:
    """A verdict with its reason: half of them plain, half with a judgement before or after."""
    if rng.random() < 0.5:
        quality = rng.randrange(len(world.qualities.words))
        name, verdict = rng.choice(world.people.words), rng.choice(VERDICTS[world.is_good[quality]])
        return f"{name} {verdict} the {world.qualities.words[quality]} {rng.choice(world.things.words)} ."
    text, is_good = judgement(world, rng)
    name, verdict = rng.choice(world.people.words), rng.choice(VERDICTS[is_good])
    return rng.choice((f"{text} . {name} {verdict} it .", f"{name} {verdict} it because {text} ."))
