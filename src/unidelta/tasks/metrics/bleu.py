"""Corpus BLEU of Romanian in two ways that are never mixed: plain, and as the paper's tables have it.

`bleu` is sacreBLEU's default (13a tokens, diacritics kept). `bleu_romanian` is the authors' pipeline: normalised,
without diacritics, Moses tokens, no smoothing (`romanian.py`). On real Romanian they are about ten points apart
(huggingface/transformers#5263), so that a table must hold one of the two; the signature tells them apart.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from unidelta.tasks.metrics.metric import Metric, check_pairs
from unidelta.tasks.metrics.romanian import moses_tokens

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (theirs is a class)

KEYS = ("bleu", "bleu_romanian")


def score(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Both scores of stripped predictions against one stripped reference each, 0 to 100."""
    check_pairs(predictions, references)
    plain = [[text.strip() for text in texts] for texts in (predictions, references)]
    romanian = [[moses_tokens(text) for text in texts] for texts in plain]
    return {
        name: scorer.corpus_score(hypotheses, [right]).score
        for (name, scorer), (hypotheses, right) in zip(_scorers().items(), (plain, romanian), strict=True)
    }


def _scorers() -> dict[str, "Scorer"]:
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (late: planning needs no scorer)

    # `force` silences a note on standard error about sentences that end in " ."; it changes no score.
    romanian = Scorer(tokenize="none", smooth_method="none", force=True)
    return dict(zip(KEYS, (Scorer(force=True), romanian), strict=True))


def signature() -> str:
    """sacreBLEU's own signature of each, e.g. `bleu: nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`."""
    signatures = []
    for name, scorer in _scorers().items():
        # sacreBLEU knows the number of references, a part of its signature, only after a first score.
        scorer.corpus_score(["."], [["."]])
        signatures.append(f"{name}: {scorer.get_signature()}")
    return f"{'; '.join(signatures)}|text:moses-ro-no-diacritics|sacremoses:{version('sacremoses')}"


BLEU = Metric(name="bleu", keys=KEYS, score=score, signature=signature)
