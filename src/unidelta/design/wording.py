"""Numbers, lists and settings in messages, as a user would type them: on a command line, or as arguments in Python."""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from unidelta.errors import Problems, UserError

_IN_PYTHON = ContextVar("in_python", default=False)
_AXES = "method|position|insertion|composition|conventions|layers|tokens|head|budget"
_WORD = re.compile(rf"\b({_AXES})=(?!None\b)([A-Za-z]\w*(?:[:+]\w+)*)(?=[,;]?(?:\s|$))")
_BETWEEN = re.compile(rf'(?<=["\d\]]) (?=(?:{_AXES}|scale)=)')


def number(value: object) -> str:
    """A number as a user would type it: integers in full, others to six digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def typed_key(name: str) -> str:
    """A setting's name: `composition.scale`, in Python `scale`."""
    arguments = {"composition.scale": "scale", "training.head": "head"}
    return arguments.get(name, name.partition(".")[0]) if _IN_PYTHON.get() else name


def typed_budget(**sizes: object) -> str:
    """A whole budget: `budget=percent budget.percent=3.6`, in Python `budget="3.6%"`."""
    kind = "percent" if "percent" in sizes else "bottleneck"
    return typed_sizes(sizes) if _IN_PYTHON.get() else f"budget={kind} {typed_sizes(sizes)}"


def typed_sizes(sizes: Mapping[str, object]) -> str:
    """Sizes of a budget: `budget.attn=30 budget.ffn=512`, in Python `budget={"attn": 30, "ffn": 512}`."""
    typed = {name: number(size) for name, size in sizes.items()}
    if not _IN_PYTHON.get():
        return " ".join(f"budget.{name}={size}" for name, size in typed.items())
    match typed:
        case {"percent": share}:
            return f'budget="{share}%"'
        case {"bottleneck": bottleneck}:
            return f"budget={bottleneck}"
        case slots:
            entries = ", ".join(f'"{slot}": {size}' for slot, size in slots.items())
            return f"budget={{{entries}}}"


def no_budget() -> str:
    """The sizes of the method's file: `budget=paper`, in Python no argument."""
    return "no budget" if _IN_PYTHON.get() else "budget=paper"


@contextmanager
def typed_in_python() -> Generator[None]:
    """Refusals in this context are in the words of `unidelta.inject`: `position="attn", scale=2`."""
    token = _IN_PYTHON.set(True)
    try:
        yield
    except UserError as error:
        raise _with_quotes(error) from None
    finally:
        _IN_PYTHON.reset(token)


def _with_quotes(error: UserError) -> UserError:
    """The refusal with words in quotes and commas between arguments."""
    if isinstance(error, Problems):
        return Problems([_with_quotes(each) for each in error.errors])
    lines = (error.asked, error.why, error.instead)
    return type(error)(*(_BETWEEN.sub(", ", _WORD.sub(r'\1="\2"', line)) for line in lines))
