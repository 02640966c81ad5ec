"""Architectures that rotate only a part of every head."""

from dataclasses import replace

import pytest
import torch

from unidelta.check.designs import check_designs
from unidelta.check.tiny import tiny
from unidelta.design.family import FAMILIES
from unidelta.design.spec import Deltas
from unidelta.hosts.attention import AttentionHost
from unidelta.injection.inject import inject


@pytest.fixture
def stablelm(monkeypatch):
    """StableLM: Llama's names; the first half of every head is rotated."""
    llama = FAMILIES["llama"]
    sizes = {"hidden_size": 32, "head_dim": 8, "num_attention_heads": 4, "num_key_value_heads": 2}
    family = replace(llama, name="stablelm", tiny={**llama.tiny, **sizes, "partial_rotary_factor": 0.5})
    monkeypatch.setattr(FAMILIES, "_things", {**FAMILIES._things, "stablelm": family})
    return family


@pytest.mark.parametrize(
    ("form", "composition"), [("prefix", "additive"), ("prefix", "gated"), ("head_adapter", "scaled")]
)
def test_every_setting_at_heads_passes_the_check(stablelm, form, composition):
    findings = list(check_designs(stablelm, form, composition))
    assert [finding for finding in findings if finding.wrong] == []
    words = " ".join(finding.where for finding in findings)
    assert "layer norm in" in words and "P_k rotated" in words


def test_the_first_features_of_a_head_are_rotated_and_the_others_kept(stablelm, part):
    model = tiny(stablelm)
    inject(model, Deltas(parts=(part("stablelm", "attn", "prefix"),)), generator=torch.Generator())
    host = next(module for module in model.modules() if isinstance(module, AttentionHost))
    x_BTD = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(0)).double()
    cos, sin = model.model.rotary_emb(x_BTD, torch.arange(5)[None])
    plain = host.query_of(x_BTD, n_heads=4, rotation=None)
    turned = host.query_of(x_BTD, n_heads=4, rotation=(cos, sin))
    first, second = plain[..., :2], plain[..., 2:4]  # 4 of 8 features, in pairs two apart
    expected = [first * cos[..., :2] - second * sin[..., :2], second * cos[..., 2:] + first * sin[..., 2:]]
    assert torch.allclose(turned, torch.cat([*expected, plain[..., 4:]], dim=-1))
    assert not torch.allclose(turned, plain)
