"""What a training run needs to resume bit for bit, as files: safetensors and JSON, which cannot run code.

The backbone's frozen weights are not included: they are loaded from their source again.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim import Optimizer

_STATE, _PARAMETERS = "state.json", "parameters.safetensors"
_BEST, _OPTIMISER = "best.safetensors", "optimizer.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Non-tensor training state.

    Args:
        steps: optimiser steps done.
        is_finished: whether training was over, its last evaluation included.
        seconds: wall-clock time so far.
        evaluation_seconds: of which evaluation.
        n_tokens: seen in training, without padding.
        best_step: the best step so far, None before the first evaluation.
        best_metrics: its metrics.
        guard: state of the divergence guard.
        optimiser: parameter groups and non-tensor state of the optimiser.
        schedule: state of the learning-rate schedule.
        scaler: state of the fp16 loss scaler; empty without fp16.
        generators: states of the random generators of every process, by rank (`generators`).
    """

    steps: int
    is_finished: bool
    seconds: float
    evaluation_seconds: float
    n_tokens: int
    best_step: int | None
    best_metrics: dict[str, float]
    guard: dict[str, Any]
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    scaler: dict[str, Any]
    generators: list[dict[str, Any]]


def write_snapshot(
    folder: Path,
    snapshot: Snapshot,
    *,
    parameters: Mapping[str, Tensor],
    best: Mapping[str, Tensor],
    optimiser: Optimizer,
) -> None:
    """Write `snapshot` and all tensors into `folder`.

    Raises:
        OSError: they cannot be written to the disk.
    """
    tensors = {
        f"{index}.{name}": value
        for index, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }
    for file, named in ((_PARAMETERS, parameters), (_BEST, best), (_OPTIMISER, tensors)):
        # `save_file` would hide the error number of a full disk.
        (folder / file).write_bytes(save({name: tensor.detach().contiguous() for name, tensor in named.items()}))
    (folder / _STATE).write_text(json.dumps(asdict(snapshot), allow_nan=False), encoding="utf-8")


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in a verified folder."""
    return Snapshot(**json.loads((folder / _STATE).read_text(encoding="utf-8")))


def read_best(folder: Path) -> dict[str, Tensor]:
    """The parameters of the best step so far."""
    return load_file(folder / _BEST)


def restore_parameters(folder: Path, model: nn.Module) -> None:
    """Give the trained parameters of `model` the values in `folder`.

    Raises:
        ValueError: the folder holds different parameters.
    """
    saved, trained = load_file(folder / _PARAMETERS), tuned(model)
    if saved.keys() != trained.keys():
        raise ValueError(f"Other parameters train than in {folder}: {sorted(saved.keys() ^ trained.keys())[:5]}.")
    for name, parameter in trained.items():
        parameter.data.copy_(saved[name])


def tuned(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trainable parameters, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def optimiser_state(optimiser: Optimizer) -> dict[str, Any]:
    """The non-tensor part of an optimiser's state."""
    content = optimiser.state_dict()
    numbers = {
        str(index): {name: value for name, value in values.items() if not isinstance(value, Tensor)}
        for index, values in content["state"].items()
    }
    return {"groups": content["param_groups"], "numbers": numbers}


def restore_optimiser(folder: Path, snapshot: Snapshot, optimiser: Optimizer) -> None:
    """Restore the state of `optimiser`."""
    values: dict[int, dict[str, Any]] = {int(index): dict(own) for index, own in snapshot.optimiser["numbers"].items()}
    for name, tensor in load_file(folder / _OPTIMISER).items():
        index, _, field = name.partition(".")
        values[int(index)][field] = tensor
    groups = []
    for now, saved in zip(optimiser.state_dict()["param_groups"], snapshot.optimiser["groups"], strict=True):
        # JSON has no tuples.
        groups.append({key: tuple(v) if isinstance(now.get(key), tuple) else v for key, v in saved.items()})
    optimiser.load_state_dict({"state": values, "param_groups": groups})


def generators(*, on_gpu: bool) -> dict[str, Any]:
    """The states of this process's global random generators, as JSON."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, np.asarray(keys).tolist(), position, has_gauss, cached],
        "torch": _hex(torch.get_rng_state()),
        "cuda": _hex(torch.cuda.get_rng_state()) if on_gpu else None,
    }


def restore_generators(state: Mapping[str, Any]) -> None:
    """Restore the states of this process's global random generators."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(_bytes(state["torch"]))
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(_bytes(state["cuda"]))


def _hex(state: Tensor) -> str:
    return state.cpu().numpy().tobytes().hex()


def _bytes(text: str) -> Tensor:
    return torch.tensor(list(bytes.fromhex(text)), dtype=torch.uint8)
