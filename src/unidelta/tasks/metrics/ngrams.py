"""BLEU's counts, from sacreBLEU: lengths in tokens, and the matching and total n-grams of 1 to 4 tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unidelta.tasks.metrics.metric import Statistics

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (theirs is a class)

_ORDER = 4


def bleu_counts(tokenize: str, predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """The counts of every prediction against one reference, in the tokens of one of sacreBLEU's tokenizers."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late: planning needs no scorer)

    # `effective_order` changes a single sentence's score, which is not used, but not its counts.
    scorer = Scorer(tokenize=tokenize, effective_order=True)
    scores = [scorer.sentence_score(text, [right]) for text, right in zip(predictions, references, strict=True)]
    return [(score.sys_len, score.ref_len, *score.counts, *score.totals) for score in scores]


def bleu_of(sums: Sequence[float], smoothing: str) -> float:
    """BLEU of a corpus, 0 to 100, from the sums of its counts; 0 if no word matches."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late, as above)

    length, length_right, *counts = (int(value) for value in sums)
    matches, totals = counts[:_ORDER], counts[_ORDER:]
    return Scorer.compute_bleu(matches, totals, length, length_right, smooth_method=smoothing).score


def corpus_scorer(tokenize: str, smoothing: str) -> "Scorer":
    """sacreBLEU's scorer of a corpus."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late, as above)

    # `force` silences a note on standard error about sentences that end in " ."; it changes no score.
    return Scorer(tokenize=tokenize, smooth_method=smoothing, force=True)


def bleu_signature(scorer: "Scorer") -> str:
    """sacreBLEU's own signature, e.g. `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`."""
    # sacreBLEU's signature includes the number of references, which it knows only after a first score.
    scorer.corpus_score(["."], [["."]])
    return str(scorer.get_signature())
