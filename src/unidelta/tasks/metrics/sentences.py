"""A plain sentence splitter for rougeLsum, which compares sentence by sentence.

It splits after `.`, `!` or `?` (and closing quotes or brackets) where white space and something that can
begin a sentence follow, and knows no abbreviations.
"""

import re

_BOUNDARY = re.compile(r"""([.!?]["'”’)\]]*)\s+(?=["'“‘(\[]*[A-Z0-9])""")


def one_sentence_per_line(text: str) -> str:
    """`text` stripped, with single spaces inside and one sentence a line."""
    flat = " ".join(text.split())
    return _BOUNDARY.sub(r"\1\n", flat)
