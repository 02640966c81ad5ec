"""What MAM makes autograd keep: what a frozen backbone keeps anyway, and the tensors of its own equations."""

from dataclasses import replace

import pytest
import torch
import transformers as hf

import unidelta
from unidelta.design.axes import Reparameterisation
from unidelta.design.spec import Deltas

B, T, S, D, HEADS = 8, 32, 64, 64, 4  # examples, tokens of targets and of sources
LAYERS, PREFIX, R = 2, 16, 32
FLOAT = 4


def stock() -> hf.BartForConditionalGeneration:
    sizes = {f"{side}_attention_heads": HEADS for side in ("encoder", "decoder")}
    sizes |= {f"{side}_ffn_dim": 4 * D for side in ("encoder", "decoder")}
    config = hf.BartConfig(vocab_size=99, d_model=D, encoder_layers=LAYERS, decoder_layers=LAYERS, dropout=0.0, **sizes)
    return hf.BartForConditionalGeneration(config).requires_grad_(False)


def saved_bytes(model: hf.BartForConditionalGeneration) -> int:
    """Of distinct tensors, without parameters and inputs; every layer receives a gradient."""
    model.enable_input_require_grads()
    ids = torch.full((B, S), 7)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.full((B, T), 7)}
    known = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers(), *batch.values())}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if (where := tensor.untyped_storage().data_ptr()) not in known:
            kept[where] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.train()(**batch)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def test_mam_keeps_no_more_than_a_frozen_backbone_and_its_own_equations() -> None:
    """Of a parallel adapter its input (B, T, D), ReLU's result and s times that (B, T, R); of a prefix what it adds to
    the keys and the values, (B, l, D) each."""
    design = unidelta.inject(stock(), "mam", budget={"attn": PREFIX, "ffn": R}).design
    assert isinstance(design, Deltas)
    prefix, adapter = design.parts
    direct = replace(prefix, reparameterisation=Reparameterisation.DIRECT)
    model = stock()
    unidelta.inject(model, replace(design, parts=(direct, replace(adapter, dropout=0.0))))
    adapters = LAYERS * B * (S + T) * (D + 2 * R)
    prefixes = 3 * LAYERS * B * PREFIX * 2 * D
    whole = saved_bytes(stock()) + FLOAT * (adapters + prefixes)
    assert saved_bytes(model) == pytest.approx(whole, rel=0.03)
