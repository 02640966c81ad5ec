"""Redact secrets, and folders that tell people and hosts, in command lines before they are stored."""

import re
from collections.abc import Mapping, Sequence

REDACTED = "***"

# A name that ends like a credential's. `num_tokens`, `use_cls_token=true` and `text_key` must stay readable.
_SECRET_NAME = re.compile(
    r"(?:^|[._-])(?:token|secret|passw(?:or)?d|credentials?|(?:api|access|secret|private|auth)[._-]?key)$",
    re.IGNORECASE,
)
_HARMLESS_VALUE = re.compile(r"(?:true|false|null|none|[-+.\deE]+)?", re.IGNORECASE)
# Hugging Face, GitHub, OpenAI-like; 40 hexadecimal digits are W&B's (a git commit is redacted with them).
_SECRET_VALUE = re.compile(r"\b(?:hf_\w{20,}|gh[pousr]_\w{20,}|sk-[\w-]{20,}|[0-9a-fA-F]{40})\b")
_URL_USER = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_N_LETTERS_OF_A_SECRET = 8
_FOLDERS = re.compile(r"""(^|[=\[,'"])(?:~[^/,\]'"]*)?/(?:[^,\]'"]*/)?""")  # of an absolute path, all but its last part


def shareable(command: Sequence[str], *, environment: Mapping[str, str]) -> list[str]:
    """`command` as `redact` has it, and of absolute paths the last part: `task.path=.../reviews`."""
    return [_FOLDERS.sub(r"\1.../", argument) for argument in redact(command, environment=environment)]


def redact(command: Sequence[str], *, environment: Mapping[str, str]) -> list[str]:
    """`command` with `***` for values that are named or shaped like a credential, or that are in `environment`."""
    secrets = [
        value for name, value in environment.items() if _is_secret_name(name) and len(value) >= _N_LETTERS_OF_A_SECRET
    ]
    redacted: list[str] = []
    hides_next = False
    for argument in command:
        redacted.append(REDACTED if hides_next else _redact_argument(argument, secrets))
        hides_next = argument.startswith("--") and "=" not in argument and _is_secret_name(argument)
    return redacted


def _redact_argument(argument: str, secrets: Sequence[str]) -> str:
    name, equals, value = argument.partition("=")
    if equals and _is_secret_name(name) and not _HARMLESS_VALUE.fullmatch(value):
        return f"{name}={REDACTED}"
    for secret in secrets:
        argument = argument.replace(secret, REDACTED)
    return _SECRET_VALUE.sub(REDACTED, _URL_USER.sub(REDACTED, argument))


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name))
