"""Launchers: those there are, the extra that one comes with, and the keys of the pool.

Hydra alone would say that there is no such file, or print the path of a key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.errors import ConfigError, first_line
from unidelta.extensions.suggestions import nearest


@dataclass
class PoolConfig:
    """The keys below `hydra.launcher` of the pool, which runs jobs on this machine (`hydra_plugins.unidelta_pool`)."""

    _target_: str = "hydra_plugins.unidelta_pool.launcher.PoolLauncher"
    workers: int | None = None  # processes at once; null: one for each GPU, else for each core, as far as memory goes
    gpus: list[str] = field(default_factory=list)  # CUDA_VISIBLE_DEVICES of the first worker, …; []: all visible
    timeout_s: float | None = None  # a job that takes longer is ended; null: never
    retries: int = 0  # how often a job is begun again that was killed, late, or met an error
    reuse: bool | None = None  # a process does many jobs; null: only where sweep.py does those of the miniature


LISTS = ("hydra.launcher.gpus",)
"""The keys of the pool that have a list."""
_OURS = ("pool", "basic")
_PLUGINS = {
    "slurm": ("hydra_submitit_launcher", "slurm"),
    "submitit_slurm": ("hydra_submitit_launcher", "slurm"),
    "submitit_local": ("hydra_submitit_launcher", "slurm"),
    "ray": ("hydra_ray_launcher", "ray"),
    "ray_cluster": ("hydra_ray_launcher", "ray"),
}


def check_pool(argument: str, key: str, value: object) -> Iterator[ConfigError]:
    """An error for a key of the pool that there is not, or a value that it cannot have."""
    name, settings = key.removeprefix("hydra.launcher."), OmegaConf.structured(PoolConfig)
    known = [str(one) for one in settings if one != "_target_"]
    if name not in known:
        why = f"the pool has no key `{name}`; it has {', '.join(known)}"
        yield ConfigError(argument, why, f"hydra.launcher.{nearest(name, known)}")
        return
    try:
        OmegaConf.update(settings, name, value)
    except OmegaConfBaseException as error:
        instead = f"{key}=[{value}]" if key in LISTS else f"{key}={settings[name]}".replace("None", "null")
        yield ConfigError(argument, first_line(error), instead)


def check_launcher(names: Sequence[str]) -> Iterator[ConfigError]:
    """An error for each launcher that there is not, or whose extra is not installed."""
    for name in names:
        plugin, extra = _PLUGINS.get(name, ("", ""))
        if not plugin and name not in _OURS and find_spec(f"hydra_plugins.hydra_{name}_launcher") is None:
            known = ", ".join((*_OURS, "slurm", "ray_cluster"))
            yield ConfigError(
                f"hydra/launcher={name}", f"there is no launcher `{name}`; there are {known}", "hydra/launcher=pool"
            )
        if plugin and find_spec(f"hydra_plugins.{plugin}") is None:
            why = f"this launcher comes with hydra_plugins.{plugin}, which is not installed"
            yield ConfigError(f"hydra/launcher={name}", why, f"pip install -e '.[{extra}]', or hydra/launcher=pool")
