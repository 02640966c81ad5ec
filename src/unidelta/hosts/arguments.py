"""What a stock module was called with, by the names of its own forward."""

import inspect
from typing import Any

from unidelta.hosts.site import Host


def by_name(host: Host, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """The arguments of one call of a host: those without a keyword first."""
    names = list(inspect.signature(type(host).__bases__[1].forward).parameters)[1:] if args else []
    return {**dict(zip(names, args, strict=False)), **keywords}
