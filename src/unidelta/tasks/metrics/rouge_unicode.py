"""ROUGE F1 of the words of any script, under names of its own: no number of it stands beside those of `rouge`.

A word is a run of letters, marks and digits as Unicode has them; an ideograph or a kana is a word by itself, because
the scripts that have them put no spaces between words. Case is folded, nothing is stemmed. There is no rougeLsum: how
a text falls into sentences is known for English only.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from unidelta.tasks.metrics.lcs import lcs_length
from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics, means

KEYS = ("rouge1_unicode", "rouge2_unicode", "rougeL_unicode")
_ALONE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@lru_cache(maxsize=100_000)
def _spaced(character: str) -> str:
    """A character of a word as it is, an ideograph between spaces, anything else as a space."""
    if _ALONE.fullmatch(character):
        return f" {character} "
    return character if unicodedata.category(character)[0] in "LMN" else " "


def words(text: str) -> list[str]:
    """The words of a text, compatibility forms composed (NFKC) and case folded."""
    return "".join(map(_spaced, unicodedata.normalize("NFKC", text).casefold())).split()


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """F1 (0 to 1) of one word, two words and the longest common subsequence, of every example."""
    measured: list[Statistics] = []
    for predicted, right in zip(map(words, predictions), map(words, references), strict=True):
        overlaps = [_overlap(predicted, right, n) for n in (1, 2)]
        overlaps.append(_f1(lcs_length(right, predicted), len(predicted), len(right)) if predicted and right else 0.0)
        measured.append(tuple(overlaps))
    return measured


def _overlap(predicted: Sequence[str], right: Sequence[str], n: int) -> float:
    found, wanted = (Counter(zip(*(side[i:] for i in range(n)), strict=False)) for side in (predicted, right))
    return _f1((found & wanted).total(), found.total(), wanted.total())


def _f1(n_shared: int, n_predicted: int, n_right: int) -> float:
    return 2 * n_shared / (n_predicted + n_right) if n_shared else 0.0


def signature() -> str:
    """Settings, and the version of Unicode that says what a letter is."""
    version = unicodedata.unidata_version
    return f"rouge-unicode|words:letters+marks+digits,ideographs-alone|case:folded|stem:none|agg:mean|unicode:{version}"


METRICS.register(
    Metric(
        name="rouge_unicode",
        fits="text",
        keys=KEYS,
        headline="rouge2_unicode",
        measure=measure,
        combine=means(*KEYS),
        signature=signature,
        scores_examples=True,
        reads=lambda text: bool(words(text)),
    )
)
