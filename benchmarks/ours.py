"""This suite's methods on the benchmark's model; run by speed.py, which sends it what to time."""

import atexit
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from workload import Method, Size, answer, frozen, stock

from unidelta.config.compose import compose
from unidelta.design.resolve import resolve_design
from unidelta.errors import Problems
from unidelta.fast.switch import merged, speed_up
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection
from unidelta.training.recomputing import recompute_activations

PREFIX = ["method.attn.mlp_width={size.mlp}"]
DIRECT = ["method.attn.reparameterisation=direct"]
BOTTLENECK = ["budget=bottleneck", "budget.bottleneck={size.bottleneck}", "method.ffn.dropout=0"]
MAM = ["method=mam", "budget=bottleneck", "budget.attn={size.prefix}", "budget.ffn={size.bottleneck}"]
MAM += ["method.ffn.dropout=0"]
LENGTH = ["budget=bottleneck", "budget.bottleneck={size.prefix}"]
METHODS = {
    "full": ["method=full"],
    "BitFit": ["method=bitfit"],
    "LoRA q,v": ["method=lora", "budget=bottleneck", "budget.bottleneck={size.lora}", "method.attn.dropout=0"],
    "LoRA ffn": [
        *("method=lora", "position=ffn", "budget=bottleneck", "budget.bottleneck={size.lora_ffn}"),
        "method.ffn.dropout=0",
    ],
    "sequential adapter": ["method=adapter", *BOTTLENECK],
    "parallel adapter, s=4": ["method=scaled_parallel_adapter", *BOTTLENECK],
    "prefix": ["method=prefix", *LENGTH, *PREFIX],
    "prefix, no MLP": ["method=prefix", *LENGTH, *DIRECT],
    "MAM": [*MAM, *PREFIX],
    "MAM, no MLP": [*MAM, *DIRECT],
    "MAM, dropout in the adapter": [*(word for word in MAM if "dropout" not in word), *PREFIX],
    "MAM, fast=false": [*MAM, *PREFIX, "fast=false"],
    "MAM, checkpointing": [*MAM, *PREFIX, "training.gradient_checkpointing=true"],
    "full, checkpointing": ["method=full", "training.gradient_checkpointing=true"],
}
"""The overrides of each method; without dropout in the modules, as in peft and adapters."""


def injected(typed: Sequence[str], size: Size) -> tuple[Injection, bool]:
    """A design in the stock model, built as in any run; and whether optimisations are on."""
    model = stock(size)
    architecture = architecture_of(model.config, name=size.family)
    config = compose(["task=xsum", "scale=paper", *(word.format(size=size) for word in typed)])
    design, problems = resolve_design(config.request(), architecture=architecture, published=architecture)
    if problems:
        raise Problems(problems)
    injection = inject(model, design, generator=torch.Generator().manual_seed(0))
    if config.fast:
        speed_up(injection)
    recompute_activations(model, is_on=config.training.gradient_checkpointing)
    return injection, config.fast


def method(typed: Sequence[str]) -> Method:
    """A row of the table."""
    made: dict[int, Injection] = {}
    lasting = ExitStack()
    atexit.register(lasting.close)  # while torch is still there

    def train(size: Size) -> nn.Module:
        injection, _ = injected(typed, size)
        made[id(injection.model)] = injection
        return injection.model

    def infer(size: Size) -> nn.Module:
        injection, is_fast = injected(typed, size)
        injection.fold()
        if is_fast:
            lasting.enter_context(merged(injection))  # as in evaluation
        return injection.model

    def stored(model: nn.Module) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "deltas.safetensors"
            tensors = made[id(model)].stored_state()
            save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)
            return path.stat().st_size

    return Method(train=train, infer=infer, stored=stored)


if __name__ == "__main__":
    rows = {"frozen forward": Method(train=frozen, stored=lambda model: 0)}
    rows |= {name: method(typed) for name, typed in METHODS.items()}
    answer({"bart": rows, "llama": {name: row for name, row in rows.items() if name != "BitFit"}})  # it has no biases
