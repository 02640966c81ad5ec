"""Objects from imports are exempt from garbage collection."""

import gc
import sys
import weakref
from types import ModuleType

import pytest

from unidelta.console.garbage import paused_garbage_collection


class Knot:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_what_was_made_while_a_module_was_loaded_is_left_alone_and_what_comes_later_is_not(monkeypatch):
    with paused_garbage_collection():
        assert not gc.isenabled()
        monkeypatch.setitem(sys.modules, "a_new_module", ModuleType("a_new_module"))
        within = weakref.ref(Knot())
    later = weakref.ref(Knot())
    gc.collect()
    assert gc.isenabled()
    assert within() is not None
    assert later() is None


def test_where_nothing_new_was_loaded_garbage_is_found():
    earlier = weakref.ref(Knot())
    with paused_garbage_collection():
        pass
    gc.collect()
    assert earlier() is None


def test_after_an_error_the_collector_is_on_again():
    with pytest.raises(ImportError), paused_garbage_collection():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with paused_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
