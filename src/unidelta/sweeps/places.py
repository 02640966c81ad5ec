"""How many jobs at a time: one per GPU, or without GPUs one per core, and no more than fit into memory."""

from collections.abc import Sequence
from dataclasses import replace

from unidelta.config.run_spec import RunSpec
from unidelta.design.count import count
from unidelta.sweeps.machine import Machine
from unidelta.sweeps.pool import Pool

_GB = 10**9
_PROCESS, _GPU_PROCESS = 800_000_000, 3 * _GB  # Python with its libraries (0.6 GB measured); CUDA's beside them
_TRAINED = 16  # bytes of a trained parameter beside its value: gradient, two moments of Adam, its best value
_VALUES = 12  # kept for the backward pass per token, sub-layer and feature: four maps, their activations, the norm


def job_bytes(spec: RunSpec, *, on_gpu: bool) -> int:
    """An estimate of the bytes of memory that a run takes, without GPU memory."""
    architecture, training = spec.backbone.architecture, spec.training
    weights = 4 * architecture.n_parameters  # in float32, as they are read
    if on_gpu:
        return _GPU_PROCESS + weights
    tokens = training.max_tokens or training.batch_size * spec.task.max_source_length
    activations = 4 * _VALUES * tokens * architecture.width * len(architecture.sites)
    return _PROCESS + weights + _TRAINED * count(spec.design, architecture).trained + activations


def placed(pool: Pool, machine: Machine, specs: Sequence[RunSpec]) -> tuple[Pool, str]:
    """The pool with default workers and GPUs if they were not set, and a sentence about it.

    Args:
        pool: as requested.
        machine: the machine's resources.
        specs: the runs, at least one.
    """
    is_on_cpu = all(spec.training.device == "cpu" for spec in specs)
    gpus = pool.gpus or (() if is_on_cpu else machine.gpus)
    wanted = min(pool.workers or len(gpus) or machine.n_cores, len(specs))
    need = max(job_bytes(spec, on_gpu=bool(gpus)) for spec in specs)
    room = wanted if machine.free_bytes is None else max(1, machine.free_bytes // need)
    n = wanted if pool.workers is not None else min(wanted, room)
    where = f"on GPU {', '.join(gpus)}" if gpus else f"on {machine.n_cores} core{'s' * (machine.n_cores > 1)}"
    said = f"{n} worker{'s' * (n > 1)} {where}"
    if wanted > room:
        said += (
            f"; a job takes about {need / _GB:.1f} GB of memory, and {(machine.free_bytes or 0) / _GB:.1f} GB are free"
        )
    if n < wanted:
        said += f" (hydra.launcher.workers={wanted} starts more all the same)"
    return replace(pool, workers=n, gpus=gpus), said
