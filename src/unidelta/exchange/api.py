"""`unidelta.export` and `unidelta.import_`; nothing here imports torch until it is called."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.injection.injection import Injection


def export(model: "PreTrainedModel", folder: str | Path, *, to: str) -> None:
    """Write a model's deltas for another library; the model does not change.

    Args:
        model: with deltas, after `inject`, `load` or `import_`.
        folder: new or empty; all of it is written, or nothing.
        to: `"peft"`, `"adapters"`, or `"merged"`: a stock model with the deltas in its weights, where that is exact.

    Raises:
        ExchangeError: the format cannot say the design (docs/exchange.md), or the folder has files.
    """
    import unidelta
    from unidelta.exchange.exporting import export as write
    from unidelta.extensions.named_paths import as_path

    write(unidelta.deltas_of(model), as_path(folder, asked=f"unidelta.export(…, {str(folder)!r})"), to=to)


def import_(folder: str | Path, model: "PreTrainedModel", *, source: str, allow_bin: bool = False) -> "Injection":
    """Put the deltas of another library's folder into a model, in place; they can be trained on, or saved.

    Args:
        folder: as the other library saved it.
        model: the stock model that they were trained in.
        source: `"peft"` or `"adapters"`.
        allow_bin: whether weights may be read from a pickle where there are no safetensors: tensors and nothing else.

    Returns:
        Their handle.

    Raises:
        ExchangeError: the folder cannot be read, has no counterpart here, or is of another backbone; the model is
            unchanged.
    """
    from unidelta.exchange.importing import import_from
    from unidelta.extensions.named_paths import as_path

    named = as_path(folder, asked=f"unidelta.import_({str(folder)!r}, …)")
    return import_from(named, model, source=source, allow_bin=allow_bin)[0]
