"""What frozen weights are stored in follows from what a machine computes in."""

from dataclasses import replace

import pytest
import torch

from unidelta.errors import Problems
from unidelta.training.check import check_training
from unidelta.training.precision import frozen_dtype


@pytest.mark.parametrize(
    ("precision", "dtype", "found"),
    [
        ("bf16", "auto", torch.bfloat16),
        ("fp16", "auto", torch.float16),
        ("fp32", "auto", torch.float32),
        ("bf16", "float32", torch.float32),
        ("bf16", "bfloat16", torch.bfloat16),
        ("fp16", "float16", torch.float16),
        ("fp32", "float32", torch.float32),
        ("bf16", "float16", None),
        ("fp32", "bfloat16", None),
    ],
)
def test_on_a_gpu(precision, dtype, found, spec, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=False: True)
    asked = replace(spec, device="cuda", precision=precision, backbone_dtype=dtype)
    if found is not None:
        assert frozen_dtype(asked) == found
        return
    with pytest.raises(Problems, match=f"training.backbone_dtype={dtype}\n.*this run computes in {precision}"):
        check_training(asked)


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_on_a_cpu_nothing_is_rounded(dtype, spec) -> None:
    assert frozen_dtype(replace(spec, backbone_dtype=dtype)) == torch.float32
