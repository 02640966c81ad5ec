"""One attention sub-layer against its equations in plain torch, head by head (§3 and Eq. 7–10).

Shapes: B batch, T positions, D = 12, H = 3 heads of E = 4, L = R = 6.
"""

import math

import pytest
import torch
from torch.nn import functional as F

from unidelta.design.axes import LayerNorm

SEQ2SEQ = ("bart", "mbart")
FAMILIES = ("bart", "mbart", "roberta", "bert")


def submodule(model, family):
    """(attention module, query, key, value, output projections) of the first encoder layer."""
    if family in SEQ2SEQ:
        attention = model.get_encoder().layers[0].self_attn
        return attention, attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj
    attention = model.base_model.encoder.layer[0].attention
    return attention.self, attention.self.query, attention.self.key, attention.self.value, attention.output.dense


def affine(linear, z):
    return z @ linear.weight.T + linear.bias


def heads(z_BTD):
    return z_BTD.reshape(*z_BTD.shape[:-1], 3, 4).transpose(1, 2)


def merged(z_BHTE):
    return z_BHTE.transpose(1, 2).flatten(2)


def norm(state, prefix, z):
    mean, variance = z.mean(-1, keepdim=True), z.var(-1, keepdim=True, unbiased=False)
    return (z - mean) / (variance + 1e-5).sqrt() * state[f"{prefix}.weight"] + state[f"{prefix}.bias"]


def adapter(state, place, z, *, scale=1.0):
    """s·(ReLU(LN(z) W_down + b) W_up + b), with whatever of it the delta has."""
    if f"{place}.form.norm.weight" in state:
        z = norm(state, f"{place}.form.norm", z)
    zero = torch.zeros(1, dtype=z.dtype)
    hidden = F.relu(z @ state[f"{place}.form.down.weight"].T + state.get(f"{place}.form.down.bias", zero))
    return scale * (hidden @ state[f"{place}.form.up.weight"].T + state.get(f"{place}.form.up.bias", zero))


