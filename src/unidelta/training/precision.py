"""The device and precision of a run, and which combinations are impossible."""

from typing import Literal

import torch

from unidelta.errors import ConfigError
from unidelta.training.spec import TrainingSpec

Precision = Literal["fp32", "bf16", "fp16"]
ARITHMETIC: dict[Precision, str] = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""What a precision computes linear maps in, as torch names it."""


def resolve_device(spec: TrainingSpec) -> Literal["cpu", "cuda"]:
    """The device that `spec` requests.

    Raises:
        ConfigError: a GPU is requested and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if spec.device == "cuda" and not has_gpu:
        raise ConfigError("training.device=cuda", "PyTorch sees no GPU", "training.device=auto or training.device=cpu")
    if spec.device == "auto":
        return "cuda" if has_gpu else "cpu"
    return spec.device


def resolve_precision(spec: TrainingSpec) -> Precision:
    """The precision of the forward and backward pass; parameters and optimiser state are always fp32.

    Raises:
        ConfigError: half precision is requested on a device that does not support it.
    """
    device = resolve_device(spec)
    asked = f"training.precision={spec.precision} on {device}"
    if spec.precision == "auto":
        if device == "cpu":
            return "fp32"
        return "bf16" if _has_bf16() else "fp16"
    if spec.precision != "fp32" and device == "cpu":
        raise ConfigError(asked, "half precision needs a GPU", "training.precision=fp32 or training.precision=auto")
    if spec.precision == "bf16" and not _has_bf16():
        why = "this GPU has no bf16: emulated, it is slower than fp32"
        raise ConfigError(asked, why, "training.precision=fp16 or training.precision=auto")
    return spec.precision


def frozen_dtype(spec: TrainingSpec) -> torch.dtype:
    """What frozen linear weights are stored in: the type that the arithmetic rounds them to, or float32.

    Raises:
        ConfigError: a type is requested that the arithmetic does not round to.
    """
    precision = resolve_precision(spec)
    if spec.backbone_dtype in ("auto", ARITHMETIC[precision]):
        return getattr(torch, ARITHMETIC[precision])
    if spec.backbone_dtype == "float32":
        return torch.float32
    asked = f"training.backbone_dtype={spec.backbone_dtype}"
    why = f"this run computes in {precision}: frozen weights are stored in that precision or in float32"
    typed = next(name for name, dtype in ARITHMETIC.items() if dtype == spec.backbone_dtype)
    raise ConfigError(asked, why, f"training.precision={typed} on a GPU, or training.backbone_dtype=auto")


def _has_bf16() -> bool:
    return torch.cuda.is_bf16_supported(including_emulation=False)
