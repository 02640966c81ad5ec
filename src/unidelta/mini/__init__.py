"""The embedded miniature: a world, four tasks and three pretrained backbones, small enough to ship.

Nothing here needs a network. What is named here imports in milliseconds; `tokenizer` and `pretraining` bring
transformers and torch with them and are imported by their own names.
"""

from unidelta.mini.corpus import SPLITS, rows
from unidelta.mini.settings import settings
from unidelta.mini.world import SHIPPED_SEED

__all__ = ["SHIPPED_SEED", "SPLITS", "rows", "settings"]
