"""Between what people type and what Hydra's grammar takes: the same words, spelled for it, and back.

A text is meant as it stands: a path with `~`, `ț` or `#`, a commit of digits only, a project called `1e3`. Hydra's
grammar refuses the first and makes numbers of the others, unless they are quoted.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from unidelta.config.groups import options
from unidelta.config.keys import text_keys, text_list_keys
from unidelta.config.schema import GROUPS
from unidelta.design.request import SLOTS
from unidelta.extensions.named_paths import as_path

_QUOTES = "'\""
OPTIONS = tuple(f"method.{key}.options." for key in SLOTS)
"""Keys of dictionaries: what only this form has."""
_GLOBAL = "experiment@_global_"  # so that an experiment is read whether it names its package or not
FOLDERS_OF_HYDRA = ("hydra.run.dir", "hydra.sweep.dir")
_PIECE = re.compile(r"""((?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|"[^"]*"|'[^']*'|[^,])*),""")
"""What is before a comma that is neither in brackets nor in quotation marks."""


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
    return _parser().parse_override(_quoted(word))


def quoted(key: str, value: str) -> str:
    """An override whose value is this text, whatever is in it."""
    return f"{key}={_marks(value)}"


def in_quotation_marks(word: str, *, is_multirun: bool) -> str:
    """The word with quotation marks around its text: around each one of a list, and of several values.

    Args:
        word: one that the grammar does not read without them.
        is_multirun: whether a comma is between values, a run for each.
    """
    key, _, value = word.partition("=")
    is_text = key in text_keys() or key in GROUPS
    if key not in text_list_keys() and (is_text or not _is_list(value)):
        texts = [piece.strip(_QUOTES) for piece in (_pieces(value) if is_multirun else [value])]
        return f"{key}={','.join(map(_as_text if key in GROUPS else _marks, filter(None, texts)))}"
    lists = list(filter(None, _pieces(value)))
    if not all(map(_is_list, lists)):
        lists = [f"[{value.strip('[]')}]"]  # one bracket was forgotten, or both
    return f"{key}={','.join(_list_of(one, _bare_in_marks) for one in lists)}"


def _spelled(word: str) -> str:
    if word.startswith(OPTIONS):
        return f"++{word}"  # the only way to set a new key of a dictionary
    word = _written_out(_quoted(word))
    key, equals, value = word.partition("=")
    if key in FOLDERS_OF_HYDRA:
        return _at_home(word, key)
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


def _at_home(word: str, key: str) -> str:
    """A folder of Hydra's own, `~` in full: other folders are read from the configuration, this one by Hydra."""
    override = _parse(word)
    folder = None if override is None else override.value()
    if not isinstance(folder, str) or not folder.startswith("~"):
        return word
    return quoted(key, str(as_path(folder, asked=f"{key}={folder}")))


def _quoted(word: str) -> str:
    """The word with its texts in quotation marks, where Hydra would not read them as the texts that they are."""
    key, _, value = word.partition("=")
    is_list = key in text_list_keys()
    is_option = key in GROUPS and not set(value) & set(" =")  # else it is a slip of several settings
    is_text = is_option or key in text_keys() or key in FOLDERS_OF_HYDRA
    if not value or not (is_list or is_text) or value.endswith((",", ";")):
        return word
    override, signs, pieces = _parse(word), set(value) & set("'\"(){}" if is_list else "'\"()[]{}"), _pieces(value)
    if override is not None and signs:  # spelled for the grammar already
        return word
    if override is None and is_text and len(pieces) == 1 and not signs & set(_QUOTES):
        return f"{key}={_marks(value)}"
    lists = [piece for piece in pieces if is_list and _is_list(piece)]
    texts = [text for piece in pieces for text in (_pieces(piece[1:-1]) if piece in lists else [piece])]
    # `results_dir=a,seed=1` is two settings with a comma for a space: `seed=1` is no second folder
    has_other_setting = len(pieces) > 1 and any("=" in piece for piece in pieces if not _is_list(piece))
    if override is None and (not all(texts) or signs & set(_QUOTES) or (is_text and signs) or has_other_setting):
        return word  # nobody knows where a text ends
    return f"{key}={','.join(_list_of(one, _as_text) if one in lists else _as_text(one) for one in pieces)}"


def _pieces(value: str) -> list[str]:
    """What is between its commas, maybe nothing."""
    return [piece.strip() for piece in _PIECE.findall(f"{value},")] if value.strip() else []


def _is_list(piece: str) -> bool:
    return piece[:1] + piece[-1:] == "[]"


def _list_of(piece: str, spelled: Callable[[str], str]) -> str:
    """A list in brackets, each of its texts spelled so."""
    return f"[{','.join(map(spelled, filter(None, _pieces(piece[1:-1]))))}]"


def _bare_in_marks(text: str) -> str:
    return _marks(text.strip(_QUOTES))


def _as_text(piece: str) -> str:
    """A text in quotation marks if the grammar does not read it, or makes a number of it, or true or false."""
    override = _parse(f"key={piece}")
    is_read = override is not None and (override.is_sweep_override() or not isinstance(override.value(), int | float))
    return piece if is_read else _marks(piece)


def _marks(text: str) -> str:
    """A text in quotation marks; a backslash means itself, but before one of them."""
    return '"' + re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2].replace('"', '\\"'), text) + '"'


def _parse(word: str) -> Override | None:
    try:
        return _parser().parse_override(word)
    except HydraException:
        return None


@cache
def _parser() -> OverridesParser:
    """Hydra's own: to make it takes longer than to parse a word."""
    return OverridesParser.create()
