"""Deltas from a folder of another library."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from unidelta.errors import ExchangeError
from unidelta.exchange import authors
from unidelta.exchange.formats import READERS
from unidelta.exchange.reading import Found
from unidelta.exchange.tie import fill
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection
from unidelta.injection.own_values import put_values, values_of
from unidelta.injection.saved import fingerprint

AUTHORS = "authors"
SOURCES = (*READERS, AUTHORS)


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
        return put(found, model, asked=asked)
    if options:
        why = f"folders of {source} say what they are; {', '.join(options)} would not be read"
        raise ExchangeError(asked, why, f"leave {', '.join(options)} out, or --from {AUTHORS}")
    return put(READERS[source](folder, model, allow_bin=allow_bin, asked=asked), model, asked=asked)


def put(found: Found, model: PreTrainedModel, *, asked: str) -> tuple[Injection, list[str]]:
    """Put what was found into a stock model; arguments, result and errors as of `import_from`."""
    if found.backbone is not None and fingerprint(model, without=set(found.beside)) != found.backbone:
        why = "the backbone has other weights than the one that these deltas are for, or another precision"
        raise ExchangeError(asked, why, "the backbone that they were exported with")
    before = values_of(model, found.beside)
    injection = inject(model, found.design, generator=torch.Generator())
    injection.keep(found.beside)
    try:
        fill(model, found.ties(injection), found.tensors, asked=asked)
    except ExchangeError:
        injection.remove()
        put_values(model, before)
        raise
    return injection, list(found.beside)
