"""Weights that are damaged or belong to another model are refused, never loaded silently."""

import copy
import hashlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor
from transformers import PreTrainedModel

import unidelta
from unidelta.backbones.loading import Loading
from unidelta.backbones.miniature import load_miniature
from unidelta.backbones.shipped import BACKBONES, checked_weights
from unidelta.errors import DamagedDeltas, DamagedWeights, IntegrityError, SavedDeltasError
from unidelta.records.strict_json import canonical, parse

from .conftest import do


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run left."""
    results = tmp_path_factory.mktemp("tuned")
    do(results)
    return next(results.rglob("deltas.safetensors")).parent


@pytest.fixture(scope="module")
def fresh() -> PreTrainedModel:
    """The run's backbone."""
    return load_miniature(BACKBONES / "roberta", "roberta", Loading(seed=42, n_labels=2))[0]


def damages(content: bytes, n: int) -> Iterator[tuple[str, bytes]]:
    """Cuts, flipped bits in header and data, and bytes behind the end, n of each."""
    chance, header = random.Random(3), 8 + int.from_bytes(content[:8], "little")
    for _ in range(n):
        yield "cut", content[: chance.randrange(len(content))]
        for part, low, high in (("header", 0, header), ("data", header, len(content))):
            at = chance.randrange(low, high)
            flipped = bytearray(content)
            flipped[at] ^= 1 << chance.randrange(8)
            yield f"bit of the {part}", bytes(flipped)
        yield "longer", content + chance.randbytes(chance.randrange(1, 100))
    yield "header of 2^63 bytes", (2**63).to_bytes(8, "little") + content[8:]
    yield "a pickle", b"\x80\x04\x95" + content[3:]


@pytest.mark.parametrize("n", [pytest.param(10, id="few"), pytest.param(400, id="many", marks=pytest.mark.slow)])
def test_damaged_deltas(n: int, tuned: Path, fresh: PreTrainedModel, tally, tmp_path: Path) -> None:
    counted = tally("C4 damaged deltas.safetensors")
    shutil.copytree(tuned, tmp_path / "copy")
    for how, content in damages((tuned / "deltas.safetensors").read_bytes(), n):
        (tmp_path / "copy" / "deltas.safetensors").write_bytes(content)
        counted.count(is_refused(lambda: unidelta.load(tmp_path / "copy", fresh), DamagedDeltas), how)


@pytest.mark.parametrize("n", [pytest.param(5, id="few"), pytest.param(100, id="many", marks=pytest.mark.slow)])
def test_a_damaged_backbone(n: int, tally, tmp_path: Path) -> None:
    counted = tally("C4 damaged backbone of the miniature")
    folder = tmp_path / "roberta"
    shutil.copytree(BACKBONES / "roberta", folder)
    for how, content in damages((folder / "model.safetensors").read_bytes(), n):
        (folder / "model.safetensors").write_bytes(content)
        counted.count(is_refused(lambda: checked_weights(folder), DamagedWeights), how)


def test_deltas_that_do_not_fit(tuned: Path, fresh: PreTrainedModel, tally, tmp_path: Path) -> None:
    counted = tally("C5 deltas or backbone of something else, whole files")
    tensors = from_bytes((tuned / "deltas.safetensors").read_bytes())
    oblong = [name for name, tensor in sorted(tensors.items()) if tensor.ndim == 2 and len(set(tensor.shape)) == 2]
    name = next(
        name for name in oblong if not name.startswith("classifier")
    )  # the head is compared with the backbone's
    changed: dict[str, dict[str, Tensor]] = {
        "one missing": {key: tensors[key] for key in tensors if key != name},
        "one more": {**tensors, "another": torch.zeros(3)},
        "one transposed": {**tensors, name: tensors[name].T.contiguous()},
        "half precision": {key: tensor.half() for key, tensor in tensors.items()},
        "not finite": {**tensors, name: tensors[name] * float("nan")},
    }
    for how, content in changed.items():
        folder = tmp_path / how
        shutil.copytree(tuned, folder)
        data = to_bytes(content)
        description = parse((folder / "design.json").read_text())
        (folder / "deltas.safetensors").write_bytes(data)
        (folder / "design.json").write_text(canonical({**description, "sha256": hashlib.sha256(data).hexdigest()}))
        counted.count(is_refused(lambda f=folder: unidelta.load(f, copy.deepcopy(fresh)), IntegrityError), how)
    other = load_miniature(BACKBONES / "bart", "bart", Loading(seed=42, n_labels=0))[0]
    counted.count(is_refused(lambda: unidelta.load(tuned, other), SavedDeltasError), "another architecture")
    moved = load_miniature(BACKBONES / "roberta", "roberta", Loading(seed=42, n_labels=2))[0]
    next(moved.parameters()).data[0] += 1
    counted.count(is_refused(lambda: unidelta.load(tuned, moved), SavedDeltasError), "other weights")


def is_refused(action: Callable[[], object], error: type[Exception]) -> bool:
    try:
        action()
    except error:
        return True
    return False
