"""Quantised backbones: refused in time where they cannot be, and with bitsandbytes trained like any other (slow)."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import torch

from unidelta.errors import DesignError, UserError
from unidelta.run.prepare import prepare

from ..composed import composed
from ..end_to_end import conftest as runs

checkpoint, data, do = runs.checkpoint, runs.data, runs.do
is_installed = importlib.util.find_spec("bitsandbytes") is not None


@pytest.mark.parametrize("bits", ["8bit", "4bit"])
def test_all_that_speaks_against_it_is_told_at_once(bits: str, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else find_spec(name))
    with pytest.raises(UserError) as caught:
        prepare(composed([f"backbone.quantised={bits}", "method=full"]))
    said = str(caught.value)
    for words in ("Problem 3 of 3", "is not installed", "'unidelta[quantised]'", "few megabytes", "have no gradient"):
        assert words in said


@pytest.mark.slow
@pytest.mark.skipif(not is_installed, reason="bitsandbytes is not installed")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("bits", "dtype"), [("8bit", torch.int8), ("4bit", torch.uint8)])
@pytest.mark.parametrize("method", ["mam", "lora"])
def test_a_run_on_quantised_weights(bits: str, dtype: torch.dtype, method: str, do, data, checkpoint, tmp_path):
    import transformers as hf

    import unidelta
    from unidelta.backbones.loading import Loading
    from unidelta.backbones.local import Local

    folder = Path(shutil.copytree(checkpoint("llama"), tmp_path / "wide"))  # blocks of 4 bits need 64 inputs
    config = hf.AutoConfig.from_pretrained(folder, hidden_size=128, intermediate_size=256, head_dim=32)
    hf.LlamaForCausalLM(config).save_pretrained(folder)
    loaded = Local(family="llama", typed=str(folder)).load(Loading(seed=0, quantised=bits)).model
    injection = unidelta.inject(loaded, method, budget=4)
    layer = loaded.model.layers[0]
    assert {layer.mlp.up_proj.weight.dtype, layer.self_attn.q_proj.weight.dtype} == {dtype}
    assert {p.dtype for _, p in injection.trained_parameters()} == {torch.float32}
    whole = hf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.arange(5, 25).view(2, 10)
    with torch.no_grad(), injection.disabled():
        found, expected = loaded(ids).logits, whole(ids).logits
        assert 0 < (found - expected).norm() < {"8bit": 0.05, "4bit": 0.3}[bits] * expected.norm()
    with pytest.raises(DesignError, match="and no quantised ones"):
        injection.merge()
    rows = ("task=xsum", "backbone=llama", "task.source=local", f"task.path={data('xsum')}", "task.max_unknown_share=1")
    lengths = ("task.max_source_length=60", "task.max_target_length=20", "task.eval_max_target_length=20")
    words = (*rows, *lengths, f"backbone.checkpoint={folder}", f"backbone.quantised={bits}")
    record = do(f"method={method}", *words, "task.generation.max_length=8", "training.max_steps=20")
    assert record.status == "complete" and record.spec["backbone"]["quantised"] == bits
    again = Local(family="llama", typed=str(folder)).load(Loading(seed=0, quantised=bits)).model
    assert unidelta.load(tmp_path / "runs" / "mini" / "xsum" / record.run_id, again)(ids).logits.isfinite().all()
