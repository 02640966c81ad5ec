"""What a word that is not `key=value` was meant to be: spaces or a colon at its sign, two signs, several settings."""

import re
import shlex
from collections.abc import Iterator, Sequence

from unidelta.config.groups import options
from unidelta.config.keys import keys
from unidelta.config.schema import GROUPS
from unidelta.config.spelling import parsed
from unidelta.errors import ConfigError


def joined(words: Sequence[str]) -> Iterator[str]:
    """The words, with `key = value`, `key= value`, `key =value` and `key: value` in one."""
    waiting = ""
    for word in words:
        if (waiting.endswith(("=", ":")) and "=" not in word) or (waiting and "=" not in waiting and word[:1] == "="):
            waiting = f"{waiting} {word}"
        else:
            if waiting:
                yield waiting
            waiting = word
    if waiting:
        yield waiting


def unreadable(word: str) -> ConfigError | None:
    """The refusal of a word that is not `key=value`; None if it is, with a value that lacks quotation marks."""
    meant = _settings(word)
    if meant:
        why = "it cannot be read as key=value, with spaces between settings and nowhere else"
        return ConfigError(word, why, shlex.join(meant))
    key, equals, value = word.partition("=")
    if not equals:
        group = group_with(word)
        return ConfigError(
            word, "it cannot be read as key=value", f"{group}={word}" if group else "key=value, such as method=mam"
        )
    if not key or parsed(f"{key}=1") is None:
        meant = re.sub(r"[^\w./@]", "", key)
        instead = f"{meant}={value}" if meant in (*keys(), *GROUPS) else "key=value, such as method=mam"
        return ConfigError(word, f"`{key}` is not a key", instead)
    return None


def group_with(option: str) -> str | None:
    """The group that has an option of this name."""
    return next((group for group in GROUPS if option in options(group)), None)


def _settings(word: str) -> list[str]:
    """The settings that the word consists of; none if it has something else in it."""
    known = "|".join(map(re.escape, sorted((*keys(), *GROUPS), key=len, reverse=True)))
    settings: list[str] = []
    for piece in re.split(rf"[\s,;]+(?=(?:{known})\s*[:=])", word.strip().rstrip(",;")):
        found = re.fullmatch(rf"({known})\s*[:=]+\s*(\S+)", piece)
        setting = f"{found[1]}={found[2]}" if found else ""
        if parsed(setting) is None:
            return []
        settings.append(setting)
    return [] if settings == [word] else settings
