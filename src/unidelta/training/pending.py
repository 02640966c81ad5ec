"""Losses and norms of finished steps that are still on the device.

Reading a number makes the host wait for a GPU to finish its work, so several steps are read at once, with one gather
over the processes. The history is the same, only later, and so is the end of a run that diverges. P processes, N steps.
"""

from collections.abc import Iterator, Mapping

import torch
from accelerate import Accelerator
from torch import Tensor

from unidelta.training.processes import gather_tensors


class Pending:
    """The numbers of the steps since the last `take`.

    Args:
        accelerator: connects the processes.
        every: steps after which they are due.
    """

    def __init__(self, accelerator: Accelerator, *, every: int) -> None:
        self._accelerator, self._every = accelerator, every
        self._steps: list[tuple[Mapping[str, float], Tensor]] = []
        self.is_late = self.is_asked_to_stop = False

    @property
    def n(self) -> int:
        """How many steps wait."""
        return len(self._steps)

    @property
    def is_due(self) -> bool:
        """Whether as many steps wait as are read at once."""
        return self.n >= self._every

    def add(self, entry: Mapping[str, float], numbers_5: Tensor) -> None:
        """A step.

        Args:
            entry: what the host knows of it: step, learning rate, epoch.
            numbers_5: of this process, on the device: loss, gradient norm, number of tokens, and its wishes
                (`Saver.wishes`).
        """
        self._steps.append((entry, numbers_5))

    def take(self) -> Iterator[tuple[dict[str, float], int]]:
        """The history entries of the waiting steps, each with the tokens of all processes.

        From the first one on, `is_late` says whether the first process wants a checkpoint, and `is_asked_to_stop`
        whether any process was asked to stop.
        """
        steps, self._steps = self._steps, []
        numbers_5N = torch.stack([numbers_5 for _, numbers_5 in steps], 1)
        numbers_P5N = gather_tensors(numbers_5N.flatten(), self._accelerator).cpu().unflatten(-1, numbers_5N.shape)
        losses_PN, norms_PN, tokens_PN, late_PN, asked_PN = numbers_P5N.unbind(1)
        self.is_late, self.is_asked_to_stop = bool(late_PN[0].any()), bool(asked_PN.any())
        for i, (entry, _) in enumerate(steps):
            read = {"loss": losses_PN[:, i].mean().item(), "grad_norm": norms_PN[0, i].item()}
            yield {"step": entry["step"], **read, **entry}, int(tokens_PN[:, i].sum())
