"""Whether the maps of an attention that a file calls query, key and value are those: each moves its tensor alone.

A module that computes all three may have their features in another order than one role after the other, such as head by
head; a delta on its query would then change keys and values too, and nothing would fail.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from unidelta.check.finding import Finding
from unidelta.check.tiny import batch, tiny
from unidelta.design.axes import Representation
from unidelta.design.family import Family
from unidelta.hosts.attention import BASES
from unidelta.hosts.linear import weight_of
from unidelta.hosts.site import Site

_ROLES = ("query", "key", "value")
_RECORDING = "unidelta-check"
_seen: dict[nn.Module, tuple[Tensor, Tensor, Tensor]] = {}
_FUNCTION, _MASK = BASES["sdpa"]


def check_roles(family: Family) -> Iterator[Finding]:
    """One finding for each role of each attention."""
    model = tiny(family).requires_grad_(False)
    model.set_attn_implementation(_RECORDING)
    stock = _queries_keys_values(model, family)
    for site in family.hosts(model):
        if Representation.HEADS in site.hosts:
            for role in _ROLES:
                yield _check_role(family, model, site, role, stock)


def _check_role(
    family: Family, model: PreTrainedModel, site: Site, role: str, stock: dict[nn.Module, tuple[Tensor, Tensor, Tensor]]
) -> Finding:
    what, where = "each of query, key and value moves alone", f"{family.name}, {site.kind} {site.layer}, {role}"
    attention = site.hosts[Representation.HEADS].module
    if attention not in stock:
        why = "its queries, keys and values do not pass the attention function of transformers"
        return Finding(what=what, where=where, wrong=why)
    rows = slice(*site.columns.get(role, (0, None)))
    own = weight_of(site.linears[role])[rows]
    before = own.clone()
    own += 0.5 * torch.randn(own.shape, generator=torch.Generator().manual_seed(3)).to(own)
    now = _queries_keys_values(model, family)[attention]
    own.copy_(before)
    moved = [name for name, new, old in zip(_ROLES, now, stock[attention], strict=True) if not new.equal(old)]
    of_map = f"features {rows.start} to {rows.stop} of the map" if role in site.columns else "the features of the map"
    wrong = "" if moved == [role] else f"{of_map} that is called {role} move {', '.join(moved) or 'nothing'}"
    return Finding(what=what, where=where, wrong=wrong)


def _queries_keys_values(model: PreTrainedModel, family: Family) -> dict[nn.Module, tuple[Tensor, Tensor, Tensor]]:
    """What each attention of a model is given, by its module."""
    _seen.clear()
    model(**batch(family))
    return dict(_seen)


def _record(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Any:
    _seen[module] = query, key, value
    return _FUNCTION(module, query, key, value, *args, **kwargs)


AttentionInterface.register(_RECORDING, _record)
AttentionMaskInterface.register(_RECORDING, _MASK)
