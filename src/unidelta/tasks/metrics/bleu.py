"""Corpus BLEU of Romanian in two ways that are never mixed: plain, and as the paper's tables have it.

`bleu` is sacreBLEU's default (13a tokens, diacritics kept). `bleu_romanian` is the authors' pipeline: normalised,
without diacritics, Moses tokens, no smoothing (`romanian.py`). On real Romanian they are about ten points apart
(huggingface/transformers#5263), so that a table must hold one of the two; the signature tells them apart.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from unidelta.tasks.metrics.metric import Metric, Statistics
from unidelta.tasks.metrics.romanian import moses_tokens

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (theirs is a class)

KEYS = ("bleu", "bleu_romanian")
_SMOOTHING = {"bleu": "exp", "bleu_romanian": "none"}
_ORDER = 4  # longest n-grams
_N_STATISTICS = 2 + 2 * _ORDER


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """What BLEU counts in every stripped prediction against one stripped reference, for each of the two scores.

    Those are the lengths of both in tokens and, for n-grams of 1 to 4 tokens, how many match and how many there are.
    """
    pairs = [[text.strip() for text in texts] for texts in (predictions, references)]
    counted = {"bleu": _counts("13a", *pairs)}
    counted["bleu_romanian"] = _counts("none", *([moses_tokens(text) for text in texts] for texts in pairs))
    return [tuple(n for counts in rows for n in counts) for rows in zip(*(counted[key] for key in KEYS), strict=True)]


def _counts(tokenize: str, predictions: Sequence[str], references: Sequence[str]) -> list[list[int]]:
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late: planning needs no scorer)

    # `effective_order` changes a single sentence's score, which is not used, and not its counts.
    scorer = Scorer(tokenize=tokenize, effective_order=True)
    scores = [scorer.sentence_score(text, [right]) for text, right in zip(predictions, references, strict=True)]
    return [[score.sys_len, score.ref_len, *score.counts, *score.totals] for score in scores]


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """Both scores of a corpus, 0 to 100; 0 where no word matches."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late, as above)

    scores = {}
    for i, (key, smoothing) in enumerate(_SMOOTHING.items()):
        length, length_right, *counts = sums[i * _N_STATISTICS : (i + 1) * _N_STATISTICS]
        matches, totals = ([int(count) for count in half] for half in (counts[:_ORDER], counts[_ORDER:]))
        score = Scorer.compute_bleu(matches, totals, int(length), int(length_right), smooth_method=smoothing)
        scores[key] = score.score
    return scores


def signature() -> str:
    """sacreBLEU's own signature of each, e.g. `bleu: nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`."""
    signatures = []
    for name, scorer in corpus_scorers().items():
        # sacreBLEU knows the number of references, a part of its signature, only after a first score.
        scorer.corpus_score(["."], [["."]])
        signatures.append(f"{name}: {scorer.get_signature()}")
    return f"{'; '.join(signatures)}|text:moses-ro-no-diacritics|sacremoses:{version('sacremoses')}"


def corpus_scorers() -> dict[str, "Scorer"]:
    """sacreBLEU's scorer of a corpus for each of the two; the second takes `moses_tokens`."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late, as above)

    # `force` silences a note on standard error about sentences that end in " ."; it changes no score.
    tokens = {"bleu": "13a", "bleu_romanian": "none"}
    return {key: Scorer(tokenize=tokens[key], smooth_method=_SMOOTHING[key], force=True) for key in KEYS}


BLEU = Metric(name="bleu", keys=KEYS, measure=measure, combine=combine, signature=signature)
