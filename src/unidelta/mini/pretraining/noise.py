"""Noise that a model learns to undo: text infilling (BART) and masked tokens (RoBERTa), on lists of token ids.

Words for kinds are masked more often than others (*salient masking*, Guu et al. 2020, §3.4): in a model this small
a fact would otherwise take tens of times as many documents to be learnt.
"""

import math
from random import Random

IGNORED = -100
"""The label that the loss ignores."""
_P_SALIENT, _P_INFILL = 0.7, 0.3  # of salient tokens; share of tokens in spans (as Lewis et al. 2020, §2.2)
_MEAN_SPAN = 2.0  # they: 3
# Devlin et al. 2019, §3.1: 15 % of all tokens. Facts are learnt from sentences in which little else is hidden.
# Of the chosen 80 % are masked, 10 % replaced, 10 % kept.
_P_SALIENT_MLM, _P_MLM = 0.8, 0.1


def infill(ids: list[int], *, salient: frozenset[int], mask: int, rng: Random) -> list[int]:
    """Spans replaced by one mask each (Poisson lengths), and single salient tokens.

    Args:
        ids: the tokens of a document, without special tokens.
        salient: ids of the words for kinds.
        mask: id of the mask.
        rng: the source of randomness.
    """
    n_left = max(1, round(len(ids) * _P_INFILL))
    hidden = [False] * len(ids)
    starts: set[int] = set()
    for place, token in enumerate(ids):
        if token in salient and rng.random() < _P_SALIENT:
            hidden[place] = True
            starts.add(place)
            n_left -= 1
    for _ in range(20):  # spans that touch others are redrawn, a limited number of times
        if n_left <= 0:
            break
        length = min(n_left, max(1, _poisson(_MEAN_SPAN, rng)))
        start = rng.randrange(len(ids) - length + 1)
        if any(hidden[max(0, start - 1) : start + length + 1]):
            continue
        hidden[start : start + length] = [True] * length
        starts.add(start)
        n_left -= length
    return [
        mask if place in starts else token for place, token in enumerate(ids) if place in starts or not hidden[place]
    ]


def mask_tokens(
    ids: list[int], *, salient: frozenset[int], special: frozenset[int], mask: int, n_tokens: int, rng: Random
) -> tuple[list[int], list[int]]:
    """Masked ids, and labels: the token to predict, `IGNORED` elsewhere.

    Args:
        ids: the tokens of a document with its special tokens.
        salient: ids of the words for kinds.
        special: ids that are never masked.
        mask: id of the mask.
        n_tokens: size of the vocabulary; the last special id is followed by words.
        rng: the source of randomness.
    """
    source, labels = list(ids), [IGNORED] * len(ids)
    first_word = max(special) + 1
    for place, token in enumerate(ids):
        if token in special or rng.random() >= (_P_SALIENT_MLM if token in salient else _P_MLM):
            continue
        labels[place] = token
        kind = rng.random()
        if kind < 0.8:
            source[place] = mask
        elif kind < 0.9:
            source[place] = rng.randrange(first_word, n_tokens)
    return source, labels


def _poisson(mean: float, rng: Random) -> int:
    """Knuth's method: exact, and quick for small means."""
    count, product = 0, rng.random()
    while product > math.exp(-mean):
        count += 1
        product *= rng.random()
    return count
