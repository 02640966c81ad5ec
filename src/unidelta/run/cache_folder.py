"""Where token ids are cached: `UNIDELTA_CACHE`, by default `unidelta` in the user's cache folder."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from unidelta.extensions.named_paths import as_path


def cache_folder() -> Path | None:
    """The cache folder, which need not exist; None if `UNIDELTA_CACHE` is empty, or there is no home folder."""
    named = os.environ.get("UNIDELTA_CACHE")
    if named is not None:
        return as_path(named, asked=f"UNIDELTA_CACHE={named}") if named else None
    folder = user_cache_path("unidelta")
    return folder if folder.is_absolute() else None  # `~` stays where there is no home
