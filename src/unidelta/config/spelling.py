"""Between what people type and what Hydra's grammar takes: the same words, spelled for it, and back.

A text is meant as it stands: a path with `~`, `ț` or `#`, a commit of digits only, a project called `1e3`. Hydra's
grammar refuses the first and makes numbers of the others, unless they are quoted.
"""

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from unidelta.config.groups import options
from unidelta.config.keys import text_keys, text_list_keys
from unidelta.config.schema import GROUPS
from unidelta.design.request import SLOTS

OPTIONS = tuple(f"method.{key}.options." for key in SLOTS)
"""Keys of dictionaries: what only this form has."""
_GLOBAL = "experiment@_global_"  # so that an experiment is read whether it names its package or not


def as_hydra_reads(words: Sequence[str]) -> list[str]:
    """Words as typed, in Hydra's spelling. What it has no spelling for stays as it is, to be refused."""
    return [_spelled(word) for word in words]


def as_typed(words: Sequence[str]) -> list[str]:
    """Undo `as_hydra_reads`, but for quotation marks, which people may type too."""
    return [word.removeprefix("++").replace(_GLOBAL, "experiment", 1) for word in words]


def parsed(word: str) -> Override | None:
    """A word as Hydra's grammar reads it once it is spelled for it; None if it does not."""
    return _parse(_quoted(word))


def parse(word: str) -> Override:
    """The same, or what the grammar says against it.

    Raises:
        HydraException: it does not read it.
    """
    return OverridesParser.create().parse_override(_quoted(word))


def quoted(key: str, value: str) -> str:
    """An override whose value is this text, whatever is in it."""
    return f"{key}={_marks(value)}"


def _spelled(word: str) -> str:
    if word.startswith(OPTIONS):
        return f"++{word}"  # the only way to set a new key of a dictionary
    word = _written_out(_quoted(word))
    key, equals, value = word.partition("=")
    if key != "experiment" or not equals:
        return word
    return f"{_GLOBAL}={','.join('none' if one == 'null' else one for one in value.split(','))}"


def _written_out(word: str) -> str:
    """`method=adapter,bitfit,…` of `method=glob(*)`; one that fits nothing stays as it is."""
    key, _, value = word.partition("=")
    if key not in GROUPS or not value.startswith("glob("):
        return word
    override = _parse(word)
    glob = override.value() if override is not None else None
    fitting = glob.filter(options(key)) if isinstance(glob, Glob) else []
    return f"{key}={','.join(fitting)}" if fitting else word


def _quoted(word: str) -> str:
    """The word with its text in quotation marks, where Hydra would not read it as the text that it is."""
    key, _, value = word.partition("=")
    is_list = key in text_list_keys()
    if not value or not (is_list or key in text_keys() or key in GROUPS):
        return word
    override = _parse(word)
    if override is None:
        return f"{key}={_marks(value)}" if key in text_keys() and not set(value) & set(",'\"") else word
    begin, inside, end = ("[", value[1:-1], "]") if is_list and value[0] + value[-1] == "[]" else ("", value, "")
    if set(inside) & set("'\"()[]{}"):  # spelled for the grammar already
        return word
    texts = ",".join(_marks(part) if _is_number(part) else part for part in inside.split(","))
    return f"{key}={begin}{texts}{end}"


def _is_number(text: str) -> bool:
    """Whether the grammar makes a number, or true or false, of a text."""
    override = _parse(f"key={text}")
    return override is not None and not override.is_sweep_override() and isinstance(override.value(), int | float)


def _marks(text: str) -> str:
    """A text in quotation marks; a backslash means itself, but before one of them."""
    return '"' + re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2].replace('"', '\\"'), text) + '"'


def _parse(word: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None
