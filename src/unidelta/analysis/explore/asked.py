"""What is given to `board`, `compare` and `curve`: tables of runs, and the names of columns or settings."""

from collections.abc import Iterable

import pandas as pd

from unidelta.errors import ConfigError

_READ = ("run_id", "scale", "task", "metric", "seed", "status", "settings", "percent", "lower_is_better", "test")
_RUNS = 'unidelta.runs("results"), or some of its rows with all of its columns'


def given_table(runs: object, name: str) -> pd.DataFrame:
    """The table of runs.

    Args:
        runs: what was given.
        name: of the argument, for the message.

    Raises:
        ConfigError: it is not a table of runs.
    """
    if not isinstance(runs, pd.DataFrame):
        raise ConfigError(f"{name}={runs!r:.60}", "it is not a table of runs", _RUNS)
    lacking = [column for column in _READ if column not in runs.columns]
    if lacking and len(runs):
        raise ConfigError(f"{name}, a table of {len(runs)} rows", f"it lacks {', '.join(lacking)}", _RUNS)
    return runs


def given_names(given: object, name: str, example: str) -> tuple[str, ...]:
    """The names of columns or settings; a text is one.

    Args:
        given: what was given.
        name: of the argument, for the message.
        example: of what can be given.

    Raises:
        ConfigError: they are no names.
    """
    names = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not all(isinstance(each, str) for each in names):
        raise ConfigError(f"{name}={given!r:.60}", "that is not a name of a column or a setting", f"{name}={example}")
    return tuple(str(each) for each in names)
