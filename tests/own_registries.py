"""Registries for one test: what it registers is gone afterwards."""

from typing import Any

import pytest

from unidelta.extensions.registry import Registry


def keep(monkeypatch: pytest.MonkeyPatch, *registries: Registry[Any]) -> None:
    """Give each registry copies of what it knows, once it knows all of the project's own."""
    for registry in registries:
        assert len(registry)
        for name in ("_things", "_origins"):
            monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
