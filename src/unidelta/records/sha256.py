"""SHA-256 of files, which shows whether a file was altered."""

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, which are never all in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
