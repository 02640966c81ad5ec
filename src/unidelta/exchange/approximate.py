"""Low-rank updates fitted to deltas that a format cannot express, where these are a change of weights.

Every map's change W' − W is replaced by its best approximation of rank r, from its singular values (Eckart & Young
1936); LoRA with any scale, DoRA, VeRA, OFT or IA³ thus become a plain LoRA, with an error that is reported.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.design.axes import Init
from unidelta.design.describe import describe
from unidelta.design.spec import Deltas
from unidelta.errors import ExchangeError
from unidelta.exchange.merged import not_weights
from unidelta.exchange.parts import part_of
from unidelta.exchange.peft.maps import parts_of_maps
from unidelta.exchange.places import linear_maps, placed_deltas
from unidelta.hosts.linear import weight_of
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection
from unidelta.injection.merge import merge_into_weights
from unidelta.injection.own_values import put_values, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How good an approximation is.

    Args:
        rank: r.
        n_maps: maps whose weight changes.
        kept: the share of the squared change that is kept, all maps together.
        worst: the same of the map with the least, and its name.
        n_biases: biases that change as well, and that a low-rank update leaves as they are.
    """

    rank: int
    n_maps: int
    kept: float
    worst: tuple[float, str]
    n_biases: int

    def __str__(self) -> str:
        """In words."""
        biases = f"; {self.n_biases} biases change too, which it leaves out" if self.n_biases else ""
        return (
            f"rank {self.rank} keeps {100 * self.kept:.2f} % of the squared change of {self.n_maps} weights, at least "
            f"{100 * self.worst[0]:.2f} % ({self.worst[1]}){biases}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """How far logits are apart on given texts.

    Args:
        n_tokens: positions compared.
        largest: |difference of logits|.
        spread: standard deviation of the logits, to compare with.
        same: the share of positions with the same most likely token or class.
    """

    n_tokens: int
    largest: float
    spread: float
    same: float

    def __str__(self) -> str:
        """In words."""
        return (
            f"logits differ by {self.largest:.2g} at most (their standard deviation is {self.spread:.2g}), and the "
            f"most likely output is the same in {100 * self.same:.2f} % of {self.n_tokens} places"
        )


def approximated(injection: Injection, rank: int, *, asked: str) -> tuple[Injection, Fit]:
    """A copy of the model with low-rank updates in place of its deltas; the model itself does not change.

    Args:
        injection: the deltas.
        rank: r.
        asked: in words, for the error.

    Raises:
        ExchangeError: the deltas are not a change of weights.
        Problems: no such rank can be built.
    """
    why = not_weights(injection)
    if why or not isinstance(injection.design, Deltas):
        why = why or f"{describe(injection.design)} changes biases, not weights"
        raise ExchangeError(asked, why, "--to adapters, which keeps adapters and prefixes beside the backbone")
    placed = placed_deltas(injection)
    fused = sorted({each.name for each in linear_maps(injection.model) if each.shares_module})
    if any(each.host in fused for each in placed):
        raise ExchangeError(asked, f"{fused[0]} computes several maps at once", "a backbone with a module for each map")
    changes = {each.host: _change(injection.model, each.host) for each in placed}
    model = copy.deepcopy(injection.model)
    handle = vars(model)["unidelta"]
    head = values_of(model, handle.before)
    handle.remove()
    put_values(model, head)
    architecture = architecture_of_model(model)
    fields = {"form": "low_rank", "bottleneck": rank, "init": Init.LORA}
    maps = parts_of_maps(dict.fromkeys(changes, rank), model, asked=asked)
    parts = tuple(part_of(architecture, **where, **fields) for where, _ in maps)
    fitted = inject(model, Deltas(parts=parts, trains_head=injection.design.trains_head), generator=torch.Generator())
    kept, total, n_biases = {}, {}, 0
    for each in placed_deltas(fitted):
        matrix, bias = changes[each.host]
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        root = s[:rank].sqrt()
        with torch.no_grad():
            down, up = (model.get_parameter(f"{each.name}.form.{leaf}") for leaf in ("down", "up"))
            down.zero_()[: len(root)] = root[:, None] * v[:rank]
            up.zero_()[:, : len(root)] = u[:, :rank] * root
        kept[each.host], total[each.host] = float(s[:rank].square().sum()), float(s.square().sum())
        n_biases += int((bias != 0).sum())
    shares = {name: kept[name] / total[name] if total[name] else 1.0 for name in kept}
    worst = min(shares, key=lambda name: shares[name])
    whole = sum(total.values())
    return fitted, Fit(
        rank=rank,
        n_maps=len(shares),
        kept=sum(kept.values()) / whole if whole else 1.0,
        worst=(shares[worst], worst),
        n_biases=n_biases,
    )


def _change(model: PreTrainedModel, name: str) -> tuple[Tensor, Tensor]:
    """How much a map's deltas change its weight `(d_out, d_in)` and its bias, in float64."""
    module = copy.deepcopy(model.get_submodule(name)).double()
    before, bias = weight_of(module).detach().clone(), module.bias
    own = None if not isinstance(bias, Tensor) else bias.detach().clone()
    merge_into_weights(module)
    changed = module.bias
    shift = torch.zeros(0) if own is None or not isinstance(changed, Tensor) else changed.detach() - own
    return weight_of(module).detach() - before, shift


@torch.no_grad()
def row_error(
    first: PreTrainedModel, second: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]
) -> RowError:
    """How far the logits of two models are apart on texts, one text at a time.

    Args:
        first: a model, in eval mode.
        second: another of the same architecture.
        tokenizer: of both.
        texts: at least one.
    """
    longest = architecture_of_model(first).max_positions
    largest, same, n, every = 0.0, 0, 0, []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=longest)["input_ids"]
        inputs = {"input_ids": ids, **({"decoder_input_ids": ids} if first.config.is_encoder_decoder else {})}
        own, other = (model(**inputs).logits.double() for model in (first, second))
        largest = max(largest, float((own - other).abs().max()))
        same += int((own.argmax(-1) == other.argmax(-1)).sum())
        n += own[..., 0].numel()
        every.append(own.flatten())
    return RowError(n_tokens=n, largest=largest, spread=float(torch.cat(every).std()), same=same / n)
