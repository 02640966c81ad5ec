"""A configuration is data: refuses overrides that name code, add search paths or read the environment.

Hydra instantiates whatever `_target_` names below its own keys, and logging whatever `class` names, so a copied command
line could run code; a PATH that is set in the job's environment runs any git. Environment variables may be secrets,
and configurations are written into records.
"""

import re
from collections.abc import Iterator
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override

from unidelta.errors import ConfigError

_CODE = frozenset(("_target_", "_partial_", "_args_", "_recursive_", "_convert_", "class", "()", "env_set"))
_CLOSED = ("searchpath", "callbacks", "job_logging", "hydra_logging")  # below `hydra`
_REFERENCE = re.compile(r"\$\{[^{}:]*\}")  # to another key
_RESOLVER = re.compile(r"\$\{\s*([^{}:]*?)\s*:")
_HARMLESS_RESOLVERS = ("now", "hydra")


def check_no_code(argument: str, override: Override) -> Iterator[ConfigError]:
    """What is wrong with an override in this respect.

    Only whole names count: a part of the dotted key, or a key of a dictionary. Text may contain them.

    Args:
        argument: as typed.
        override: the same, parsed.
    """
    parts = re.split(r"[.@:]", override.key_or_group)
    is_closed = parts[0] == "hydra" and len(parts) > 1 and parts[1] in _CLOSED
    if is_closed or _CODE & {*parts, *_keys(override.value())}:
        why = "a configuration is data: it names no code to run and no other place to search"
        yield ConfigError(argument, why, "the same without it; docs/extending.md says where code goes")
    text = argument.partition("=")[2]
    while _REFERENCE.search(text):  # innermost first: the name of a resolver may be put together, `${oc.${key}:HOME}`
        text = _REFERENCE.sub("?", text)
    if set(_RESOLVER.findall(text)) - set(_HARMLESS_RESOLVERS):
        why = "the value of a variable may be a secret, and what is typed goes into records"
        yield ConfigError(argument, why, "the value itself")


def _keys(value: Any) -> Iterator[str]:
    """The keys of all dictionaries in a parsed value, at any depth."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield str(key)
            yield from _keys(below)
    elif isinstance(value, list | tuple | ChoiceSweep):
        for one in value.list if isinstance(value, ChoiceSweep) else value:
            yield from _keys(one)
