"""The embedded miniature: backbones and corpora small enough to ship; nothing here needs a network.

What is here today is a placeholder: the weights are random and the sentences come from a handful of
templates, so any score computed on it means nothing. It exercises the code; it does not stand for a
pretrained model. What is named here imports in milliseconds; `placeholder` brings torch with it.
"""

from unidelta.mini.corpus import rows, vocabulary
from unidelta.mini.settings import settings

__all__ = ["rows", "settings", "vocabulary"]
