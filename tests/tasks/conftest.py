"""Task specs with everything filled in, so that a test states only what it is about."""

from collections.abc import Callable

import pytest

from unidelta.tasks import TaskSpec

from ..task_facts import task_spec

MakeTask = Callable[..., TaskSpec]


@pytest.fixture
def make_task() -> MakeTask:
    """A `TaskSpec` of the given name; keywords replace its defaults."""
    return task_spec
