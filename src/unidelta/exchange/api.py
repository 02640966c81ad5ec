"""`unidelta.export`, `unidelta.import_` and `unidelta.push_to_hub`; nothing here imports torch until it is called."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.exchange.approximate import Fit
    from unidelta.injection.injection import Injection


def export(model: "PreTrainedModel", folder: str | Path, *, to: str, rank: int | None = None) -> "Fit | None":
    """Write a model's deltas for another library; the model does not change.

    Args:
        model: a model with deltas, after `inject`, `load` or `import_`.
        folder: new or empty; all of it is written, or nothing.
        to: `"peft"`, `"adapters"`, or `"merged"`: a stock model with the deltas in its weights, where that is exact.
        rank: write a LoRA of this rank fitted to the deltas, a change of weights; None writes the deltas themselves.

    Returns:
        How good the fit is; None without one.

    Raises:
        ExchangeError: the format cannot express the design (docs/exchange.md), or the folder has files.
    """
    import unidelta
    from unidelta.exchange.exporting import export as write
    from unidelta.exchange.exporting import export_fitted
    from unidelta.extensions.named_paths import python_path

    deltas, named = unidelta.deltas_of(model), python_path(folder, "unidelta.export(model, DIR, to=…)")
    if rank is not None:
        return export_fitted(deltas, named, rank, to=to)[1]
    write(deltas, named, to=to)
    return None


def push_to_hub(folder: str | Path, repository: str, *, private: bool = True) -> str:
    """Upload saved deltas, or an export, to the Hugging Face hub; returns the address.

    Args:
        folder: of `deltas.save` or `export`.
        repository: `owner/name`; it is made if needed.
        private: whether to create it as a private one.

    Raises:
        ExchangeError: the hub is not reachable or refuses, or the folder has no model card.
    """
    from unidelta.exchange.push import push_to_hub as push
    from unidelta.extensions.named_paths import python_path

    return push(python_path(folder, "unidelta.push_to_hub(DIR, REPOSITORY)"), repository, private=private)


def import_(
    folder: str | Path,
    model: "PreTrainedModel",
    *,
    source: str,
    allow_bin: bool = False,
    options: Mapping[str, Any] | None = None,
) -> "Injection":
    """Put the deltas of another library's folder into a model, in place; they can be trained on, or saved.

    Args:
        folder: as the other library saved it.
        model: the stock model that they were trained in.
        source: `"peft"`, `"adapters"`, or `"authors"`: a checkpoint of the paper's released code.
        allow_bin: whether weights may be read from a pickle where there are no safetensors: tensors and nothing else.
        options: with authors, the options that it was trained with, by their names: `{"attn_mode": "prefix", …}`.

    Returns:
        Their handle.

    Raises:
        ExchangeError: the folder cannot be read, has no counterpart here, or is of another backbone; the model is
            unchanged.
    """
    from unidelta.exchange.importing import import_from
    from unidelta.extensions.named_paths import python_path

    named = python_path(folder, "unidelta.import_(DIR, model, source=…)")
    return import_from(named, model, source=source, allow_bin=allow_bin, options=options)[0]
