"""The processes that do one run together: one, or as many as `torchrun --nproc_per_node` started.

No torch at import, so that a request that cannot be met is told at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from unidelta.errors import ConfigError

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Which process this is, and of how many.

    Args:
        rank: counted from 0; the first process alone prints and writes.
        n: how many do the run.
    """

    rank: int
    n: int

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0


ALONE = Processes(rank=0, n=1)


def started_by(environment: Mapping[str, str]) -> Processes:
    """The processes that `torchrun` announces to each of them; one where nothing is announced."""
    return Processes(rank=int(environment.get("RANK", "0")), n=int(environment.get("WORLD_SIZE", "1")))


def connect(processes: Processes, *, device: Literal["cpu", "cuda"]) -> None:
    """Let the processes talk to each other, over NCCL on GPUs and gloo on the CPU. Calling it again does nothing.

    Raises:
        ConfigError: there are fewer GPUs than processes on this machine.
    """
    if processes.n == 1:
        return
    import torch
    from accelerate import PartialState

    n_gpus = torch.cuda.device_count()
    if device == "cuda" and processes.n > n_gpus:
        asked, why = f"{processes.n} processes on GPUs", f"PyTorch sees {n_gpus} here, and each process needs its own."
        raise ConfigError(asked, why, f"torchrun --nproc_per_node {n_gpus}, or training.device=cpu")
    PartialState(cpu=device == "cpu")


def gather(value: Any, processes: Processes) -> list[Any]:
    """The `value` of every process, in the order of their ranks; each waits here for all others."""
    if processes.n == 1:
        return [value]
    from torch import distributed

    values: list[Any] = [None] * processes.n
    distributed.all_gather_object(values, value)
    return values


def gather_tensors(values_N: "Tensor", accelerator: "Accelerator") -> "Tensor":
    """(P, N): the row of numbers of every process, in the order of their ranks."""
    gathered = accelerator.gather(values_N)
    return cast("Tensor", gathered).view(-1, len(values_N))


def disconnect(processes: Processes) -> None:
    """End the connection, if there is one."""
    if processes.n == 1:
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
