"""Deltas inside attention: one function, registered with transformers next to `sdpa` and `eager`.

It runs after the key/value cache is updated, so positions do not change, and beam search, static caches and teacher
forcing compute the same. The mask functions are registered under the same names: without them transformers would pass
no mask at all.

Shapes: B batch, H heads, T queries, S keys, E head width, L prefix length, D model width. With grouped-query attention
keys, values and prefixes have G heads, fewer than queries.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask, sdpa_mask

from unidelta.deltas.delta import Delta
from unidelta.deltas.heads import HeadModule, KeysValues, per_query_head
from unidelta.design.axes import Representation
from unidelta.hosts.site import Host

CosSin = tuple[Tensor, Tensor]
"""Cosines and sines of rotary positions, each `(B, T, E)`, or fewer features where rotation is partial."""

AttentionFunction = Callable[..., tuple[Tensor, Tensor | None]]
"""transformers' signature: module, `(B, H, T, E)` queries, keys, values and a mask, to `(B, T, H, E)` and weights."""


class AttentionHost(Host):
    """An attention module that passes its input to `delta_attention`, and changes its output."""

    is_causal: bool

    def query_of(self, x_BTD: Tensor, *, n_heads: int, rotation: CosSin | None) -> Tensor:
        """The query `(B, H, T, E)` of any input, made as attention's own: the frozen map, its norm, the rotation."""
        settings = self.settings
        query_BTD = self.get_submodule(settings["query"])(x_BTD)[..., settings.get("query_columns", slice(None))]
        query_BTHE = query_BTD.unflatten(-1, (n_heads, -1))
        if "query_norm" in settings:
            query_BTHE = self.get_submodule(settings["query_norm"])(query_BTHE)
        query_BHTE = query_BTHE.transpose(1, 2)
        return query_BHTE if rotation is None else self._rotated(query_BHTE, rotation)

    def placed(self, vectors: KeysValues) -> KeysValues:
        """P_k, P_v as attention sees them: with `prefix_start`, P_k is rotated at the L positions from there on."""
        if "prefix_start" not in self.settings:
            return vectors
        key_GLE, value_GLE = vectors
        begin, layer_type = self.settings["prefix_start"], self.settings.get("layer_type", ())
        positions_1L = torch.arange(begin, begin + key_GLE.shape[1], device=key_GLE.device)[None]
        rotation = self.settings["rotary"](key_GLE, positions_1L, *layer_type)
        return self._rotated(key_GLE[None], rotation)[0], value_GLE

    def _rotated(self, x_BHTE: Tensor, rotation: CosSin) -> Tensor:
        """By the function from the transformers file of the stock class; a partial rotation has the first features."""
        rotate, n = sys.modules[type(self).__module__].apply_rotary_pos_emb, rotation[0].shape[-1]
        first_BHTN = x_BHTE[..., :n]
        turned_BHTN = rotate(first_BHTN, first_BHTN, *rotation)[0]
        return turned_BHTN if n == x_BHTE.shape[-1] else torch.cat([turned_BHTN, x_BHTE[..., n:]], dim=-1)

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """The stock forward, then the delta on the module's output."""
        rotation = kwargs.get("position_embeddings")
        output, *rest = super().forward(
            hidden_states, *args, attention_input=hidden_states, rotation=rotation, **kwargs
        )
        if Representation.SUBLAYER in self.deltas:
            output = self.deltas[Representation.SUBLAYER](hidden_states, output)
        return output, *rest


