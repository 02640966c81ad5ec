"""Training and evaluation of any model whose parameters are already marked as trained or frozen.

The settings import in milliseconds, for planning; `check`, `train` and `evaluate` need torch and must be imported
from their own modules.
"""

from unidelta.training.spec import TrainingSpec

__all__ = ["TrainingSpec"]
