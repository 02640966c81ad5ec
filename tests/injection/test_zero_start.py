"""A zero delta leaves the stock model's output unchanged bit for bit, in evaluation and in training with dropout.

Two designs are excepted by their equations. A gated prefix takes λ of the attention from the sequence even
where P_v = 0, and a prompt adds positions: neither has a parameter value at which it is the identity.
"""

from functools import cache

import pytest
import torch
from torch import nn

NAMES = (
    "prefix_additive prefix_additive_norm multihead multihead_direct adapter_attn adapter_ffn pfeiffer "
    "pfeiffer_paper parallel_attn parallel_attn_paper parallel_ffn parallel_ffn_paper parallel_ffn_norm_out "
    "scaled_ffn learned_scale_ffn lora_attn lora_ffn lora_sequential houlsby parallel_both"
).split()
FAMILIES = ("bart", "mbart", "roberta", "bert")
CASES = [(name, family) for name in NAMES for family in ("mbart", "roberta")]
# BART shares its attention's code with mBART, BERT all of its code with RoBERTa: what differs are the layers
CASES += [(name, "bart") for name in ("adapter_ffn", "pfeiffer", "pfeiffer_paper", "parallel_ffn_norm_out", "houlsby")]
CASES += [(name, "bert") for name in ("adapter_attn", "pfeiffer", "multihead", "lora_ffn", "parallel_both")]


def silence(model: nn.Module) -> int:
    """Set every P_v, W_up and up bias to zero; how many there were."""
    silenced = 0
    for name, parameter in model.named_parameters():
        if (
            "form.up" in name
            or name.endswith(("prefix.value", "compose.norm.bias"))
            or ".output." in name.partition("prefix_mlp_")[2]
        ):
            parameter.data.zero_()
            silenced += 1
    return silenced


def outputs(model: nn.Module, batch: dict, **flags: bool) -> list[torch.Tensor]:
    torch.manual_seed(11)
    found = model(**batch, **flags)
    tensors = [found.logits, found.loss]
    for key in sorted(key for key in found if "hidden_states" in key or "attentions" in key):
        tensors += found[key]
    return tensors


@pytest.fixture(scope="module")
def of_stock(tiny, batch):
    """What the stock model of a family gives, in evaluation and in training."""

    @cache
    def given(family: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        stock, inputs = tiny(family, dropout=0.2), batch(family, padded=True)
        found = (outputs(stock.train(is_on), inputs, output_hidden_states=True) for is_on in (False, True))
        evaluation, training = found
        assert not training[0].equal(evaluation[0]), "the host's dropout was on"
        return evaluation, training

    return given


@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_zero_delta_leaves_evaluation_and_training_bit_identical(injected, batch, of_stock, name, family):
    model = injected(name, family, dropout=0.2, delta_dropout=0.0).model
    inputs = batch(family, padded=True)
    before = model.eval()(**inputs).logits
    assert silence(model) > 0
    for is_training, theirs in enumerate(of_stock(family)):
        ours = outputs(model.train(bool(is_training)), inputs, output_hidden_states=True)
        assert len(ours) == len(theirs) > 4
        assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True)), f"training={is_training}"
    after = of_stock(family)[0][0]
    assert (before - after).abs().max() > 1e-3, "the delta did something before it was silenced"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["prefix_additive", "parallel_attn", "adapter_ffn", "lora_attn"])
def test_swapped_layers_report_the_stock_attentions_under_eager(tiny, injected, batch, name, family):
    stock = tiny(family, attention="eager")
    model = injected(name, family, attention="eager").model
    silence(model)
    flags = {"output_hidden_states": True, "output_attentions": True}
    ours, theirs = outputs(model, batch(family), **flags), outputs(stock, batch(family), **flags)
    assert len(ours) == len(theirs) > 6
    assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_lora_initialisation_starts_as_the_stock_model(tiny, injected, batch, family):
    for name in ("scaled_ffn", "lora_attn", "lora_ffn"):
        model = injected(name, family, stirred=False).model
        assert model(**batch(family)).logits.equal(tiny(family)(**batch(family)).logits), name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gated_prefix_is_never_the_identity(tiny, injected, batch, family):
    model = injected("prefix_direct", family).model
    silence(model)
    assert (model(**batch(family)).logits - tiny(family)(**batch(family)).logits).abs().max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_baselines_without_a_delta_start_as_the_stock_model(tiny, injected, batch, family):
    for name in ("bitfit", "full"):
        model = injected(name, family, stirred=False).model
        assert model(**batch(family)).logits.equal(tiny(family)(**batch(family)).logits), name
