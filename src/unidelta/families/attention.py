"""Deltas inside attention: one function, registered with transformers beside `sdpa` and `eager`.

It runs after the key/value cache is updated, so positions never move, and beams, static caches and teacher forcing see
the same arithmetic; `prefix_cache` says when a prefix is in the cache already. The mask functions are registered under
the same names: without them transformers would pass no mask at all.

Shapes: B batch, H heads, T queries, S keys, E head width, L prefix length, D = H·E.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask, sdpa_mask
from transformers.models.bart.modeling_bart import eager_attention_forward

from unidelta.deltas.compose import Gate
from unidelta.deltas.delta import Delta
from unidelta.deltas.heads import HeadForm
from unidelta.deltas.reparam import Prefixes
from unidelta.design.axes import Representation

_MULTIPLE = 16

AttentionFunction = Callable[..., tuple[Tensor, Tensor | None]]


class DeltaAttention(nn.Module):
    """What the attention function needs of an attention module that hosts deltas."""

    deltas: nn.ModuleDict
    is_causal: bool
    layer_idx: int

    def project_query(self, x_BTD: Tensor) -> Tensor:
        """The frozen query projection of any input, `(B, T, D)`."""
        raise NotImplementedError


def delta_attention(
    base: AttentionFunction,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    attention_input: Tensor | None = None,
    prefixes: Prefixes | None = None,
    cached_prefix: int = 0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention with the module's deltas on its heads and on its concatenated heads.

    Args:
        base: the attention to change, `(B, H, T, E) → (B, T, H, E)`.
        module: the attention module; without deltas this is `base`.
        query: `(B, H, T, E)`, unscaled.
        key: `(B, H, S, E)`.
        value: `(B, H, S, E)`.
        attention_mask: True or 0 where attended, `(B, 1, T, S)`, or None.
        dropout: attention dropout probability, 0 in evaluation.
        scaling: 1/√E.
        is_causal: overrides the module's own.
        attention_input: x, what the query was projected from, `(B, T, D)`.
        prefixes: what each prefix MLP made in this forward of the model; None where every layer makes its own.
        cached_prefix: number of vectors of the prefix that keys and values have in front already, L or 0.
    """
    if not isinstance(module, DeltaAttention):
        return base(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **kwargs
        )
    if base is sdpa_attention_forward and query.shape[2] == 1 and query.device.type == "cpu" and dropout == 0:
        base = _one_query
    call = partial(base, dropout=dropout, scaling=scaling, **kwargs)
    heads = module.deltas[Representation.HEADS] if Representation.HEADS in module.deltas else None  # noqa: SIM401
    weights = None
    if heads is None:
        output, weights = call(module, query, key, value, attention_mask, is_causal=is_causal)
    elif not isinstance(heads.compose, Gate):
        output, weights = call(module, query, key, value, attention_mask, is_causal=is_causal)
        x_BHTE = _query(module, heads.form, query, attention_input)
        output = heads.compose(output.transpose(1, 2), heads.form(x_BHTE, prefixes)).transpose(1, 2)
    else:
        causal = module.is_causal if is_causal is None else is_causal
        mask = (
            _explicit(attention_mask, query.shape[2], key.shape[2] - cached_prefix, key) if causal else attention_mask
        )
        if heads.form.query_norm is None:
            is_aligned = base is sdpa_attention_forward and query.shape[2] > 1
            key, value, mask = (
                (key, value, _reach(mask, in_front=cached_prefix))
                if cached_prefix
                else _prefix_in_front(heads.form.keys_values(prefixes), key, value, mask, is_aligned=is_aligned)
            )
            output, weights = call(module, query, key, value, mask, is_causal=False)
        else:
            x_BHTE = _query(module, heads.form, query, attention_input)
            p_key_value = heads.form.keys_values(prefixes)
            output = _gated(heads, x_BHTE, p_key_value, query, key, value, mask, dropout=dropout, scaling=scaling)
    if Representation.CONCAT in module.deltas:
        concat_BTD = module.deltas[Representation.CONCAT](attention_input, output.flatten(2))
        output = concat_BTD.unflatten(2, (output.shape[2], -1))
    return output, weights


def _query(module: DeltaAttention, form: HeadForm, query: Tensor, attention_input: Tensor) -> Tensor:
    """The query a head form reads: attention's own, or W_q LN(x) where the form has a layer norm."""
    if form.query_norm is None:
        return query
    own_BTD = module.project_query(form.query_norm(attention_input))
    return own_BTD.unflatten(-1, (form.n_heads, -1)).transpose(1, 2)


