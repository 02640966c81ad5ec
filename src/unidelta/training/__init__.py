"""Training and evaluation of any model whose parameters are already marked as trained or frozen.

The settings import in milliseconds, for planning; `check`, `train` and `evaluate` bring torch with them and
are imported by their own names.
"""

from unidelta.training.spec import TrainingSpec

__all__ = ["TrainingSpec"]
