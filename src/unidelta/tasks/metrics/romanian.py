"""Romanian text as the authors score it: normalised, without diacritics, in Moses tokens.

Their script pipes hypotheses and references through six programs (`exps/romanian_postprocess.sh`): Moses'
replace-unicode-punctuation, normalize-punctuation and remove-non-printing-char, the WMT 2016 scripts
normalise-romanian and remove-diacritics, and Moses' tokenizer without escaping. sacremoses has the three larger ones;
where it differs from the Perl programs for Romanian, the step is implemented here.
"""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sacremoses import MosesPunctNormalizer, MosesTokenizer

_COMMA_BELOW = str.maketrans("ŞşŢţ", "ȘșȚț")  # the cedilla of old code pages to the comma of Romanian
_PLAIN = str.maketrans("ȘșȚțĂăÂâÎî", "SsTtAaAaIi")
_PSEUDO_SPACE_IN_NUMBER = re.compile("([0-9])\u00a0([0-9])")
_LAST_FULL_STOP = re.compile(r"([^ .])\.$")


def moses_tokens(text: str) -> str:
    """One line of Romanian as the authors compare it: tokens without diacritics, separated by single spaces."""
    # The rule that moves a full stop out of a quotation needs a character after it, and in Perl lines end in one.
    text = _normalizer().normalize(f"{text}\n")
    # The Perl programs put a point into thousands in all but five languages, and a space for unprintable characters.
    text = _PSEUDO_SPACE_IN_NUMBER.sub(r"\1.\2", text)
    text = "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
    text = text.translate(_COMMA_BELOW).translate(_PLAIN)
    tokens = str(_tokenizer().tokenize(text, escape=False, return_str=True))
    # In Perl the last full stop is a token even after what looks like an abbreviation.
    return _LAST_FULL_STOP.sub(r"\1 .", tokens)


@cache
def _normalizer() -> "MosesPunctNormalizer":
    """Punctuation as left by `replace-unicode-punctuation` followed by `normalize-punctuation -l ro`.

    In Perl the rule for a quotation mark next to a comma is German's for every language but English and Czech; in
    sacremoses Romanian has no rule, so German is used. Numbers, which German writes differently, are excluded.
    """
    from sacremoses import MosesPunctNormalizer

    return MosesPunctNormalizer("de", norm_numbers=False, pre_replace_unicode_punct=True, perl_parity=True)


@cache
def _tokenizer() -> "MosesTokenizer":
    from sacremoses import MosesTokenizer

    return MosesTokenizer("ro")
