"""Whether the Hugging Face hub can be reached, asked once a process and quickly.

The libraries retry for 23 to 46 seconds before they say that there is no network; a knock of two seconds at the
hub's door comes first, and the cache of this machine is used where nobody answers.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import huggingface_hub.constants

from unidelta.network.probe import answers

TIMEOUT_S = 2.0


def why_unreachable() -> str | None:
    """Why only the cache of this machine can be used now, None if the hub answers."""
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return "the hub is switched off (HF_HUB_OFFLINE)"
    endpoint = huggingface_hub.constants.ENDPOINT
    return None if _answers(endpoint) else f"the hub ({endpoint}) did not answer within {TIMEOUT_S:g} s"


def forget() -> None:
    """Knock anew when asked next: the network may have changed."""
    _answers.cache_clear()


@contextmanager
def cache_only() -> Iterator[None]:
    """Keep the hub's libraries from trying the network.

    They read HF_HUB_OFFLINE when they are imported, so it is set where they keep it as well.
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


@cache
def _answers(endpoint: str) -> bool:
    """Whether anything answers at the address."""
    return answers(endpoint, timeout_s=TIMEOUT_S)
