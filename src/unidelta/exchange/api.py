"""`unidelta.export`, `unidelta.import_` and `unidelta.push_to_hub`; nothing here imports torch until it is called."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unidelta.errors import ExchangeError, first_line
from unidelta.extensions.named_paths import python_path

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
    from unidelta.exchange.exporting import export_fitted, export_to
    from unidelta.records.atomic import another_folder

    call = "unidelta.export(model, DIR, to=…)"
    deltas, named = unidelta.deltas_of(model), python_path(folder, call)
    with another_folder(call):
        if rank is not None:
            return export_fitted(deltas, named, rank, to=to)[1]
        export_to(deltas, named, to=to)
    return None


def push_to_hub(folder: str | Path, repository: str, *, private: bool = True) -> str:
    """Upload saved deltas, or an export, to the Hugging Face hub; returns the address.

    The token is huggingface_hub's own (`hf auth login`, or HF_TOKEN).

    Args:
        folder: of `deltas.save` or `export`.
        repository: `owner/name`; created if needed.
        private: whether to create it as a private one.

    Raises:
        ExchangeError: the hub is not reachable or refuses, or the folder has no model card.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    from unidelta.injection.card import CARD
    from unidelta.network.hub import why_unreachable

    path = python_path(folder, "unidelta.push_to_hub(DIR, REPOSITORY)")
    asked = f"push {path} to {repository}"
    if not (path / CARD).is_file():
        raise ExchangeError(asked, f"there is no {CARD} in it", "a folder of deltas.save or unidelta.export")
    if why := why_unreachable():
        raise ExchangeError(asked, why, "the same with network, without HF_HUB_OFFLINE")
    try:
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=path, commit_message="Upload with unidelta"))
    except (HfHubHTTPError, OSError, ValueError) as error:
        instead = "`hf auth login`, and a repository of your own: OWNER/NAME"
        raise ExchangeError(asked, first_line(error), instead) from None


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

    named = python_path(folder, "unidelta.import_(DIR, model, source=…)")
    return import_from(named, model, source=source, allow_bin=allow_bin, options=options)[0]
