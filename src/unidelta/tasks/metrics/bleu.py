"""Corpus BLEU by sacreBLEU with its default tokenisation (13a), diacritics kept.

Not the number the paper prints: the authors normalise and strip Romanian diacritics first, which is worth
about ten points. Scores of the two kinds must never share a table; the signature tells them apart.
"""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import Metric, check_pairs


def score(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus BLEU of stripped predictions against one stripped reference each, 0 to 100."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811  (theirs is a class)

    check_pairs(predictions, references)
    hypotheses = [text.strip() for text in predictions]
    # `force` silences a note on standard error about sentences that end in " ."; it changes no score.
    return {"bleu": Scorer(force=True).corpus_score(hypotheses, [[text.strip() for text in references]]).score}


def signature() -> str:
    """sacreBLEU's own signature, e.g. `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`."""
    from sacrebleu.metrics.bleu import BLEU as Scorer  # noqa: N811

    scorer = Scorer()
    # sacreBLEU knows the number of references, a part of its signature, only after a first score.
    scorer.corpus_score(["."], [["."]])
    return str(scorer.get_signature())


BLEU = Metric(name="bleu", keys=("bleu",), score=score, signature=signature)
