"""What the modules of transformers call their cache: `cache` from 5.24 on, `past_key_values` before.

A constant of the installed version, so that hosts and stock modules always mean the same argument.
"""

from dataclasses import fields
from typing import Final

from transformers.modeling_outputs import BaseModelOutputWithPast

_NAMES = {field.name for field in fields(BaseModelOutputWithPast)}
CACHE: Final = "cache" if "cache" in _NAMES else "past_key_values"
