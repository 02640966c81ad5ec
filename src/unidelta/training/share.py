"""How a run's batches are divided among processes: together they process exactly the batches of one process.

The batch of an optimiser step is `batch_size` (or `max_tokens`) × `accumulation`, for any number of processes.
"""

from dataclasses import dataclass
from typing import Literal

from unidelta.errors import ConfigError
from unidelta.training.processes import Processes
from unidelta.training.spec import TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One process's part of every optimiser step.

    Args:
        processes: this process, and of how many.
        of: `passes` if each process does some of the step's forward passes, `examples` if it does some
            of the examples of every pass.
        accumulation: forward passes of this process per optimiser step.
    """

    processes: Processes
    of: Literal["passes", "examples"]
    accumulation: int

    def n_passes(self, n_batches: int) -> int:
        """Forward passes in an epoch of so many batches, equally many in every process."""
        return -(-n_batches // self.processes.n) if self.of == "passes" else n_batches

    def own(self, batches: list[list[int]]) -> list[list[int]]:
        """What this process does of the batches of an epoch; empty in a pass in which it has nothing to do."""
        rank, n = self.processes.rank, self.processes.n
        if self.of == "examples":
            return [batch[rank::n] for batch in batches]
        own = batches[rank::n]
        return own if len(own) == self.n_passes(len(batches)) else [*own, []]


def share(spec: TrainingSpec, processes: Processes) -> Share:
    """Divide the forward passes of a step among the processes or, failing that, the examples of each pass.

    Raises:
        ConfigError: neither can be divided evenly. A pass defined by a number of tokens is never divided.
    """
    n = processes.n
    if spec.accumulation % n == 0:
        return Share(processes=processes, of="passes", accumulation=spec.accumulation // n)
    if spec.max_tokens is None and spec.batch_size % n == 0:
        return Share(processes=processes, of="examples", accumulation=spec.accumulation)
    asked = f"{n} processes with training.accumulation={spec.accumulation}"
    why = f"{n} processes cannot have equal parts of {spec.accumulation} forward passes"
    divisible = [spec.accumulation]
    if spec.max_tokens is None:
        asked += f" and training.batch_size={spec.batch_size}"
        why += f", nor of the {spec.batch_size} examples of a pass"
        divisible.append(spec.batch_size)
    fewer = max(k for k in range(1, n) if any(number % k == 0 for number in divisible))
    instead = f"torchrun --nproc_per_node {fewer}, or another batch: training.accumulation={n}"
    raise ConfigError(asked, f"{why}; the batch stays what it is with one process", instead)
