"""The words of a refusal as they are typed in Python: `position="attn"`, `budget="0.5%"`."""

import re
from collections.abc import Generator
from contextlib import contextmanager

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
        (r"leave budget\.(attn|ffn) out", r"a budget without \1"),
        (r"budget\.(attn|ffn)=(\d+)", r'budget={"\1": \2}'),
        (r"--config-dir (\S+)", r'unidelta.register("\1")'),
        (rf"\b({_AXES})=(?!None\b)([A-Za-z]\w*(?:[:+]\w+)*)(?=[,;]?(?:\s|$))", r'\1="\2"'),
        (rf'(["\d\]]) (?=(?:{_AXES}|scale)=)', r"\1, "),
    )
)


@contextmanager
def typed_in_python() -> Generator[None]:
    """Refusals in this context are in the words of `unidelta.inject`: keys of a command line are its arguments."""
    try:
        yield
    except UserError as error:
        raise _worded(error) from None


def _worded(error: UserError) -> UserError:
    if isinstance(error, Problems):
        return Problems([_worded(each) for each in error.errors])
    return type(error)(*(_said(words) for words in (error.asked, error.why, error.instead)))


def _said(words: str) -> str:
    for pattern, python in _WORDS:
        words = pattern.sub(python, words)
    return words
