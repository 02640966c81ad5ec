"""Where caches are kept."""

from pathlib import Path

import pytest

from unidelta.run.cache_folder import cache_folder


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"UNIDELTA_CACHE": "/somewhere", "XDG_CACHE_HOME": "/xdg"}, Path("/somewhere")),
        ({"UNIDELTA_CACHE": ""}, None),
        ({"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/unidelta")),
        ({"XDG_CACHE_HOME": ""}, Path("/home/someone/.cache/unidelta")),
        ({}, Path("/home/someone/.cache/unidelta")),
    ],
)
def test_the_cache_is_where_the_environment_says(environment: dict[str, str], folder: Path | None, monkeypatch) -> None:
    for name in ("UNIDELTA_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == folder
