"""The processes that execute one run together: one, or those started by `torchrun` on one machine or several.

No torch at import, so that an invalid request fails at once.
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
    """This process's rank, and the number of processes.

    Args:
        rank: counted from 0; only the first process prints and writes.
        n: how many take part in the run.
        n_here: how many of them are on this machine; None for all.
    """

    rank: int
    n: int
    n_here: int | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0


ALONE = Processes(rank=0, n=1)


def started_by(environment: Mapping[str, str]) -> Processes:
    """The processes that `torchrun` sets in the environment; one process if it sets nothing."""
    n = int(environment.get("WORLD_SIZE", "1"))
    here = int(environment.get("LOCAL_WORLD_SIZE", n))
    return Processes(rank=int(environment.get("RANK", "0")), n=n, n_here=None if here == n else here)


def connect(processes: Processes, *, device: Literal["cpu", "cuda"]) -> None:
    """Connect the processes, with NCCL on GPUs and gloo on the CPU. Calling it again does nothing.

    Raises:
        ConfigError: this machine has fewer GPUs than processes.
    """
    if processes.n == 1:
        return
    import torch
    from accelerate import PartialState

    if device == "cuda":
        check_gpus(processes, torch.cuda.device_count())
    PartialState(cpu=device == "cpu")


def check_gpus(processes: Processes, n_gpus: int) -> None:
    """Refuse to share a GPU between two processes.

    Args:
        processes: this process, and how many there are on this machine.
        n_gpus: how many PyTorch sees on this machine.

    Raises:
        ConfigError: there are fewer GPUs than processes on this machine.
    """
    n_here = processes.n if processes.n_here is None else processes.n_here
    if n_here > n_gpus:
        asked = f"{n_here} processes on the GPUs of one machine"
        why = f"PyTorch sees {n_gpus} here, and each process needs its own"
        raise ConfigError(asked, why, f"torchrun --nproc_per_node {n_gpus}, or training.device=cpu")


def gather(value: Any, processes: Processes) -> list[Any]:
    """The `value` of every process, in order of rank; each process waits for all others."""
    if processes.n == 1:
        return [value]
    from torch import distributed

    values: list[Any] = [None] * processes.n
    distributed.all_gather_object(values, value)
    return values


def gather_tensors(values_N: "Tensor", accelerator: "Accelerator") -> "Tensor":
    """(P, N): one row of numbers per process, in order of rank."""
    gathered = accelerator.gather(values_N)
    return cast("Tensor", gathered).view(-1, len(values_N))


def disconnect(processes: Processes) -> None:
    """End the connection, if there is one."""
    if processes.n == 1:
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
