"""One FFN sub-layer against its equations in plain torch, under both conventions.

x: what enters the sub-layer; f = FFN(x); A: the adapter. BART, RoBERTa and BERT are post-LN, mBART is pre-LN.
"""

import pytest
import torch
from torch.nn import functional as F

SEQ2SEQ = ("bart", "mbart")
FAMILIES = ("bart", "mbart", "roberta", "bert")


def norm(module, z):
    return F.layer_norm(z, (12,), module.weight, module.bias, module.eps)


def adapter(delta, z):
    """ReLU(z W_down + b) W_up + b; without biases where the delta has none."""
    down, up = delta.form.down, delta.form.up
    hidden = z @ down.weight.T + (0 if down.bias is None else down.bias)
    return hidden.clamp(min=0) @ up.weight.T + (0 if up.bias is None else up.bias)


def deltas_of(layer):
    """The deltas of the FFN: on the layer itself in BART and mBART, on its output module in encoders."""
    return layer.deltas if hasattr(layer, "fc1") else layer.output.deltas


def setting(injected, name, family, **changes):
    """x, f, the layer, our output, and the layer norm behind (post-LN) or before (pre-LN)."""
    model = injected(name, family, **changes).model.double()
    x = torch.randn(2, 5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    if family not in SEQ2SEQ:
        layer = model.base_model.encoder.layer[0]
        z = layer.attention(x)[0]
        inner = F.gelu(z @ layer.intermediate.dense.weight.T + layer.intermediate.dense.bias)
        f = inner @ layer.output.dense.weight.T + layer.output.dense.bias
        return z, f, layer, layer(x), layer.output.LayerNorm
    layer = model.get_encoder().layers[0]
    if family == "bart":
        z = norm(layer.self_attn_layer_norm, x + layer.self_attn(x)[0])
        read = z
    else:
        z = x + layer.self_attn(norm(layer.self_attn_layer_norm, x))[0]
        read = norm(layer.final_layer_norm, z)
    f = F.gelu(read @ layer.fc1.weight.T + layer.fc1.bias) @ layer.fc2.weight.T + layer.fc2.bias
    return z, f, layer, layer(x, None), layer.final_layer_norm


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("name", "scale"), [("parallel_ffn", 1.0), ("parallel_ffn_paper", 1.0), ("scaled_ffn", 3.0), ("adapter_ffn", 1.0)]
)
def test_an_adapter_adds_to_the_output_of_the_ffn(injected, family, name, scale):
    x, f, layer, found, layer_norm = setting(injected, name, family)
    delta = deltas_of(layer)["sublayer"]
    if name == "adapter_ffn":
        read = f
    elif name == "parallel_ffn_paper" and family == "mbart":
        read = norm(layer_norm, x)  # the text: the input of the FFN; the code: the residual stream x
    else:
        read = x
    total = x + f + scale * adapter(delta, read)
    expected = total if family == "mbart" else norm(layer_norm, total)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert (delta.form.down.bias is None) == (name == "parallel_ffn_paper")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_learned_scale_multiplies_the_change(injected, family):
    x, f, layer, found, layer_norm = setting(injected, "learned_scale_ffn", family)
    delta = deltas_of(layer)["sublayer"]
    total = x + f + delta.compose.learned_scale * adapter(delta, x)
    torch.testing.assert_close(found, total if family == "mbart" else norm(layer_norm, total), rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_output_layer_norm_follows_the_adapter(injected, family):
    x, f, layer, found, layer_norm = setting(injected, "parallel_ffn_norm_out", family)
    delta = deltas_of(layer)["sublayer"]
    total = x + f + norm(delta.compose.norm, adapter(delta, x))
    torch.testing.assert_close(found, total if family == "mbart" else norm(layer_norm, total), rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_pfeiffer_as_released_is_normalised_twice_in_post_norm_models(injected, family):
    x, f, layer, found, layer_norm = setting(injected, "pfeiffer", family)
    if family == "mbart":
        y = x + f
        expected = y + adapter(layer.deltas["layer"], y)
    else:
        y = norm(layer_norm, x + f)
        expected = norm(layer_norm, x + f + adapter(deltas_of(layer)["residual"], y))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_pfeiffer_as_written_follows_the_add_and_norm(injected, family):
    x, f, layer, found, layer_norm = setting(injected, "pfeiffer_paper", family)
    y = x + f if family == "mbart" else norm(layer_norm, x + f)
    torch.testing.assert_close(found, y + adapter(layer.deltas["layer"], y), rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_low_rank_updates_sit_on_both_maps_of_the_ffn(injected, family):
    x, _, layer, found, layer_norm = setting(injected, "lora_ffn", family)
    up, down = (layer.fc1, layer.fc2) if family in SEQ2SEQ else (layer.intermediate.dense, layer.output.dense)
    read = norm(layer_norm, x) if family == "mbart" else x

    def changed(linear, z):
        form = linear.deltas["linear"].form
        return z @ (linear.weight + 3.0 * form.up @ form.down).T + linear.bias

    total = x + changed(down, F.gelu(changed(up, read)))
    torch.testing.assert_close(found, total if family == "mbart" else norm(layer_norm, total), rtol=0, atol=1e-12)


def test_the_conventions_differ_where_the_documentation_says_so(injected, batch):
    """Same parameters, different function: parallel attention adapters everywhere, the FFN's in mBART only."""
    for family in FAMILIES:
        for slot, differs in (("attn", True), ("ffn", family == "mbart")):
            released = injected(f"parallel_{slot}", family, stirred=False).model
            paper = injected(f"parallel_{slot}_paper", family, stirred=False).model
            values = {}
            for name, p in paper.named_parameters():
                if ".deltas." in name:
                    p.data = torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
                    key = name.replace(".output.deltas.sublayer", ".self.deltas.concat") if slot == "attn" else name
                    values[key.replace("attn.deltas.sublayer", "attn.deltas.concat")] = p.data
            for name, p in released.named_parameters():
                if name in values:
                    p.data = values.pop(name)
            assert not values
            for module in released.modules():  # biases start at 0; without its layer norm only the place differs
                if type(module).__name__ == "Bottleneck":
                    module.norm = None
            gap = (released(**batch(family)).logits - paper(**batch(family)).logits).abs().max()
            assert (gap > 1e-3) == differs, (family, slot)
