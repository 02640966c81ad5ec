"""BLEU of a corpus by sacreBLEU (Post 2018), as metrics that differ in their tokens and their smoothing."""

from collections.abc import Callable, Sequence

from unidelta.tasks.metrics.metric import Metric, Statistics

_ORDER = 4


def bleu_metric(
    name: str, *, prepare: Callable[[str], str], tokens: str, smoothing: str, signed: Callable[[str], str]
) -> Metric:
    """BLEU, 0 to 100, against one reference; 0 if no word matches.

    Args:
        name: of the metric, and of its one score.
        prepare: what is done to every prediction and reference before it is split into tokens.
        tokens: the name of one of sacreBLEU's tokenizers.
        smoothing: the name of one of its ways to smooth counts of 0.
        signed: the metric's signature, from sacreBLEU's own, such as
            `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`.
    """

    def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
        from sacrebleu.metrics.bleu import BLEU  # late: planning needs no scorer

        # `effective_order` changes a single sentence's score, which is not used, but not its counts.
        scorer = BLEU(tokenize=tokens, effective_order=True)
        pairs = zip(map(prepare, predictions), map(prepare, references), strict=True)
        scores = [scorer.sentence_score(predicted, [right]) for predicted, right in pairs]
        return [(score.sys_len, score.ref_len, *score.counts, *score.totals) for score in scores]

    def combine(sums: Sequence[float], n: int) -> dict[str, float]:
        from sacrebleu.metrics.bleu import BLEU  # late, as above

        length, length_right, *counts = (int(value) for value in sums)
        matches, totals = counts[:_ORDER], counts[_ORDER:]
        return {name: BLEU.compute_bleu(matches, totals, length, length_right, smooth_method=smoothing).score}

    def signature() -> str:
        from sacrebleu.metrics.bleu import BLEU  # late, as above

        # `force` silences a note on standard error about sentences that end in " ."; it changes no score.
        scorer = BLEU(tokenize=tokens, smooth_method=smoothing, force=True)
        # sacreBLEU's signature includes the number of references, which it knows only after a first score.
        scorer.corpus_score(["."], [["."]])
        return signed(str(scorer.get_signature()))

    return Metric(
        name=name, fits="text", keys=(name,), headline=name, measure=measure, combine=combine, signature=signature
    )
