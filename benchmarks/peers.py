"""peft's and adapters' methods on the benchmark's model; run by speed.py, which sends it what to time.

In an environment of its own, because adapters 1.3.0 wants transformers 4.57:

    python3.11 -m venv ~/peers
    ~/peers/bin/pip install torch==2.13.0
    ~/peers/bin/pip install transformers==4.57.6 peft==0.21.2 adapters==1.3.0
    python benchmarks/speed.py --peers ~/peers/bin/python

No pyright: none of this is installed beside unidelta.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn
from workload import Method, Size, answer, stock


def with_peft(make: Callable[[Any, Size], Any]) -> Method:
    """A row of the table, from peft's module and the sizes to its configuration."""

    def train(size: Size) -> nn.Module:
        import peft

        return peft.get_peft_model(stock(size), make(peft, size))

    def infer(size: Size) -> nn.Module:
        model = train(size)
        return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model

    def stored(model: Any) -> int:
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            return _bytes(folder)

    return Method(train=train, infer=infer, stored=stored)


def with_adapters(make: Callable[[Any, Size], Any], *, merges: bool = False) -> Method:
    """A row of the table, from adapters' module and the sizes to its configuration."""

    def train(size: Size) -> nn.Module:
        import adapters

        model = stock(size)
        adapters.init(model)
        model.add_adapter("x", config=make(adapters, size))
        model.train_adapter("x")
        model.set_active_adapters("x")
        return model

    def infer(size: Size) -> nn.Module:
        model = train(size)
        if merges:
            model.merge_adapter("x")
        return model

    def stored(model: Any) -> int:
        with tempfile.TemporaryDirectory() as folder:
            model.save_adapter(folder, "x", with_head=False)
            return _bytes(folder)

    return Method(train=train, infer=infer, stored=stored)


def _bytes(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def _full(model: Any) -> int:
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return _bytes(folder)


def _reduction(size: Size) -> float:
    return size.d / size.bottleneck


def _prefix(adapters: Any, size: Size, *, flat: bool) -> Any:
    if flat:
        return adapters.PrefixTuningConfig(prefix_length=size.prefix, flat=True)
    return adapters.PrefixTuningConfig(prefix_length=size.prefix, bottleneck_size=size.mlp, flat=False)


def _mam(adapters: Any, size: Size, *, flat: bool) -> Any:
    parallel = adapters.ParBnConfig(reduction_factor=_reduction(size))
    return adapters.MAMConfig(_prefix(adapters, size, flat=flat), parallel)


def _lora(peft: Any, rank: int, targets: list[str], task: str = "SEQ_2_SEQ_LM") -> Any:
    return peft.LoraConfig(task_type=task, r=rank, lora_alpha=2 * rank, target_modules=targets)


def _prefix_of_llama(peft: Any, size: Size, *, has_mlp: bool) -> Any:
    return peft.PrefixTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=size.prefix, prefix_projection=has_mlp, encoder_hidden_size=size.mlp
    )


BART = {
    "full": Method(train=stock, stored=_full),
    "LoRA q,v (peft)": with_peft(lambda peft, size: _lora(peft, size.lora, ["q_proj", "v_proj"])),
    "LoRA ffn (peft)": with_peft(lambda peft, size: _lora(peft, size.lora_ffn, ["fc1", "fc2"])),
    "LoRA q,v (adapters)": with_adapters(
        lambda adapters, size: adapters.LoRAConfig(r=size.lora, alpha=2 * size.lora), merges=True
    ),
    "sequential adapter (adapters)": with_adapters(
        lambda adapters, size: adapters.SeqBnConfig(reduction_factor=_reduction(size))
    ),
    "parallel adapter, s=4 (adapters)": with_adapters(
        lambda adapters, size: adapters.ParBnConfig(reduction_factor=_reduction(size))
    ),
    "prefix (adapters)": with_adapters(lambda adapters, size: _prefix(adapters, size, flat=False)),
    "prefix, no MLP (adapters)": with_adapters(lambda adapters, size: _prefix(adapters, size, flat=True)),
    "MAM (adapters)": with_adapters(lambda adapters, size: _mam(adapters, size, flat=False)),
    "MAM, no MLP (adapters)": with_adapters(lambda adapters, size: _mam(adapters, size, flat=True)),
}

LLAMA = {
    "full": Method(train=stock, stored=_full),
    "LoRA q,v (peft)": with_peft(lambda peft, size: _lora(peft, size.lora, ["q_proj", "v_proj"], "CAUSAL_LM")),
    "LoRA ffn (peft)": with_peft(lambda peft, size: _lora(peft, size.lora_ffn, ["up_proj", "down_proj"], "CAUSAL_LM")),
    "prefix (peft)": with_peft(lambda peft, size: _prefix_of_llama(peft, size, has_mlp=True)),
    "prefix, no MLP (peft)": with_peft(lambda peft, size: _prefix_of_llama(peft, size, has_mlp=False)),
}

if __name__ == "__main__":
    answer({"bart": BART, "llama": LLAMA})
