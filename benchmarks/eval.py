"""Time of ROUGE on as many pairs as in XSum's test split: this suite's compared with rouge-score called directly.

`python benchmarks/eval.py --pairs 1000`; both give the same scores to the bit, which is checked. Texts are synthetic:
words of Zipfian frequency with endings for the stemmer, one sentence each as in XSum, a prediction from its reference
by dropping and replacing words. Seconds depend on the machine; the ratio hardly does.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

from rouge_score.rouge_scorer import RougeScorer

from unidelta.tasks.metrics.rouge import ROUGE
from unidelta.tasks.metrics.sentences import one_sentence_per_line

N_PAIRS = 11_334  # XSum's test split
N_WORDS = 24  # of an XSum summary, on average
ENDINGS = ("", "", "s", "ed", "ing", "ation", "ly", "ers")

Result = TypeVar("Result")


def pairs(n: int, rng: random.Random) -> tuple[list[str], list[str]]:
    """`n` predictions and references."""
    words = ["".join(rng.choices("aeioulnrstdmc", k=rng.randint(2, 7))) + rng.choice(ENDINGS) for _ in range(20_000)]
    frequencies = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    predictions, references = [], []
    for _ in range(n):
        reference = rng.choices(words, cum_weights=frequencies, k=rng.randint(N_WORDS - 6, N_WORDS + 6))
        kept = [word for word in reference if rng.random() < 0.8]
        prediction = [word if rng.random() < 0.7 else rng.choice(words) for word in kept]
        predictions.append(f"{' '.join(prediction).capitalize()}.")
        references.append(f"{' '.join(reference).capitalize()}.")
    return predictions, references


def plain(predictions: Sequence[str], references: Sequence[str]) -> list[tuple[float, ...]]:
    """rouge-score, used as documented."""
    scorer = RougeScorer(list(ROUGE.keys), use_stemmer=True)
    found = []
    for predicted, right in zip(predictions, references, strict=True):
        scores = scorer.score(one_sentence_per_line(right), one_sentence_per_line(predicted))
        found.append(tuple(scores[key].fmeasure for key in ROUGE.keys))
    return found


def timed(function: Callable[[], Result]) -> tuple[Result, float]:
    """What a function returns, and the CPU seconds it took."""
    begin = time.process_time()
    result = function()
    return result, time.process_time() - begin


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 if the scores differ."""
    parser = argparse.ArgumentParser(prog="python benchmarks/eval.py", description=__doc__)
    parser.add_argument("--pairs", type=int, default=N_PAIRS, help=f"default: {N_PAIRS}, XSum's test split")
    parser.add_argument("--seed", type=int, default=0, help="of the texts")
    arguments = parser.parse_args(argv)
    if arguments.pairs < 1:
        parser.error(f"--pairs {arguments.pairs} is below 1")
    texts = pairs(arguments.pairs, random.Random(arguments.seed))
    ROUGE.measure(["a. b"], ["a. b"])  # imports what both need
    ours, seconds = timed(lambda: ROUGE.measure(*texts))
    theirs, seconds_plain = timed(lambda: plain(*texts))
    is_equal = ours == theirs
    print(f"{arguments.pairs:,} pairs, {', '.join(ROUGE.keys)}")
    print(f"  rouge-score, called directly  {seconds_plain:7.2f} s")
    print(f"  here, each word stemmed once  {seconds:7.2f} s")
    print(f"  ratio                         {seconds_plain / seconds:7.2f}")
    print(f"  scores equal to the bit       {'yes' if is_equal else 'NO'}")
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
