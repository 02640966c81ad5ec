"""LoRA's alpha, which other libraries divide by r."""

import math


def alpha_of(scale: float, rank: int) -> int | float | None:
    """The alpha for which alpha / r is s to the last bit, a whole number if there is one; None if there is none.

    Args:
        scale: s.
        rank: r.
    """
    near = scale * rank
    tried = (round(near), near, math.nextafter(near, math.inf), math.nextafter(near, 0.0))
    return next((alpha for alpha in tried if alpha > 0 and alpha / rank == scale), None)
