"""How each embedded backbone is trained."""

from dataclasses import dataclass

from unidelta.mini.pretraining.texts import Draw, both_languages, news, news_in_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One backbone's pretraining.

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


RECIPES = {
    "bart": Recipe(text=news, steps=2000),
    "mbart": Recipe(text=both_languages, steps=2500),
    "roberta": Recipe(text=news_in_segments, steps=6000, learning_rate=1e-3),
}
