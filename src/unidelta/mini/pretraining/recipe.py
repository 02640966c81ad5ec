"""The pretraining recipe of a backbone: one stage after the other."""

from dataclasses import dataclass, replace

from unidelta.mini.pretraining.texts import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of pretraining; a later one starts from the saved (fp16) weights of the first, with a new optimiser.

    Args:
        text: draws its documents.
        steps: updates.
        batch_size: documents per update.
        learning_rate: the peak, after a linear warm-up; it then falls linearly to 0.
        warmup_steps: of the learning rate.
    """

    text: Draw
    steps: int
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup_steps: int = 200


Recipe = tuple[Stage, ...]
"""One backbone's pretraining."""


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """The same recipe with about this many updates, in the same proportions; at most half of a stage is warm-up."""
    share = steps / sum(stage.steps for stage in recipe)
    lengths = [max(1, round(stage.steps * share)) for stage in recipe]
    return tuple(
        replace(stage, steps=n, warmup_steps=min(stage.warmup_steps, n // 2))
        for stage, n in zip(recipe, lengths, strict=True)
    )
