"""Deltas from a folder of another library."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from unidelta.design.spec import Deltas, Design, PromptTuning
from unidelta.errors import ExchangeError
from unidelta.exchange import authors
from unidelta.exchange.adapters import folder as adapters
from unidelta.exchange.peft import folder as peft
from unidelta.exchange.tie import fill
from unidelta.injection.beside import head_name
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection
from unidelta.injection.own_values import put_values, values_of
from unidelta.injection.saved import fingerprint

_LIBRARIES = {"peft": peft.read, "adapters": adapters.read}
AUTHORS = "authors"
SOURCES = (*_LIBRARIES, AUTHORS)


def import_from(
    folder: Path,
    model: PreTrainedModel,
    *,
    source: str,
    allow_bin: bool = False,
    options: Mapping[str, Any] | None = None,
) -> tuple[Injection, list[str]]:
    """Put the deltas of another library's folder into a stock model.

    Args:
        folder: as the other library saved it.
        model: the backbone that they were trained in.
        source: peft, adapters or authors.
        allow_bin: whether weights may be read from a pickle, tensors only.
        options: the authors' options that a checkpoint of theirs was trained with; of the other sources none.

    Returns:
        Their handle, and the names of the backbone's own parameters that the folder has: a head's, or new ones.

    Raises:
        ExchangeError: the folder cannot be read, has no counterpart here, or is of another backbone.
        DamagedDeltas: it has changed since this project wrote it. In either case the model is unchanged.
    """
    asked = f"import {folder} from {source}"
    if source not in SOURCES:
        raise ExchangeError(asked, f"there is no format `{source}`", f"one of {', '.join(SOURCES)}")
    if source == AUTHORS:
        found = authors.read(folder, model, options=options or {}, allow_bin=allow_bin, asked=asked)
        design = found.design
    elif options:
        why = f"folders of {source} say what they are; {', '.join(options)} would not be read"
        raise ExchangeError(asked, why, f"leave {', '.join(options)} out, or --from {AUTHORS}")
    else:
        found = _LIBRARIES[source](folder, model, allow_bin=allow_bin, asked=asked)
        design = _with_head(found.design, found.beside, model)
    if found.backbone is not None and fingerprint(model, without=set(found.beside)) != found.backbone:
        why = "the backbone has other weights than the one that these deltas are for, or another precision"
        raise ExchangeError(asked, why, "the backbone that they were exported with")
    injection = inject(model, design, generator=torch.Generator())
    injection.keep(found.beside)
    before = values_of(model, [*injection.trained, *found.beside])
    try:
        fill(model, found.ties(injection), found.tensors, asked=asked)
    except ExchangeError:
        injection.remove()
        put_values(model, before)
        raise
    return injection, list(found.beside)


def _with_head(design: Design, names: Collection[str], model: PreTrainedModel) -> Design:
    """The design with a trained head, if the head is among the names: libraries save it where it was trained."""
    head = head_name(model)
    has_head = head is not None and any(name.startswith(f"{head}.") for name in names)
    return replace(design, trains_head=True) if has_head and isinstance(design, Deltas | PromptTuning) else design
