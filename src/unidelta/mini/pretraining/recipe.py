"""How each embedded backbone is trained."""

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
        then: a second part, which begins with the weights of this one as they would be saved, and a new optimiser.
    """

    text: Draw
    steps: int
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    then: "Recipe | None" = None

    def parts(self) -> tuple["Recipe", ...]:
        """This part and those after it."""
        return (self, *(self.then.parts() if self.then else ()))

    def shortened(self, steps: int) -> "Recipe":
        """The same in about so many updates, shared out as before; at most half of a part is warm-up."""
        share = steps / sum(part.steps for part in self.parts())
        recipe: Recipe | None = None
        for part in reversed(self.parts()):
            n = max(1, round(part.steps * share))
            recipe = replace(part, steps=n, warmup_steps=min(part.warmup_steps, n // 2), then=recipe)
        assert recipe is not None
        return recipe
