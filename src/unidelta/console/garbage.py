"""Pause Python's garbage collection during heavy imports."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Import without garbage collection, and exempt what the imports made from later collections.

    Libraries such as transformers allocate so many objects while they are imported that collecting again and again, and
    at the end of the process, takes a good part of the import's time. Where every module was loaded before, nothing is
    exempted: what exists may be the garbage of an earlier run in the same process.
    """
    was_enabled, n_loaded = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
        if len(sys.modules) > n_loaded:
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
