"""OFT: the elements above the diagonal of every block in `oft_R`, with Cayley's map computed exactly."""

from collections.abc import Iterator
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import part_of
from unidelta.exchange.peft.maps import check_targets, ended, parts_of_maps, stated_targets
from unidelta.exchange.peft.method import Foreign, PeftMethod
from unidelta.exchange.places import linear_maps, placed_deltas
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection


class PeftOft(PeftMethod):
    """`OFTConfig(oft_block_size=b, use_cayley_neumann=False)`."""

    peft_type = "OFT"
    reads = frozenset(
        "r oft_block_size target_modules exclude_modules fan_in_fan_out use_cayley_neumann layers_to_transform".split()
    )
    ignores = frozenset({"init_weights", "module_dropout", "eps", "num_cayley_neumann_terms", "layers_pattern"})
    leaves = (("oft_R.weight", "form.skew"),)

    def is_of(self, injection: Injection) -> bool:
        """Block rotations only."""
        return {part.form for part in injection.parts} == {"block_rotation"}

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """Blocks of several widths, or that do not fill what a map reads; fused maps."""
        widths = {part.bottleneck for part in injection.parts}
        if len(widths) > 1:
            yield f"its blocks are {' and '.join(map(str, sorted(widths)))} wide; peft has one oft_block_size"
        maps = {(each.name, each.role): each for each in linear_maps(injection.model)}
        for each in placed_deltas(injection):
            own = maps[each.host, each.target]
            d_in = own.site.linears[own.role].d_in
            if d_in % each.part.bottleneck:
                yield f"blocks of {each.part.bottleneck} do not fill the {d_in} features that {own.role} reads"
            if own.shares_module:
                yield f"{own.role} shares a module with other maps in this backbone"

    def config(self, injection: Injection) -> dict[str, Any]:
        """The width of blocks, and target modules."""
        return {
            **stated_targets(injection),
            "r": 0,
            "oft_block_size": injection.parts[0].bottleneck,
            "module_dropout": 0.0,
            "coft": False,
            "block_share": False,
            "use_cayley_neumann": False,
            "init_weights": True,
        }

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors."""
        block = foreign.config.get("oft_block_size")
        if foreign.config.get("use_cayley_neumann", True) or not isinstance(block, int) or block < 2:
            why = f"oft_block_size={block} with use_cayley_neumann={foreign.config.get('use_cayley_neumann', True)}"
            instead = "an OFT of peft with oft_block_size=b and use_cayley_neumann=False, which is exact"
            raise ExchangeError(foreign.asked, why, instead)
        blocks = dict.fromkeys(ended(foreign, ".oft_R.weight"), block)
        check_targets(foreign.config, blocks, model, asked=foreign.asked)
        fields = {"form": "block_rotation", "bottleneck": block, "composition": "rotated"}
        architecture, maps = architecture_of_model(model), parts_of_maps(blocks, model, asked=foreign.asked)
        return Deltas(parts=tuple(part_of(architecture, **where, **fields) for where, _ in maps))
