"""Runs by what was set: `method=mam,training.learning_rate=0.001`."""

import json

import pandas as pd

from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.setting import check_name, settings_of
from unidelta.analysis.in_print import short
from unidelta.errors import ConfigError


def select(frame: pd.DataFrame, words: str) -> pd.DataFrame:
    """The runs of which everything in `words` is so.

    Args:
        frame: as `unidelta.runs` returns it.
        words: `name=value`, separated by commas; a name is a column or a setting by its dotted path.

    Raises:
        ConfigError: a word is not `name=value`, no run has such a name, or none has such a value.
    """
    settings = settings_of(frame, Accounts(n_runs=len(frame)))
    runs = [(run, one) for one in settings for run in one.runs]
    for word in words.split(","):
        name, equals, value = word.partition("=")
        if not equals:
            raise no_side(words, word)
        check_name(name, settings, words)
        found = [(run, one, _text(run.get(name, one.values.get(name)))) for run, one in runs]
        runs = [(run, one) for run, one, its in found if its == _text(_read(short(value)))]
        if not runs:
            known = sorted({its for _, _, its in found})[:12]
            raise ConfigError(words, f"no run has {name}={value}", f"{name}={' or '.join(known)}")
    return frame.loc[frame["run_id"].isin([run["run_id"] for run, _ in runs])]


def no_side(asked: str, word: str) -> ConfigError:
    """The refusal of a word that names neither a folder of records nor some of the runs."""
    why = f"there is no such folder, and `{word}` is not name=value"
    return ConfigError(asked, why, "such as results/mini/main, or method=mam,position=both")


def _read(value: str) -> object:
    """A number as a number: 0.0010 is 1e-3."""
    try:
        return float(value)
    except ValueError:
        return value


def _text(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{float(value):.12g}"
    return value if isinstance(value, str) else json.dumps(value)
