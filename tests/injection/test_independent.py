"""Each family against itself written out: stock modules, hooks for LoRA and adapters, concatenated keys for a prefix.

Nothing here uses ours but the values of the tuned tensors. Windows, causality and rotary positions are stated again
from their definitions. Float64, 1e-12.

Shapes: B batch, H heads, G heads of keys and values, T queries, S keys, E head width, L prefix length.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from unidelta.design.axes import Rotation, Source, TextStart

pytestmark = pytest.mark.usefixtures("no_float32")

LLAMA = {
    "attention": "self_attn",
    "ffn": "mlp",
    "norm": "post_attention_layernorm",
    "maps": {"query": "q_proj", "value": "v_proj", "up": "up_proj", "down": "down_proj"},
}
QKV = {"query": (0, 12), "key": (12, 24), "value": (24, 36)}
NAMES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("llama", "mistral", "qwen3"), LLAMA),
    "gemma3_text": {**LLAMA, "norm": "pre_feedforward_layernorm"},
    "gpt2": {
        **{"attention": "attn", "ffn": "mlp", "norm": "ln_2", "columns": QKV},
        "maps": {"query": "c_attn", "value": "c_attn", "up": "c_fc", "down": "c_proj"},
    },
    "modernbert": {
        **{"attention": "attn", "ffn": "mlp", "norm": "mlp_norm", "columns": {**QKV, "up": (20, 40)}},
        "maps": {"query": "Wqkv", "value": "Wqkv", "up": "Wi", "down": "Wo"},
    },
    "t5": {"maps": {"query": "q", "value": "v", "up": "wi_1", "down": "wo"}},
}
FAMILIES = tuple(NAMES)
TOLERANCE = {"rtol": 0, "atol": 1e-12}


def sublayers(model: PreTrainedModel, family: str) -> tuple[dict[str, Any], dict[str, tuple[nn.Module, nn.Module]]]:
    """Attentions, and FFNs with the norms before them, by name."""
    modules, names = dict(model.named_modules()), NAMES[family]
    if family == "t5":
        ffns = {name: module for name, module in modules.items() if name.endswith("DenseReluDense")}
        norms = {name: modules[name.replace("DenseReluDense", "layer_norm")] for name in ffns}
        attentions = {name: m for name, m in modules.items() if name.endswith(("SelfAttention", "EncDecAttention"))}
        return attentions, {name: (module, norms[name]) for name, module in ffns.items()}
    attentions = {name: module for name, module in modules.items() if name.endswith(f".{names['attention']}")}
    ffns = {name: module for name, module in modules.items() if name.endswith(f".{names['ffn']}")}
    return attentions, {n: (m, modules[f"{n.rpartition('.')[0]}.{names['norm']}"]) for n, m in ffns.items()}


def explicit_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    position_bias: Tensor | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """softmax(q [P_k; K]ᵀ) [P_v; V], the prefix seen by every query and outside of every window."""
    p_key, p_value = (p.expand(key.shape[0], -1, -1, -1) for p in module.given)
    n_of_group, length = query.shape[1] // key.shape[1], p_key.shape[2]
    keys = torch.cat([p_key, key], 2).repeat_interleave(n_of_group, 1)
    values = torch.cat([p_value, value], 2).repeat_interleave(n_of_group, 1)
    logits = query @ keys.transpose(-1, -2) * scaling
    i, j = torch.arange(query.shape[2])[:, None], torch.arange(key.shape[2])[None]
    hidden = (j > i) if module.is_causal else torch.zeros_like(i + j, dtype=torch.bool)
    if sliding_window is not None:
        hidden = hidden | ((i - j).abs() >= sliding_window)
    bias = torch.zeros_like(logits[..., length:]) if position_bias is None else position_bias
    own = (logits[..., length:] + bias).masked_fill(hidden, -torch.inf)
    weights = torch.cat([logits[..., :length], own], -1).softmax(-1)
    return (weights @ values).transpose(1, 2), None


AttentionInterface.register("explicit", explicit_attention)
AttentionMaskInterface.register("explicit", eager_mask)


def rotated(p_GLE: Tensor, start: int, theta: float) -> Tensor:
    """Rotary positions from `start` on: the two halves of a head are the two parts of complex numbers (RoFormer)."""
    half = p_GLE.shape[-1] // 2
    angle = torch.arange(start, start + p_GLE.shape[1])[:, None] * (1 / theta ** (torch.arange(half) / half))
    cos, sin = (each.float().double() for each in (torch.cos(angle), torch.sin(angle)))  # float32, as stock models do
    a, b = p_GLE[..., :half], p_GLE[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def written_out(
    model: PreTrainedModel,
    family: str,
    tuned: Mapping[str, Tensor],
    *,
    before: int | None = None,
    reads_x: bool = False,
) -> PreTrainedModel:
    """A stock model in which a design is written out, from the values of its tensors by name.

    `before`: the position of the first of P_k, where they are rotated; `reads_x`: adapters read the norm's input.
    """
    attentions, ffns = sublayers(model, family)
    for name, module in attentions.items():
        if f"{name}.deltas.heads.form.prefix.key" in tuned:
            p_key, p_value = (tuned[f"{name}.deltas.heads.form.prefix.{one}"] for one in ("key", "value"))
            width = {"gpt2": 4, "modernbert": 4, "t5": 5}.get(family, 6)
            p_key, p_value = (p.unflatten(-1, (-1, width)).transpose(0, 1) for p in (p_key, p_value))
            module.given = p_key if before is None else rotated(p_key, before, theta_of(model, module)), p_value
            model.set_attn_implementation("explicit")
    for name, (ffn, norm) in ffns.items():
        if f"{name}.deltas.sublayer.form.down.weight" in tuned:
            own = {key.rpartition("form.")[2]: tensor for key, tensor in tuned.items() if key.startswith(f"{name}.")}
            add_adapter(ffn, norm, own, reads_x)
    for name, module in model.named_modules():
        for role, own in NAMES[family]["maps"].items():
            fused = NAMES[family].get("columns", {})
            down = tuned.get(f"{name}.deltas.{role if role in fused else 'linear'}.form.down")
            if name.endswith(f".{own}") and down is not None:
                up = tuned[f"{name}.deltas.{role if role in fused else 'linear'}.form.up"]
                add_low_rank(module, down, up, fused.get(role))
    return model


def theta_of(model: PreTrainedModel, attention: Any) -> float:
    """The base of a layer's rotary frequencies."""
    found = model.config.rope_parameters
    if "rope_theta" in found:
        return found["rope_theta"]
    return found[model.config.layer_types[attention.layer_idx]]["rope_theta"]


