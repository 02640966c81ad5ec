"""What a training step would run on a GPU, without one: no op on the CPU, no (B, H, T, S) mask or score.

torch's fused attention is replaced by a stand-in that looks at its arguments. Tensors of the first test have no values:
an op that made one on the CPU would be seen, and one that mixed devices would fail.

What the memory-efficient kernel needs of a mask: one for all heads, not a copy for each; rows that begin at
multiples of 16 bytes (8 values of 16 bits). B batch, H heads, T queries, S keys.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from unidelta.design.family import FAMILIES

from .conftest import ALIKE, EVERY_FAMILY

B, T_SOURCE, T_TARGET = 3, 24, 16  # as batches in bf16 are padded: multiples of 8
KINDS = ("bart", "roberta", "llama", "gpt2", "t5")
DESIGNS = ("full", "mam", "multihead", "lora_attn", "parallel_both")  # of which `mam` has a prefix


class FusedAttention(TorchFunctionMode):
    """Stands in for `scaled_dot_product_attention`, and keeps the shapes of queries and keys, and the masks."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, int, int]] = []
        self.masks: list[Tensor] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is not F.scaled_dot_product_attention:
            return function(*args, **(kwargs or {}))
        q_BHTD, k_BHSD, v_BHSD, *_ = args
        mask = (kwargs or {}).get("attn_mask")
        self.shapes.append((q_BHTD.shape[1], q_BHTD.shape[2], k_BHSD.shape[2]))
        if mask is not None:
            self.masks.append(mask)
        assert q_BHTD.stride(-1) == k_BHSD.stride(-1) == v_BHSD.stride(-1) == 1
        n_groups = q_BHTD.shape[1] // k_BHSD.shape[1]
        mixed = (k_BHSD + v_BHSD).mean(-2, keepdim=True).repeat_interleave(n_groups, 1)
        return q_BHTD + mixed


class Outputs(TorchDispatchMode):
    """Keeps the tensors that ops return."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Tensor]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        self.found += [(str(function), leaf) for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        return result


def inputs(family: str) -> dict[str, Tensor]:
    """A batch with padding."""
    kind = FAMILIES[family].kind
    shape = (B, T_TARGET) if kind == "encoder-decoder" else (B,) if kind == "encoder" else (B, T_SOURCE)
    attended = torch.ones(B, T_SOURCE, dtype=torch.long)
    attended[1, -5:] = 0
    ids = {"input_ids": torch.full((B, T_SOURCE), 5), "labels": torch.full(shape, 2)}
    return {**ids, "attention_mask": attended}


@pytest.mark.parametrize(
    ("name", "family"),
    [  # adapters at attention are those of `mam` at FFNs; hosts of one kind are put together alike
        pytest.param(name, family, marks=() if family in quick else pytest.mark.slow)
        for name, quick in (("mam", set(FAMILIES) - set(ALIKE)), ("multihead", KINDS), ("lora_attn", KINDS))
        for family in FAMILIES
    ],
)
def test_no_op_falls_back_to_the_cpu(family: str, name: str, injected: Callable[..., Any], monkeypatch) -> None:
    monkeypatch.setattr("transformers.masking_utils.is_tracing", lambda *_: True)  # else it reads values of masks
    model = injected(name, family).model.to("meta").train()
    batch = {key: tensor.to("meta") for key, tensor in inputs(family).items()}
    with FusedAttention() as attention, Outputs() as outputs:
        model(**batch).loss.backward()
    assert attention.shapes
    assert {op for op, tensor in outputs.found if tensor.device.type == "cpu" and tensor.numel() > 1} == set()


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("name", DESIGNS)
def test_a_step_stays_in_the_fused_kernel(family: str, name: str, injected: Callable[..., Any]) -> None:
    model = injected(name, family).model.train()
    with FusedAttention() as attention, Outputs() as outputs:
        model(**inputs(family)).loss.backward()
    shapes = set(attention.shapes)
    assert shapes
    if family != "t5":  # whose own bias of relative positions is one for each head
        large = {op for op, one in outputs.found if one.dim() == 4 and len(one) == B and tuple(one.shape[1:]) in shapes}
        assert large == set()
        assert all(mask.shape[1] == 1 or mask.stride(1) == 0 for mask in attention.masks)
    for mask in attention.masks:
        assert mask.stride(-1) == 1 and mask.stride(-2) % 8 == 0
