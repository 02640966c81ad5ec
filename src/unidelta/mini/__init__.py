"""The miniature: an invented world, four tasks and four pretrained backbones, small enough to ship.

Nothing here needs a network. The names here import in milliseconds; `tokenizer` and `pretraining` need transformers
and torch and must be imported from their own modules.
"""

from unidelta.mini.corpus import SPLITS, rows
from unidelta.mini.settings import settings
from unidelta.mini.world import SHIPPED_SEED

__all__ = ["SHIPPED_SEED", "SPLITS", "rows", "settings"]
