"""What a run computes on: its device, its CPU, and which kernels of it.

PyTorch, MKL and oneDNN choose kernels by what the CPU can do, and kernels differ in the order of their sums: the same
command gives other bits on a CPU with AVX-512 than on one with AVX2. Runs of the miniature use the AVX2 kernels of all
three, which nearly every x86-64 CPU since 2013 has. For matrices this small that costs nothing (docs/miniature.md).
The libraries read their variables when they are loaded, so `pin` comes before the first import of torch.
"""

import os
import platform
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from unidelta.training.spec import TrainingSpec

PINS = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""The variables of PyTorch, MKL and oneDNN, and the kernels that a run of the miniature asks for."""
_CPU_FACTS = Path("/proc/cpuinfo")


def pin(environment: MutableMapping[str, str] = os.environ, *, facts: Path = _CPU_FACTS) -> None:
    """Ask for the AVX2 kernels, where the CPU has them and nobody asked for others.

    Does nothing once torch is imported, as in tests and notebooks: it would come too late.

    Args:
        environment: of this process and its children.
        facts: the file in which Linux describes the CPU.
    """
    if "torch" not in sys.modules and "avx2" in _cpu_facts(facts).get("flags", "").split():
        for name, kernels in PINS.items():
            environment.setdefault(name, kernels)


def kernels(environment: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """The kernels of PyTorch, and what MKL and oneDNN were asked for; None for what was left to them."""
    torch = sys.modules.get("torch")
    return {
        "torch": None if torch is None else torch.backends.cpu.get_cpu_capability(),
        **{name: environment.get(name) for name in ("MKL_CBWR", "ONEDNN_MAX_CPU_ISA")},
    }


def device_name(training: TrainingSpec) -> str:
    """`cpu`, or the GPU's name, such as `NVIDIA H200`; the requested device if it does not exist."""
    import torch  # late: `pin` comes before it

    if training.device == "cpu" or not torch.cuda.is_available():
        return "cpu" if training.device == "auto" else training.device
    return torch.cuda.get_device_name()


def cpu() -> str | None:
    """The CPU's model; None if the system does not say."""
    return _cpu_facts(_CPU_FACTS).get("model name") or platform.processor() or None


def _cpu_facts(path: Path) -> dict[str, str]:
    """The first processor's facts, by name; empty where there is no such file."""
    try:
        first = path.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
