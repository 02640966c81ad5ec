"""An encoder or decoder as a host of what concerns all of its layers: a prefix's MLP, where text and tokens stand.

Shapes: B batch, T tokens of one call, S tokens of the text so far.
"""

from typing import Any

import torch
from torch import Tensor

from unidelta.hosts.cache import CACHE
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, source_positions

FIRST_POSITION = "first_position"
SKIPS_PADDING = "skips_padding"
IS_DECODER = "is_decoder"


class StackHost(Host):
    """A stack that owns networks; `settings["first_position"]`, if there is one, is where its text starts.

    With `settings["skips_padding"]` its text is numbered from the first token, not from the padding in front of it:
    where rotary positions are relative, but not to a prefix. With `settings["is_decoder"]` it passes its layers the
    positions of their tokens in the source.
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The stock forward, at positions that start later."""
        if FIRST_POSITION in self.settings or SKIPS_PADDING in self.settings:
            args, kwargs = (), self.by_name(args, kwargs)
            kwargs["position_ids"] = self._positions(**kwargs)
        if IS_DECODER in self.settings:
            kwargs[SOURCE_POSITIONS] = source_positions(self, args, kwargs, is_decoder=self.settings[IS_DECODER])
        return super().forward(*args, **kwargs)

    def _positions(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Any = None,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """The positions that a stack is given, or those of tokens after what is cached, `(1 or B, T)`; moved."""
        first = self.settings.get(FIRST_POSITION, 0)
        if position_ids is not None:
            return first + position_ids
        tokens = inputs_embeds if input_ids is None else input_ids
        cache = kwargs.get(CACHE)
        begin = 0 if cache is None else cache.get_seq_length()
        positions_1T = (torch.arange(tokens.shape[1], device=tokens.device) + begin)[None]
        if SKIPS_PADDING in self.settings and isinstance(attention_mask, Tensor) and attention_mask.dim() == 2:
            n_in_front_B1 = (attention_mask.cumsum(1) == 0).sum(1, keepdim=True)
            return first + (positions_1T - n_in_front_B1).clamp(min=0)
        return first + positions_1T
