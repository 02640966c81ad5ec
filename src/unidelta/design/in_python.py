"""The words of a refusal as they are typed in Python: `position="attn"`, `budget="0.5%"`."""

import re

from unidelta.errors import Problems, UserError

_AXES = "method|position|insertion|composition|conventions|layers|tokens|head|budget"
_WORDS = tuple(
    (re.compile(words), python)
    for words, python in (
        (r"budget=percent budget\.percent=(\S+?)(?=[,;]?(?:\s|$))", r'budget="\1%"'),
        (r"budget\.percent=(\S+?)(?=[,;]?(?:\s|$))", r'budget="\1%"'),
        (r"budget=bottleneck budget\.bottleneck=(\d+)", r"budget=\1"),
        (r"budget=bottleneck with at most (\d+)", r"budget=\1 or less"),
        (r"budget=paper", "no budget"),
        (r"smaller budget\.percent", "smaller share"),
        (r"budget\.percent", "budget"),
        (r"composition\.scale", "scale"),
        (r"training\.head", "head"),
        (rf"\b({_AXES})=([A-Za-z]\w*(?:[:+]\w+)*)", r'\1="\2"'),
        (rf'(["\d\]]) (?=(?:{_AXES}|scale)=)', r"\1, "),
    )
)


def in_python(error: UserError) -> UserError:
    """The same refusal in the words of `unidelta.inject`; the keys of a command line are written as arguments."""
    if isinstance(error, Problems):
        return Problems([in_python(each) for each in error.errors])
    return type(error)(*(_said(words) for words in (error.asked, error.why, error.instead)))


def _said(words: str) -> str:
    for pattern, python in _WORDS:
        words = pattern.sub(python, words)
    return words
