"""Says which extra to install for a launcher; Hydra alone would only say that there is no such file."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from unidelta.errors import ConfigError

_OURS = ("pool", "basic")
_PLUGINS = {
    "slurm": ("hydra_submitit_launcher", "slurm"),
    "submitit_slurm": ("hydra_submitit_launcher", "slurm"),
    "submitit_local": ("hydra_submitit_launcher", "slurm"),
    "ray": ("hydra_ray_launcher", "ray"),
    "ray_cluster": ("hydra_ray_launcher", "ray"),
}


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
