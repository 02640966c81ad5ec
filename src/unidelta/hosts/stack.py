"""An encoder or decoder as a host of what concerns all of its layers: a prefix's MLP, where text and tokens stand."""

from typing import Any

import torch
from torch import Tensor

from unidelta.hosts.cache import CACHE
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, source_positions

FIRST_POSITION = "first_position"
IS_DECODER = "is_decoder"


class StackHost(Host):
    """A stack that owns networks; `settings["first_position"]`, if there is one, is where its text starts.

    With `settings["is_decoder"]` it passes its layers the positions of their tokens in the source.
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The stock forward, at positions that start later."""
        if FIRST_POSITION in self.settings:
            kwargs["position_ids"] = self.settings[FIRST_POSITION] + _positions(*args, **kwargs)
        if IS_DECODER in self.settings:
            kwargs[SOURCE_POSITIONS] = source_positions(self, args, kwargs, is_decoder=self.settings[IS_DECODER])
        return super().forward(*args, **kwargs)


def _positions(
    input_ids: Tensor | None = None,
    *args: Any,
    inputs_embeds: Tensor | None = None,
    position_ids: Tensor | None = None,
    **kwargs: Any,
) -> Tensor:
    """The positions that a stack is given, or those it would number itself: on from what is cached, `(1, T)`."""
    if position_ids is not None:
        return position_ids
    tokens = inputs_embeds if input_ids is None else input_ids
    cache = kwargs.get(CACHE)
    begin = 0 if cache is None else cache.get_seq_length()
    return (torch.arange(tokens.shape[1], device=tokens.device) + begin)[None]
