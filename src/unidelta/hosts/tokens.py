"""Which tokens of a text a delta edits. Shapes: B batch, T tokens of one call, S tokens of the text so far.

The module that is given the tokens and their attention mask numbers those of the source, and passes the numbers on as a
keyword; a layer with a delta at some tokens takes it out of its keywords. Nothing is kept between calls.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unidelta.design.tokens import ends
from unidelta.errors import DesignError
from unidelta.hosts.cache import CACHE
from unidelta.hosts.site import Host

TOKENS = "tokens"
"""The setting of a host whose delta edits some tokens only: which."""

SOURCE_POSITIONS = "source_positions"
"""The keyword with which a layer receives the positions of its tokens in their source."""

SOURCE_MASK = "source_mask"
"""The keyword by which a user says which tokens are the source's."""


def edits_some_tokens(model: nn.Module) -> bool:
    """Whether a delta in a model edits some tokens only."""
    return any(isinstance(module, Host) and TOKENS in module.settings for module in model.modules())


def source_positions(host: Host, args: tuple[Any, ...], keywords: dict[str, Any], *, is_decoder: bool) -> Tensor:
    """The positions of the tokens of one call in their source, counted from 0: from its start and from its end.

    Args:
        host: the module that is called.
        args: its arguments.
        keywords: its keywords; the source mask is taken out of them.
        is_decoder: whether what follows the source is in the same text.

    Returns:
        `(B, T, 2)`; -1 for padding and for what is not of the source.

    Raises:
        DesignError: what belongs to the source cannot be known.
    """
    given = host.by_name(args, keywords)
    source_BS = keywords.pop(SOURCE_MASK, None)
    tokens = given.get("inputs_embeds") if given.get("input_ids") is None else given["input_ids"]
    n_batch, n_now = tokens.shape[:2]
    cache = given.get(CACHE)
    n_before = 0 if cache is None else int(cache.get_seq_length())
    if source_BS is None:
        if is_decoder and n_before and n_now == 1:  # a generated token
            return tokens.new_full((n_batch, 1, 2), -1, dtype=torch.long)
        if is_decoder and (cache is None or n_before):
            raise _unknown("a text of which nothing says where its prompt ends")
        source_BS = given.get("attention_mask")
        if source_BS is None:
            source_BS = tokens.new_ones(n_batch, n_now, dtype=torch.long)
        elif source_BS.dim() != 2:
            raise _unknown("an attention mask that does not name padding")
    mask_BS = F.pad(source_BS.long(), (0, max(0, n_before + n_now - source_BS.shape[1])))
    from_start = mask_BS.cumsum(1) - 1
    from_end = mask_BS.sum(1, keepdim=True) - 1 - from_start
    both = torch.stack([from_start, from_end], dim=-1).masked_fill(mask_BS[..., None] == 0, -1)
    return both[:, n_before : n_before + n_now]


def edit(host: Host, delta: Any, x: Tensor, h: Tensor, positions_BT2: Tensor | None) -> Tensor:
    """`delta(x, h)` at the tokens of the host's choice, h at the others; at all of them without a choice.

    Args:
        host: the host of the delta.
        delta: the delta.
        x: what the sub-module reads, `(B, T, D)`.
        h: the representation, `(B, T, D)`.
        positions_BT2: as `source_positions` returns them; None where no delta chooses.
    """
    changed = delta(x, h)
    if TOKENS not in host.settings or positions_BT2 is None:
        return changed
    n_first, n_last = ends(host.settings[TOKENS])
    limits = positions_BT2.new_tensor((n_first, n_last))
    is_edited = ((positions_BT2 >= 0) & (positions_BT2 < limits)).any(-1, keepdim=True)
    return torch.where(is_edited.to(h.device), changed, h)


def _unknown(asked: str) -> DesignError:
    return DesignError(
        f"{asked}, for a delta at some tokens of the prompt",
        "a decoder's input does not show where the prompt ends, without a cache or with several tokens after it",
        f"model(..., {SOURCE_MASK}=…), 1 at the tokens of the prompt and 0 elsewhere; generate with a cache needs none",
    )
