"""Values that somebody typed and that nothing would read, because of the other words: refused."""

from collections.abc import Iterator, Sequence

from unidelta.config.schema import RunConfig
from unidelta.design.axes import Slot
from unidelta.design.resolve_size import flexible_slots
from unidelta.errors import ConfigError, DesignError, Problems, UserError


def check_read(config: RunConfig, overrides: Sequence[str]) -> None:
    """Refuse typed values without a reader. The same values in files are there for other choices, and stay.

    Args:
        config: composed of the overrides.
        overrides: as typed.

    Raises:
        Problems: all of them.
    """
    problems = [
        *_of_other_slots(config, overrides),
        *_sizes_beside_a_budget(config, overrides),
        *_sizes_of_other_batches(config, overrides),
    ]
    if problems:
        raise Problems(problems)


def _of_other_slots(config: RunConfig, overrides: Sequence[str]) -> Iterator[UserError]:
    position = config.position
    for slot in Slot:
        words = [word for word in overrides if word.startswith(f"method.{slot}.")]
        if slot in position.slots or not position.slots or not words:
            continue
        why = f"position={position.name} puts nothing at {slot}, so nothing would read it"
        keys = " ".join(word.split("=")[0] for word in words)
        instead = f"leave {keys} out, or position={slot}, or position=both for a method that has both"
        yield DesignError(f"position={position.name} {' '.join(words)}", why, instead)


def _sizes_beside_a_budget(config: RunConfig, overrides: Sequence[str]) -> Iterator[UserError]:
    budget, flexible = config.budget, flexible_slots(config.request(), config.position.slots)
    is_shared = budget.name == "percent" or (budget.name == "bottleneck" and budget.bottleneck is not None)
    decided = {f"method.{slot}.bottleneck" for slot in flexible} | {"method.length"} if is_shared else set[str]()
    if budget.name == "bottleneck":
        own = ((Slot.ATTN, budget.attn), (Slot.FFN, budget.ffn))
        decided |= {f"method.{slot}.bottleneck" for slot, size in own if size is not None}
    words = [word for word in overrides if word.split("=")[0] in decided]
    if words:
        why = f"budget={budget.name} decides that size, and nothing would read the method's own"
        instead = f"leave {' '.join(word.split('=')[0] for word in words)} out, or budget=paper {' '.join(words)}"
        yield ConfigError(f"budget={budget.name} {' '.join(words)}", why, instead)


def _sizes_of_other_batches(config: RunConfig, overrides: Sequence[str]) -> Iterator[UserError]:
    words = [word for word in overrides if word.startswith("training.batch_size=")]
    if words and config.training.max_tokens is not None:
        asked = f"{words[-1]} with training.max_tokens={config.training.max_tokens}"
        why = "a batch is of so many tokens or of so many examples, and max_tokens goes first"
        yield ConfigError(asked, why, f"training.max_tokens=null {words[-1]}, or training.max_tokens=N alone")