def _explicit(mask: Tensor | None, n_queries: int, n_keys: int, like: Tensor) -> Tensor | None:
    """The causal mask that `is_causal` stands for, True where attended.

    transformers leaves the mask out where torch's `is_causal`, aligned to the top left, is right: with as many
    keys as queries, or more of them in a static cache that is still empty. With a prefix in front of the keys
    the same flag would cut off the last L tokens of every query.
    """
    if mask is not None or n_queries == 1:
        return mask
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=like.device).tril()[None, None]


def _prefix_in_front(
    prefix: tuple[Tensor, Tensor], key: Tensor, value: Tensor, mask: Tensor | None, *, is_aligned: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """`[P_k; K]`, `[P_v; V]` (Eq. 5): one softmax over both is the gated composition of Eq. 7–10.

    With a mask, and where aligned, zeros that nobody attends fill up to a multiple of 16 keys: torch's fused attention
    takes up to twice as long for other numbers (on a CPU 20 ms in place of 11 for 158 in place of 160).
    """
    batch, _, n_keys, _ = key.shape
    p_key, p_value = (p_HLE.to(key.dtype).expand(batch, -1, -1, -1) for p_HLE in prefix)
    length = p_key.shape[2]
    keys, values = [p_key, key], [p_value, value]
    n_behind = -(length + n_keys) % _MULTIPLE if is_aligned and mask is not None else 0
    if n_behind:
        nothing = key.new_zeros(1, 1, n_behind, 1).expand(batch, key.shape[1], -1, key.shape[3])
        keys, values = [*keys, nothing], [*values, nothing]
    return torch.cat(keys, dim=2), torch.cat(values, dim=2), _reach(mask, in_front=length, behind=n_behind)


def _reach(mask: Tensor | None, *, in_front: int, behind: int = 0) -> Tensor | None:
    """A mask for more keys: attended in front, not attended behind."""
    if mask is None:
        return None
    yes, no = (True, False) if mask.dtype == torch.bool else (0.0, torch.finfo(mask.dtype).min)
    longer = F.pad(mask, (in_front, 0), value=yes)
    return F.pad(longer, (0, behind), value=no) if behind else longer


def _one_query(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, scaling: float, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attention of a single query, which sees every key that the mask leaves it, written out.

    On a CPU torch's fused attention takes longer for it (docs/performance.md).
    """
    scores_BH1S = torch.matmul(query, key.transpose(-1, -2)) * scaling
    if mask is not None:
        least = torch.finfo(scores_BH1S.dtype).min
        scores_BH1S = scores_BH1S.masked_fill(~mask, least) if mask.dtype == torch.bool else scores_BH1S + mask
    weights_BH1S = scores_BH1S.softmax(-1, dtype=torch.promote_types(query.dtype, torch.float32)).to(query.dtype)
    return torch.matmul(weights_BH1S, value).transpose(1, 2), None


def _gated(
    heads: Delta,
    x: Tensor,
    p_key_value: tuple[Tensor, Tensor],
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    *,
    dropout: float,
    scaling: float,
) -> Tensor:
    """Eq. 7–10 where prefix and sequence have different queries: one softmax over both sets of logits."""
    p_key_HLE, p_value_HLE = p_key_value
    p_logits_BHTL = torch.matmul(x, p_key_HLE.transpose(-1, -2)) * heads.form.scaling
    logits_BHTS = torch.matmul(query, key.transpose(-1, -2)) * scaling
    if mask is not None:
        logits_BHTS = logits_BHTS.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else logits_BHTS + mask
    weights = F.dropout(torch.cat([p_logits_BHTL, logits_BHTS], dim=-1).softmax(-1), dropout, heads.training)
    length = p_key_HLE.shape[-2]
    output_BHTE = weights[..., :length] @ p_value_HLE + weights[..., length:] @ value
    return output_BHTE.transpose(1, 2)


ATTENTIONS = {
    "sdpa": ("unidelta_sdpa", sdpa_attention_forward, sdpa_mask),
    "eager": ("unidelta_eager", eager_attention_forward, eager_mask),
}
for _name, _function, _mask in ATTENTIONS.values():
    AttentionInterface.register(_name, partial(delta_attention, _function))
    AttentionMaskInterface.register(_name, _mask)
