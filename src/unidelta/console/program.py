"""The name under which a command was started, for its usage line and its advice."""

import re
import sys

NAME = "unidelta"


def program(otherwise: str) -> str:
    """`unidelta COMMAND` if it was started so, else the name given."""
    return sys.argv[0] if _is_unidelta() else otherwise


def as_started(text: str) -> str:
    """A text with `unidelta train` for each `python train.py`, if a command was started so: there may be no scripts."""
    return re.sub(r"python (train|sweep|report)\.py", rf"{NAME} \1", text) if _is_unidelta() else text


def _is_unidelta() -> bool:
    return sys.argv[0].startswith(f"{NAME} ")
