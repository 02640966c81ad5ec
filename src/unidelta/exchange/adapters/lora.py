"""LoRA (`LoRAConfig`): one r and one alpha for attention and FFN, and no place at attention's output map."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, Slot
from unidelta.design.spec import DeltaSpec
from unidelta.errors import ExchangeError
from unidelta.exchange.adapters.method import AdaptersMethod
from unidelta.exchange.parts import alpha_of, fixed_scale, part_of, scaled
from unidelta.exchange.places import Placed
from unidelta.exchange.tie import Tie

_LETTERS = {"query": "q", "key": "k", "value": "v"}
_FFN = {"up": "intermediate_lora", "down": "output_lora"}


class AdaptersLora(AdaptersMethod):
    """`LoRAConfig` with `composition_mode="add"`."""

    form = "low_rank"
    architecture = "lora"
    reads = frozenset({"selfattn_lora", "intermediate_lora", "output_lora", "r", "alpha", "attn_matrices", "dropout"})
    neutral = {"composition_mode": ("add",)}  # noqa: RUF012
    required = ("r", "alpha")
    ignores = frozenset({"init_weights", "init_weights_seed", "dtype"})

    def obstacles(self, parts: Sequence[DeltaSpec]) -> Iterator[str]:
        """Other maps, a sequential form, a trained s, and an r or s for each slot."""
        for part in parts:
            if part.insertion is Insertion.SEQUENTIAL:
                yield f"at the {part.slot} it reads what a map computes; LoRA of adapters reads what the map reads"
            if others := [target for target in part.targets if target not in {**_LETTERS, **_FFN}]:
                yield f"it is at {' and '.join(others)}, where adapters has no LoRA"
            scale = fixed_scale(part)
            if scale is None:
                yield f"its composition at the {part.slot} is {part.composition}; adapters has one fixed alpha / r"
            elif alpha_of(scale, part.bottleneck) is None:
                yield f"no alpha gives s={scale!r} with r={part.bottleneck} to the last bit"
        if len({(part.bottleneck, fixed_scale(part)) for part in parts}) > 1:
            yield "r or s differ between attention and FFN; LoRA of adapters has one for all"

    def configs(self, parts: Sequence[DeltaSpec], architecture: Architecture) -> list[dict[str, Any]]:
        """One for both slots."""
        targets = {target for part in parts for target in part.targets}
        rank, scale = parts[0].bottleneck, fixed_scale(parts[0])
        assert scale is not None
        return [
            {
                "selfattn_lora": bool(targets & set(_LETTERS)),
                **{key: role in targets for role, key in _FFN.items()},
                "attn_matrices": [letter for role, letter in _LETTERS.items() if role in targets],
                "r": rank,
                "alpha": alpha_of(scale, rank),
                "composition_mode": "add",
                "init_weights": "lora",
                "dropout": parts[0].dropout or 0.0,
                "use_dora": False,
                "vera_d": None,
                "vera_b": None,
                "dtype": None,
            }
        ]

    def ties(self, placed: Sequence[Placed], name: str) -> Sequence[Tie]:
        """Two for each map."""
        return [
            Tie(theirs=f"{each.host}.loras.{name}.lora_{letter}", ours=(f"{each.name}.form.{own}",))
            for each in placed
            for letter, own in (("A", "down"), ("B", "up"))
        ]

    def parts(self, config: Mapping[str, Any], architecture: Architecture, *, asked: str) -> list[DeltaSpec]:
        """One for each slot with targets."""
        rank, alpha = config.get("r"), config.get("alpha")
        if type(rank) is not int or rank < 1 or not isinstance(alpha, int | float) or not alpha > 0:
            raise ExchangeError(asked, f"its r is {rank} and its alpha {alpha}", "the folder as adapters saved it")
        letters = config.get("attn_matrices") if config.get("selfattn_lora") else []
        targets = {
            Slot.ATTN: tuple(role for role, letter in _LETTERS.items() if letter in (letters or [])),
            Slot.FFN: tuple(role for role, key in _FFN.items() if config.get(key)),
        }
        return [
            part_of(
                architecture,
                slot=slot,
                form="low_rank",
                bottleneck=rank,
                init=Init.LORA,
                targets=roles,
                dropout=float(config.get("dropout") or 0.0),
                **scaled(alpha / rank),
            )
            for slot, roles in targets.items()
            if roles
        ]
