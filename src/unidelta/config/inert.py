"""A configuration is data: what is typed names no code, searches no other place and reads no environment.

Hydra instantiates what `_target_` says in its own keys, and logging what `class` says; a line that was copied from
elsewhere would run it. A variable of the environment may be a secret, and configurations go into records.
"""

from collections.abc import Iterator

from unidelta.errors import ConfigError

_CODE = ("_target_", "_partial_", "_args_", "class", "()")
_CLOSED = ("hydra.searchpath", "hydra.callbacks", "hydra.job_logging", "hydra.hydra_logging")


def check_inert(argument: str, key: str) -> Iterator[ConfigError]:
    """What is wrong with an override in this respect.

    Args:
        argument: as typed.
        key: the key that it sets.
    """
    names_code = any(part in _CODE for part in key.split(".")) or "_target_" in argument
    if names_code or any(key == closed or key.startswith(f"{closed}.") for closed in _CLOSED):
        why = "a configuration is data: it names no code to run and no other place to search"
        yield ConfigError(argument, why, "the same without it; docs/extending.md says where code goes")
    if "${oc.env:" in argument:
        why = "the value of a variable may be a secret, and what is typed goes into records"
        yield ConfigError(argument, why, "the value itself")
