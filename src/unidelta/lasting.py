"""What is loaded once and lasts as long as the process, kept from Python's search for garbage."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Imports without a search for garbage while they run, and with none among what they made.

    Libraries such as transformers make so many objects while they are imported that looking through them, again and
    again and at the end of the process, takes a good part of that time. Where every module was loaded before, nothing
    is set aside: what there is may be the garbage of an earlier run in the same process.
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
