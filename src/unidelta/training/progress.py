"""The progress bar of training: steps done, and the latest numbers instead of one line per step."""

from collections.abc import Mapping
from threading import RLock

from tqdm import tqdm

_LEFT_OUT = ("step", "epoch", "grad_norm")


class ProgressBar(tqdm):
    """A bar of optimiser steps.

    Args:
        n_steps: optimiser steps of the whole run.
        step: steps already done.
        is_shown: whether anything is drawn.
    """

    def __init__(self, n_steps: int, *, step: int, is_shown: bool) -> None:
        super().__init__(total=n_steps, initial=step, desc="train", dynamic_ncols=True, disable=not is_shown)

    def show(self, entry: Mapping[str, float]) -> None:
        """Move to the step of a history entry, and show its losses, learning rate and scores."""
        numbers = {name: f"{value:.4g}" for name, value in entry.items() if name not in _LEFT_OUT}
        self.set_postfix(numbers, refresh=False)
        self.update(entry["step"] - self.n)


# A lock of this process: tqdm's is shared with forked ones, and one that is killed never gives it back.
ProgressBar.set_lock(RLock())
