"""`${…}` in what was typed or in a file: a key, or a variable of the shell that nothing reads there."""

import os
import re
import shlex
from collections.abc import Iterator
from functools import partial

from unidelta.config.keys import is_node, keys
from unidelta.config.schema import PATHS
from unidelta.config.spelling import FOLDERS_OF_HYDRA
from unidelta.errors import ConfigError
from unidelta.extensions.suggestions import suggestions

_REFERENCE = re.compile(r"(?<!\\)\$\{\s*([^\s{}:.\[\]][^\s{}:\[\]]*)\s*\}")
_READ_BY_SHELLS = re.compile(r"[\"`\\]|\$\{?(\w*)\}?")  # in double quotation marks
_BARE = re.compile(r"(?<!\\)\$([A-Za-z_]\w*)")


def check_references(argument: str) -> Iterator[ConfigError]:
    """An error for each reference to a key that there is not."""
    key, _, value = argument.partition("=")
    unknown = [name for name in dict.fromkeys(_REFERENCE.findall(value)) if not _is_there(name)]
    paths = _BARE.findall(value) if key in (*PATHS, *FOLDERS_OF_HYDRA) else []
    variables = [name for name in (*unknown, *paths) if name in os.environ]
    if variables:
        why = f"single quotation marks hide {', '.join(f'${name}' for name in variables)} from the shell"
        yield ConfigError(argument, f"{why}, and here only keys of the configuration are read", _for_shell(argument))
    for name in unknown:
        if name not in variables:
            near = [_REFERENCE.sub(partial(_renamed, name, one), argument) for one in suggestions(name, keys(), n=1)]
            why = f"there is no key `{name}`, nor a variable of the shell"
            yield ConfigError(argument, why, shlex.quote(near[0]) if near else "the value itself")


def unknown_in_file(key: str, value: object) -> list[str]:
    """What a file's value refers to in vain: keys that there are not, and in a path variables of the shell."""
    bare = [name for name in _BARE.findall(str(value)) if name in os.environ] if key in PATHS else []
    return [name for name in dict.fromkeys(_REFERENCE.findall(str(value))) if not _is_there(name)] + bare


def _is_there(name: str) -> bool:
    """Whether it is a key, a part of the configuration, or below a key whose value has keys of its own."""
    return name.partition(".")[0] == "hydra" or is_node(name) or any(f"{name}.".startswith(f"{key}.") for key in keys())


def _renamed(name: str, meant: str, found: re.Match[str]) -> str:
    """A reference, to another key if it is to this one."""
    return f"${{{meant}}}" if found[1] == name else found[0]


def _for_shell(argument: str) -> str:
    """The word in double quotation marks, in which a shell reads its variables and leaves all else as it is."""

    def escaped(found: re.Match[str]) -> str:
        return found[0] if (found[1] or "") in os.environ else f"\\{found[0]}"

    marked = _READ_BY_SHELLS.sub(escaped, argument)
    return f'"{marked}"'
