"""A prompt in front of the text of a decoder-only model. B batch, T tokens of one call, l vectors of the prompt.

Padding in front stays in front: the prompt stands next to its text, or a sliding window would not reach it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.deltas.prompt import Prompt
from unidelta.errors import DesignError
from unidelta.hosts.cache import CACHE
from unidelta.hosts.encoder_decoder import PROMPT
from unidelta.hosts.site import Host, Hosting, attach


class PromptedText(Host):
    """A decoder with prompt vectors before the token embeddings: they stand at 0 … l−1, and the text at l and after.

    The prompt goes into an empty cache with the first tokens; its states are not returned.
    """

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """The stock forward on l more positions, without their states."""
        prompt = self.deltas[PROMPT]
        cache = kwargs.get(CACHE)
        is_first = cache is None or cache.get_seq_length() == 0
        if not is_first:
            n_tokens = (input_ids if inputs_embeds is None else inputs_embeds).shape[1]
            _check_continued(prompt, attention_mask, position_ids, cache, n_tokens)
        order, mask = _ordered(prompt, attention_mask, cache, is_first=is_first)
        if position_ids is not None:
            position_ids = position_ids + prompt.length
        if is_first:
            inputs_embeds = self.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds
            input_ids, inputs_embeds = None, _taken(prompt.prepend(inputs_embeds), order)
            if position_ids is not None:
                of_prompt = torch.arange(prompt.length, device=position_ids.device)
                position_ids = torch.cat([of_prompt.expand(position_ids.shape[0], -1), position_ids], dim=1)
                position_ids = _taken(position_ids, order)
        more = {"attention_mask": mask, "position_ids": position_ids, **kwargs}
        output = super().forward(input_ids, inputs_embeds=inputs_embeds, return_dict=True, **more)
        if is_first:
            back = None if order is None else order.argsort(dim=1)
            output.last_hidden_state = _taken(output.last_hidden_state, back)[:, prompt.length :]
            if output.hidden_states is not None:
                output.hidden_states = tuple(_taken(h, back)[:, prompt.length :] for h in output.hidden_states)
        return output.to_tuple() if return_dict is False else output


def attach_prompt_to_text(model: PreTrainedModel, prompt: Prompt) -> None:
    """Add a prompt to a decoder-only model."""
    attach(Hosting(module=model.get_decoder(), host=PromptedText), PROMPT, prompt)


def _ordered(prompt: Prompt, mask_BS: Any, cache: Any, *, is_first: bool) -> tuple[Tensor | None, Tensor | None]:
    """The order `(B, l + S)` of a prompt and a text with its padding in front, None for the prompt first; and its mask.

    Raises:
        DesignError: the prompt has no room, or nothing says where it belongs.
    """
    if getattr(cache, "is_compileable", False):
        asked, why = "a prompt with a cache of fixed size", "it has no room for the prompt's keys and values"
        raise DesignError(asked, why, "cache_implementation=dynamic, the default")
    if mask_BS is None:
        return None, None
    if not isinstance(mask_BS, Tensor) or mask_BS.dim() != 2:
        asked, why = "a prompt with a mask of queries and keys", "it does not say what the prompt may see"
        raise DesignError(asked, why, "an attention mask (batch, tokens), 0 at padding")
    is_in_front_BS = mask_BS.cumsum(1) == 0
    if is_first and is_in_front_BS[:, -1].any():
        asked, why = "a prompt before padding alone", "it stands next to the first token, which is still to come"
        raise DesignError(asked, why, "a first call with a token of every text")
    order = nn.functional.pad((~is_in_front_BS).long(), (prompt.length, 0), value=1).argsort(dim=1, stable=True)
    return order, _taken(prompt.prepend_mask(mask_BS), order)


def _check_continued(prompt: Prompt, mask_BS: Any, position_ids: Tensor | None, cache: Any, n_tokens: int) -> None:
    """Refuse a text of which `generate` left out more tokens than the cache has seen: it counts the prompt's as well.

    Raises:
        DesignError: it did.
    """
    n_seen, is_wrong = cache.get_seq_length() - prompt.length, False
    if isinstance(mask_BS, Tensor) and mask_BS.dim() == 2:
        is_wrong = mask_BS.shape[1] != n_seen + n_tokens
    elif mask_BS is None and position_ids is not None and not torch.compiler.is_compiling():
        is_wrong = bool((position_ids[:, 0] != n_seen).any())  # without a mask nothing is padding
    if is_wrong:
        asked, why = "a text continued from the cache of a model with a prompt", "generate counts the prompt as text"
        raise DesignError(asked, f"{why} and leaves out {prompt.length} tokens", "generate without past_key_values")


def _taken(rows: Tensor, order: Tensor | None) -> Tensor:
    """The columns of each row in an order."""
    if order is None:
        return rows
    return rows.take_along_dim(order if rows.dim() == 2 else order[..., None], dim=1)
