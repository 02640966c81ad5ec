"""The name under which a command was started, for its usage line."""

import sys

NAME = "unidelta"


def program(otherwise: str) -> str:
    """`unidelta COMMAND` if it was started so, else the name given."""
    return sys.argv[0] if sys.argv[0].startswith(f"{NAME} ") else otherwise