def in_front(
    vectors: KeysValues, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """`[P_k; K]`, `[P_v; V]` and their mask (Eq. 5)."""
    p_key, p_value = (p_HLE.to(key.dtype).expand(key.shape[0], -1, -1, -1) for p_HLE in vectors)
    return torch.cat([p_key, key], 2), torch.cat([p_value, value], 2), attended_in_front(mask, p_key.shape[2])


def attended_in_front(mask: Tensor | None, length: int) -> Tensor | None:
    """A mask for additional keys in front, which every query attends to."""
    return None if mask is None else F.pad(mask, (length, 0), value=True if mask.dtype == torch.bool else 0.0)


def delta_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    base: AttentionFunction,
    vectors: Callable[[HeadModule], KeysValues] = HeadModule.keys_values,
    put_in_front: Callable[..., tuple[Tensor, Tensor, Tensor | None]] = in_front,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    attention_input: Tensor | None = None,
    rotation: CosSin | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention with the module's deltas on its heads and on its concatenated heads.

    Args:
        module: the attention module; without deltas this is `base`.
        query: `(B, H, T, E)`, unscaled.
        key: `(B, H, S, E)`.
        value: `(B, H, S, E)`.
        attention_mask: True or 0 where attended, `(B, 1, T, S)`, or None.
        base: the attention to change.
        vectors: gives P_k, P_v of a form on heads.
        put_in_front: prepends P_k, P_v to keys and values.
        is_causal: overrides the module's own.
        position_bias: what relative positions add to the logits, `(1, H, T, S)`; nothing to those of a prefix.
        attention_input: x, the input of the query projection, `(B, T, D)`.
        rotation: of the queries' rotary positions.
        **kwargs: for `base`; dropout and scaling (1/√E) among them.
    """
    if position_bias is not None:  # only where there is one: most attentions do not know the word
        kwargs["position_bias"] = position_bias
    attend = partial(base, module, query)
    deltas = module.deltas if isinstance(module, AttentionHost) else {}
    if Representation.HEADS not in deltas:
        output, weights = attend(key, value, attention_mask, is_causal=is_causal, **kwargs)
    else:
        heads, weights = deltas[Representation.HEADS], None
        p = module.placed(vectors(heads.form))
        if not heads.compose.is_gate:
            output, weights = attend(key, value, attention_mask, is_causal=is_causal, **kwargs)
            change = heads.form.attend(_query(module, heads.form, query, attention_input, rotation), p)
            output = heads.compose(output.transpose(1, 2), change, attention_input).transpose(1, 2)
        else:
            is_causal = module.is_causal if is_causal is None else is_causal
            mask = explicit(attention_mask, query, n_keys=key.shape[2]) if is_causal else attention_mask
            if heads.form.query_norm is None:  # one softmax over both is the gated composition (Eq. 7–10)
                keys, values, mask = put_in_front(p, key, value, mask)
                if position_bias is not None:
                    kwargs["position_bias"] = _unbiased_in_front(position_bias, p[0].shape[1], n_keys=keys.shape[2])
                output, weights = attend(keys, values, mask, is_causal=False, **kwargs)
            else:
                x = _query(module, heads.form, query, attention_input, rotation)
                keys, values, p_keys, p_values = (per_query_head(one, query.shape[1]) for one in (key, value, *p))
                p_logits = x @ p_keys.transpose(-1, -2) * heads.form.scaling
                logits = query @ keys.transpose(-1, -2) * kwargs["scaling"]
                logits = masked(logits, mask, position_bias, least=-torch.inf)
                output = gated(heads, p_logits, p_values, logits, values, dropout=kwargs.get("dropout", 0.0))
    if Representation.CONCAT in deltas:
        concat_BTD = deltas[Representation.CONCAT](attention_input, output.flatten(2))
        output = concat_BTD.unflatten(2, (output.shape[2], -1))
    return output, weights


def _query(
    module: AttentionHost, form: HeadModule, query: Tensor, attention_input: Tensor, rotation: CosSin | None
) -> Tensor:
    """The query that a form on heads reads: attention's own, or that of LN(x) if the form has a layer norm."""
    if form.query_norm is None:
        return query
    return module.query_of(form.query_norm(attention_input), n_heads=form.n_heads, rotation=rotation)


def _unbiased_in_front(bias: Tensor, length: int, *, n_keys: int) -> Tensor:
    """A position bias for additional keys: a prefix has no position, so 0 for it, and for what may follow the text."""
    return F.pad(bias, (length, n_keys - length - bias.shape[-1]))


def explicit(mask: Tensor | None, query: Tensor, *, n_keys: int) -> Tensor | None:
    """The causal mask that `is_causal` stands for, True where attended.

    transformers omits the mask where torch's `is_causal`, aligned to the top left, is correct: with as many keys as
    queries, or more keys in a static cache that is still empty. With a prefix before the keys, the same flag would hide
    the last L tokens from every query.
    """
    n_queries = query.shape[2]
    if mask is not None or n_queries == 1:
        return mask
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device).tril()[None, None]


def masked(logits: Tensor, mask: Tensor | None, position_bias: Tensor | None, *, least: float) -> Tensor:
    """Logits `(B, H, T, S)` with what relative positions add, and `least` or a float mask's where not attended."""
    if position_bias is not None:
        logits = logits + position_bias
    if mask is None:
        return logits
    return logits.masked_fill(~mask, least) if mask.dtype == torch.bool else logits + mask


def gated(
    heads: Delta, p_logits_BHTL: Tensor, p_values: Tensor, logits_BHTS: Tensor, values: Tensor, *, dropout: float
) -> Tensor:
    """Eq. 7–10 where prefix and sequence have different queries: one softmax over both sets of logits."""
    weights = F.dropout(torch.cat([p_logits_BHTL, logits_BHTS], dim=-1).softmax(-1), dropout, heads.training)
    length = p_logits_BHTL.shape[-1]
    output_BHTE = weights[..., :length] @ p_values + weights[..., length:] @ values
    return output_BHTE.transpose(1, 2)


class BiasedAttentionHost(AttentionHost):
    """T5's: positions are counted from what the cache holds, so nothing but tokens may be in there.

    A class of its own, which `fast` does not give a cache with the prefix in it.
    """


def eager_attention(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """The eager attention function from the transformers file of the module's stock class."""
    return sys.modules[type(module).__module__].eager_attention_forward(module, *args, **kwargs)


BASES = {"sdpa": (sdpa_attention_forward, sdpa_mask), "eager": (eager_attention, eager_mask)}
"""The attention implementations that support deltas on heads, by transformers' name, each with its mask function."""


PREFIX = "unidelta_"
"""How the names of all attentions with deltas begin; they end with that of the stock one."""


def name_of(base: str) -> str:
    """The name under which an attention with deltas is registered."""
    return f"{PREFIX}{base}"


for _base, (_function, _mask) in BASES.items():
    AttentionInterface.register(name_of(_base), partial(delta_attention, base=_function))
    AttentionMaskInterface.register(name_of(_base), _mask)
