"""The pretraining recipe of a backbone."""

from dataclasses import dataclass, replace

from unidelta.mini.pretraining.texts import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One backbone's pretraining.

    Args:
        text: draws its documents.
        steps: updates.
        batch_size: documents per update.
        learning_rate: the peak, after a linear warm-up; it then falls linearly to 0.
        warmup_steps: of the learning rate.
        then: a second part, which starts from the saved (fp16) weights of this one, with a new optimiser.
    """

    text: Draw
    steps: int
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    then: "Recipe | None" = None

    def parts(self) -> tuple["Recipe", ...]:
        """This part and the following ones."""
        return (self, *(self.then.parts() if self.then else ()))

    def shortened(self, steps: int) -> "Recipe":
        """The same recipe with about this many updates, in the same proportions; at most half of a part is warm-up."""
        share = steps / sum(part.steps for part in self.parts())
        recipe: Recipe | None = None
        for part in reversed(self.parts()):
            n = max(1, round(part.steps * share))
            recipe = replace(part, steps=n, warmup_steps=min(part.warmup_steps, n // 2), then=recipe)
        assert recipe is not None
        return recipe
