"""The keys of the pool, the launcher that runs jobs on this machine (`hydra_plugins.unidelta_pool`)."""

from dataclasses import dataclass, field


@dataclass
class PoolConfig:
    """The keys below `hydra.launcher`."""

    _target_: str = "hydra_plugins.unidelta_pool.launcher.PoolLauncher"
    workers: int | None = None  # processes at once; null: one for each GPU, else for each core, as far as memory goes
    gpus: list[str] = field(default_factory=list)  # CUDA_VISIBLE_DEVICES of the first worker, …; []: all visible
    timeout_s: float | None = None  # a job that takes longer is ended; null: never
    retries: int = 0  # how often a job is begun again that was killed, late, or met an error
    reuse: bool | None = None  # a process does many jobs; null: only where sweep.py does those of the miniature
