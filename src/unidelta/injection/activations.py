"""Keys and values of real tokens in a frozen backbone, to initialise a prefix (`init=activations`).

A prefix drawn at random takes a share of every head's attention from the first step on; Li & Liang (2021, §7.4) start
from the activations of real words instead. The unified-view paper does not; small backbones need it.

Shapes: B batch, S length, L prefix length, D model width.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.axes import Slot
from unidelta.design.site import SiteShape
from unidelta.hosts.site import Site
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.inject import Activations


@torch.no_grad()
def activations(
    model: PreTrainedModel, batch: Mapping[str, Tensor], *, length: int, generator: torch.Generator
) -> Activations:
    """Keys (normalised, not rotated) and values of every attention for L tokens of a batch, the same in all layers.

    Args:
        model: a stock model without deltas; its train or eval mode is restored.
        batch: a batch as in training.
        length: L.
        generator: selects the tokens, without replacement if there are enough.

    Raises:
        ValueError: the batch holds no token.
    """
    architecture = architecture_of_model(model)
    caught: dict[tuple[str, int, str], Tensor] = {}

    def catch(shape: SiteShape, site: Site, role: str, module: object, inputs: object, output: Tensor) -> None:
        caught[site.kind, site.layer, role] = _own(role, shape, site, output)

    hooks = [
        site.linears[role].register_forward_hook(partial(catch, shape, site, role))
        for shape, site in zip(architecture.sites, architecture.family.hosts(model), strict=True)
        if shape.slot is Slot.ATTN
        for role in ("key", "value")
    ]
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()(**{name: tensor.to(model.device) for name, tensor in batch.items()})
    finally:
        for module, mode in modes.items():
            module.training = mode
        for hook in hooks:
            hook.remove()
    source_BS = batch["attention_mask"].bool()
    targets_BT = batch["labels"] >= 0  # of a sequence-to-sequence batch; ignored labels are negative
    reads_targets = {"decoder_self"} if architecture.family.is_encoder_decoder else set[str]()
    chosen = {
        kind: _choose(targets_BT if kind in reads_targets else source_BS, length, generator)
        for kind in sorted({kind for kind, _, _ in caught})
    }
    return {
        (kind, layer): tuple(
            caught[kind, layer, role].flatten(0, 1)[chosen[kind].to(model.device)].cpu() for role in ("key", "value")
        )
        for kind, layer, role in caught
        if role == "key"
    }


def _own(role: str, shape: SiteShape, site: Site, output: Tensor) -> Tensor:
    """What a role has of the output of its map, normalised as attention does, `(B, S, width)`."""
    if role in site.columns:
        output = output[..., slice(*site.columns[role])]
    if role == "value" or site.key_norm is None:
        return output
    return site.key_norm(output.unflatten(-1, (shape.n_kv_heads, -1))).flatten(-2)


def _choose(is_token_BS: Tensor, length: int, generator: torch.Generator) -> Tensor:
    """Indices `(L,)` of tokens in the flattened batch."""
    places = is_token_BS.flatten().nonzero().squeeze(1)
    if not len(places):
        raise ValueError("The batch holds no token to start a prefix from.")
    order = torch.randperm(len(places), generator=generator)
    return places[order.repeat(-(-length // len(places)))[:length]]
