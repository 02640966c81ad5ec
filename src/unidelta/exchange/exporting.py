"""Deltas as a folder of another library, or merged into a stock model folder."""

from collections.abc import Collection
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from unidelta.design.describe import describe
from unidelta.errors import ExchangeError
from unidelta.exchange.folder import check_free, write_folder
from unidelta.exchange.formats import WRITERS
from unidelta.exchange.merged import write_merged
from unidelta.injection.card import CARD, card
from unidelta.injection.injection import Injection

MERGED = "merged"
FORMATS = (*WRITERS, MERGED)


def export(
    injection: Injection,
    folder: Path,
    *,
    to: str,
    new: Collection[str] = (),
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> None:
    """Write deltas for another library; nothing is written if it is refused. The model does not change.

    Args:
        injection: the deltas.
        folder: new or empty.
        to: peft, adapters or merged.
        new: names of the backbone's parameters that its checkpoint lacks; a classification head is always written.
        tokenizer: written beside a merged model.

    Raises:
        ExchangeError: the format cannot say the design, or the folder has files.
        RecordError: the disk does not take it.
    """
    asked = f"export {describe(injection.design)} to {to}"
    if to not in FORMATS:
        raise ExchangeError(asked, f"there is no format `{to}`", f"one of {', '.join(FORMATS)}")
    check_free(folder, asked=asked)
    if to == MERGED:
        write_merged(injection, folder, tokenizer, asked=asked)
        return
    files = WRITERS[to](injection, new=new, asked=asked)
    write_folder(folder, {**files, CARD: card(injection, None)})
