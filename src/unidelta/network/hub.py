"""Whether the Hugging Face hub can be reached: one quick probe per process.

The libraries retry for 23 to 46 seconds before they report that there is no network. A short probe comes first, and the
local cache is used if there is no answer within `UNIDELTA_HUB_TIMEOUT_S` seconds.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import huggingface_hub.constants

from unidelta.errors import ConfigError
from unidelta.network.probe import answers

_TIMEOUT_S = 5.0


def why_unreachable(*, of_data: bool = False) -> str | None:
    """The reason to use only the local cache now, None if the hub answers.

    Args:
        of_data: whether it is for a data set, which has a separate switch.

    Raises:
        ConfigError: `UNIDELTA_HUB_TIMEOUT_S` is not a number of seconds.
    """
    switch = _switch(of_data=of_data)
    if switch is not None:
        return f"the hub is switched off ({switch})"
    endpoint, timeout_s = huggingface_hub.constants.ENDPOINT, _timeout_s()
    if _answers(endpoint, timeout_s):
        return None
    return f"the hub ({endpoint}) did not answer within {timeout_s:g} s (UNIDELTA_HUB_TIMEOUT_S)"


def is_unknown_revision(error: BaseException) -> bool:
    """Whether a client of the hub failed because the repository has no such commit, tag or branch."""
    from huggingface_hub.errors import RevisionNotFoundError

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, RevisionNotFoundError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def forget() -> None:
    """Probe again at the next call, because the network may have changed."""
    _answers.cache_clear()


@contextmanager
def cache_only() -> Iterator[None]:
    """Keep the hub's libraries from using the network.

    They read HF_HUB_OFFLINE when they are imported, so their own constants are set as well.
    """
    import datasets.config  # late: a second to import

    before = os.environ.get("HF_HUB_OFFLINE"), huggingface_hub.constants.HF_HUB_OFFLINE
    before_datasets = datasets.config.HF_HUB_OFFLINE
    os.environ["HF_HUB_OFFLINE"] = "1"
    datasets.config.HF_HUB_OFFLINE = huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE = before_datasets, before[1]
        if before[0] is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before[0]


def _switch(*, of_data: bool) -> str | None:
    """The variable that keeps the libraries offline, by their own rules; None if there is none."""
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        is_older = not os.environ.get("HF_HUB_OFFLINE") and os.environ.get("TRANSFORMERS_OFFLINE")
        return "TRANSFORMERS_OFFLINE" if is_older else "HF_HUB_OFFLINE"
    value = os.environ.get("HF_DATASETS_OFFLINE", "")
    is_off = of_data and value.upper() in huggingface_hub.constants.ENV_VARS_TRUE_VALUES
    return "HF_DATASETS_OFFLINE" if is_off else None


def _timeout_s() -> float:
    text = os.environ.get("UNIDELTA_HUB_TIMEOUT_S", "")
    try:
        seconds = float(text) if text else _TIMEOUT_S
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        asked, why = f"UNIDELTA_HUB_TIMEOUT_S={text}", "it is a number of seconds above 0"
        raise ConfigError(asked, why, f"UNIDELTA_HUB_TIMEOUT_S={_TIMEOUT_S:g}, the default")
    return seconds


@cache
def _answers(endpoint: str, timeout_s: float) -> bool:
    """Whether anything answers at the address."""
    return answers(endpoint, timeout_s=timeout_s)