def add_adapter(ffn: nn.Module, norm: nn.Module, own: Mapping[str, Tensor], reads_x: bool) -> None:
    """FFN(z) + 3 (ReLU(z W_down + b) W_up + b), z the FFN's input or that of the norm before it."""
    seen: list[Tensor] = []
    if reads_x:
        norm.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))

    def add(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        z = seen.pop() if reads_x else inputs[0]
        z_R = F.relu(z @ own["down.weight"].T + own["down.bias"])
        return output + 3 * (z_R @ own["up.weight"].T + own["up.bias"])

    ffn.register_forward_hook(add)


def add_low_rank(linear: nn.Module, down: Tensor, up: Tensor, columns: tuple[int, int] | None) -> None:
    """x W + 3 x W_down W_up, on some features of the output if the map computes several."""

    def add(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        change = 3 * inputs[0] @ down.T @ up.T
        return output + (change if columns is None else F.pad(change, (columns[0], output.shape[-1] - columns[1])))

    linear.register_forward_hook(add)


@pytest.fixture
def both(injected, tiny, batch) -> Callable[..., tuple[Tensor, Tensor]]:
    """The logits of ours and of the model written out."""

    def run(name: str, family: str, *, attention: str = "sdpa", out: Mapping[str, Any], **changes: Any):
        deltas = injected(name, family, attention=attention, **changes)
        deltas.fold()
        model, inputs = deltas.model.double(), batch(family)
        tuned = {key: tensor for key, tensor in model.state_dict().items() if ".deltas." in key}
        given = {} if "start" not in out else {"position_ids": torch.arange(7)[None] + out["start"]}
        rest = {key: value for key, value in out.items() if key != "start"}
        stock = written_out(tiny(family, attention="eager").double(), family, tuned, **rest)
        return model(**inputs).logits, stock(**inputs, **given).logits, tiny(family).double()(**inputs).logits

    return run


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["mam", "lora_attn", "prefix_lora"])
@torch.no_grad()
def test_a_design_is_what_it_is_written_out_to_be(both, name, family):
    for attention in ("sdpa", "eager"):
        ours, expected, plain = both(name, family, attention=attention, out={})
        torch.testing.assert_close(ours, expected, **TOLERANCE)
        assert (plain - expected).abs().max() > 0.01


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_parallel_adapter_reads_the_input_of_the_norm_if_asked(both, family):
    changes = {"source": Source.RESIDUAL_STREAM}
    ours, expected, _ = both("scaled_ffn", family, out={"reads_x": True}, **changes)
    torch.testing.assert_close(ours, expected, **TOLERANCE)
    usual, *_ = both("scaled_ffn", family, out={})
    assert (usual - ours).abs().max() > 0.01


ROTARY = [family for family in FAMILIES if family not in ("gpt2", "t5")]


@pytest.mark.parametrize("family", ROTARY)
@torch.no_grad()
def test_keys_of_a_prefix_are_rotated_like_those_of_tokens_in_front_if_asked(both, family):
    """At −l … −1 beside text from 0 on, or at 0 … l−1 beside text from l on: rotation knows differences alone."""
    before = {"rotation": Rotation.BEFORE}
    ours, expected, _ = both("prefix", family, out={"before": -6}, **before)
    torch.testing.assert_close(ours, expected, **TOLERANCE)
    later, expected, _ = both("prefix", family, out={"before": 0, "start": 6}, **before, text_start=TextStart.LENGTH)
    torch.testing.assert_close(later, expected, **TOLERANCE)
    torch.testing.assert_close(later, ours, rtol=0, atol=1e-6)  # sines and cosines are made in float32
    usual, *_ = both("prefix", family, out={})
    assert (usual - ours).abs().max() > 0.01


@pytest.mark.parametrize("family", [*ROTARY, "gpt2"])
@torch.no_grad()
def test_text_starts_behind_the_prefix_if_asked(both, family):
    ours, expected, _ = both("prefix", family, out={"start": 6}, text_start=TextStart.LENGTH)
    torch.testing.assert_close(ours, expected, **TOLERANCE)
    usual, *_ = both("prefix", family, out={})
    assert (usual - ours).abs().max() > 0.01