def setting(injected, name, family, **changes):
    model = injected(name, family, **changes).model.double()
    attention, w_q, w_k, w_v, w_o = submodule(model, family)
    x = torch.randn(2, 5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    query, key, value = (heads(affine(w, x)) for w in (w_q, w_k, w_v))
    state = {key: tensor.detach() for key, tensor in attention.state_dict().items()}
    return model, attention, x, query, key, value, w_o, state


def ours(model, attention, family, x):
    """The concatenated heads (encoders) or the sub-layer's output (sequence to sequence)."""
    found, _ = attention(x, attention_mask=None)
    return found


def prefix_of(state):
    """P_k, P_v per head, (H, L, E)."""
    both = (state[f"deltas.heads.form.prefix.{name}"] for name in ("key", "value"))
    return tuple(p.reshape(6, 3, 4).transpose(0, 1) for p in both)


def finish(family, w_o, concatenated):
    return affine(w_o, concatenated) if family in SEQ2SEQ else concatenated


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("has_norm", [False, True])
def test_keys_in_front_are_the_gated_composition(injected, family, has_norm):
    changes = {"layer_norm": LayerNorm.IN} if has_norm else {}
    model, attention, x, query, key, value, w_o, state = setting(injected, "prefix_direct", family, **changes)
    p_key, p_value = prefix_of(state)
    own = query
    if has_norm:
        _, w_q, *_ = submodule(model, family)
        own = heads(affine(w_q, norm(state, "deltas.heads.form.query_norm", x)))
    logits = query @ key.transpose(-1, -2) / math.sqrt(4)
    p_logits = own @ p_key.transpose(-1, -2) / math.sqrt(4)
    mass, p_mass = logits.exp().sum(-1, keepdim=True), p_logits.exp().sum(-1, keepdim=True)
    gate = p_mass / (p_mass + mass)  # Eq. 10
    assert gate.min() > 0.05 and gate.max() < 0.99  # neither side is negligible
    h = (1 - gate) * (logits.softmax(-1) @ value) + gate * (p_logits.softmax(-1) @ p_value)  # Eq. 7
    expected = finish(family, w_o, merged(h))
    torch.testing.assert_close(ours(model, attention, family, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("composition", "scale"), [("additive", 1.0), ("scaled", 2.5), ("learned_scale", 1.7)])
def test_a_prefix_without_gate_adds_its_own_softmax(injected, family, composition, scale):
    changes = {"composition": composition, "scale": scale if composition == "scaled" else 1.0}
    model, attention, x, query, key, value, w_o, state = setting(injected, "prefix_additive", family, **changes)
    if composition == "learned_scale":
        attention.deltas["heads"].compose.learned_scale.data.fill_(scale)
    p_key, p_value = prefix_of(state)
    h = (query @ key.transpose(-1, -2) / 2).softmax(-1) @ value
    delta = (query @ p_key.transpose(-1, -2) / 2).softmax(-1) @ p_value
    expected = finish(family, w_o, merged(h + scale * delta))
    torch.testing.assert_close(ours(model, attention, family, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("conventions", ["released", "paper"])
def test_the_multi_head_adapter_is_a_relu_per_head(injected, part, family, conventions):
    spec = part(family, "attn", "head_adapter", conventions=conventions)
    changes = {"layer_norm": spec.layer_norm, "scaled_query": spec.scaled_query}
    model, attention, x, query, key, value, w_o, state = setting(injected, "multihead_direct", family, **changes)
    p_key, p_value = prefix_of(state)
    own = query
    if conventions == "released" and family == "bart":
        _, w_q, *_ = submodule(model, family)
        own = heads(affine(w_q, norm(state, "deltas.heads.form.query_norm", x)))
    # the text never divides by √d_h; the code of mBART and RoBERTa does, that of BART does not
    divisor = 2.0 if conventions == "released" and family != "bart" else 1.0
    h = (query @ key.transpose(-1, -2) / 2).softmax(-1) @ value
    h = h + F.relu(own @ p_key.transpose(-1, -2) / divisor) @ p_value
    expected = finish(family, w_o, merged(h))
    torch.testing.assert_close(ours(model, attention, family, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_released_parallel_adapter_passes_through_the_output_projection(injected, family):
    model, attention, x, query, key, value, w_o, state = setting(injected, "parallel_attn", family)
    concatenated = merged((query @ key.transpose(-1, -2) / 2).softmax(-1) @ value)
    expected = finish(family, w_o, concatenated + adapter(state, "deltas.concat", x))
    torch.testing.assert_close(ours(model, attention, family, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["adapter_attn", "parallel_attn_paper"])
def test_the_other_attention_adapters_follow_the_output_projection(injected, family, name):
    """Sequential: u + A(u). Parallel as the paper writes it: u + A(x). Both with u = W_o C + b_o, before dropout."""
    model, attention, x, query, key, value, w_o, state = setting(injected, name, family)
    u = affine(w_o, merged((query @ key.transpose(-1, -2) / 2).softmax(-1) @ value))
    if family in SEQ2SEQ:
        found = ours(model, attention, family, x)
        expected = u + adapter(state, "deltas.sublayer", u if name == "adapter_attn" else x)
    else:
        output = model.base_model.encoder.layer[0].attention.output
        own = dict(output.state_dict())
        found = output(ours(model, attention, family, x), x)
        expected = u + adapter(own, "deltas.sublayer", u if name == "adapter_attn" else x) + x
        # these models' own layer norms have ε = 1e-12
        expected = F.layer_norm(expected, (12,), output.LayerNorm.weight, output.LayerNorm.bias, output.LayerNorm.eps)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["lora_attn", "lora_sequential"])
def test_low_rank_updates_change_the_query_and_the_value(injected, family, name):
    model, attention, x, *_ = setting(injected, name, family)
    _, w_q, w_k, w_v, w_o = submodule(model, family)

    def changed(linear):
        form, h = linear.deltas["linear"].form, affine(linear, x)
        read = x if name == "lora_attn" else h  # sequential reads h
        scale = 3.0 if name == "lora_attn" else linear.deltas["linear"].compose.learned_scale
        return h + scale * (read @ form.down.T @ form.up.T)

    query, key, value = heads(changed(w_q)), heads(affine(w_k, x)), heads(changed(w_v))
    expected = finish(family, w_o, merged((query @ key.transpose(-1, -2) / 2).softmax(-1) @ value))
    torch.testing.assert_close(ours(model, attention, family, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", SEQ2SEQ)
def test_in_cross_attention_a_delta_reads_the_decoder_stream(injected, family):
    model = injected("parallel_attn", family).model.double()
    attention = model.get_decoder().layers[0].encoder_attn
    generator = torch.Generator().manual_seed(1)
    x, source = (torch.randn(2, n, 12, dtype=torch.float64, generator=generator) for n in (3, 5))
    query = heads(affine(attention.q_proj, x))
    key, value = (heads(affine(w, source)) for w in (attention.k_proj, attention.v_proj))
    concatenated = merged((query @ key.transpose(-1, -2) / 2).softmax(-1) @ value)
    expected = affine(attention.out_proj, concatenated + adapter(dict(attention.state_dict()), "deltas.concat", x))
    found, _ = attention(x, key_value_states=source)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
