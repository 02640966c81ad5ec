"""The keyword by which the modules of transformers take their cache: `cache` from 5.24 on, `past_key_values` before.

A constant of the installed version, so that hosts and stock modules always mean the same argument.
"""

import inspect
from typing import Final

from transformers.models.bart.modeling_bart import BartAttention

CACHE: Final = "cache" if "cache" in inspect.signature(BartAttention.forward).parameters else "past_key_values"
