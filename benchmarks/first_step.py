"""`train.py` with the words that follow, its process ended after the first optimiser step: for startup.py."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unidelta.cli.train import main
from unidelta.run import run

_paused = run.paused_garbage_collection


@contextmanager
def _then_counted() -> Iterator[None]:
    """The imports of a run as they are, in their place; the Trainer counts its steps from then on."""
    with _paused():
        yield
    from transformers import Trainer  # there already

    step, seen = Trainer.training_step, []

    def counted(*arguments: Any, **named: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            os._exit(0)  # the first optimiser step is behind it
        return step(*arguments, **named)

    Trainer.training_step = counted


if __name__ == "__main__":
    run.paused_garbage_collection = _then_counted
    main()
