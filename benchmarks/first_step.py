"""`train.py` with the given arguments, ended after the first optimiser step; used by startup.py."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from unidelta.cli.train import main
from unidelta.run import run

_paused = run.paused_garbage_collection


@contextmanager
def _then_ended() -> Iterator[None]:
    """The imports of a run, unchanged; the process ends after the first optimiser step."""
    with _paused():
        yield
    from torch.optim.optimizer import register_optimizer_step_post_hook  # there already

    register_optimizer_step_post_hook(lambda *_: os._exit(0))


if __name__ == "__main__":
    run.paused_garbage_collection = _then_ended
    main()
