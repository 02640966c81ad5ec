"""The libraries that deltas are exchanged with."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from transformers import PreTrainedModel

from unidelta.exchange.adapters import folder as adapters
from unidelta.exchange.peft import folder as peft
from unidelta.exchange.reading import Found
from unidelta.injection.injection import Injection


class Write(Protocol):
    """Gives the files of a folder; raises `ExchangeError` where the format cannot express a design."""

    def __call__(self, injection: Injection, *, new: Collection[str], asked: str) -> Mapping[str, str | bytes]: ...


class Read(Protocol):
    """Understands a folder; raises `ExchangeError` where it cannot."""

    def __call__(self, folder: Path, model: PreTrainedModel, *, allow_bin: bool, asked: str) -> Found: ...


WRITERS: Mapping[str, Write] = {"peft": peft.write, "adapters": adapters.write}
READERS: Mapping[str, Read] = {"peft": peft.read, "adapters": adapters.read}
