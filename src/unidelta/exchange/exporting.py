"""Deltas as a folder of another library, or merged into a stock model folder."""

from collections.abc import Collection
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from unidelta.design.describe import describe
from unidelta.errors import ExchangeError
from unidelta.exchange.adapters import folder as adapters
from unidelta.exchange.approximate import Fit, approximated
from unidelta.exchange.folder import check_free, write_folder
from unidelta.exchange.merged import write_merged
from unidelta.exchange.peft import folder as peft
from unidelta.exchange.places import placed_deltas
from unidelta.injection.card import CARD, Reader, card
from unidelta.injection.injection import Injection
from unidelta.injection.saved import unfrozen

MERGED = "merged"
_LIBRARIES = {"peft": peft.write, "adapters": adapters.write}
FORMATS = (*_LIBRARIES, MERGED)
_READ_BY = {
    "peft": Reader(
        library="peft",
        code="""\
from peft import PeftModel

model = PeftModel.from_pretrained(backbone, "this folder")  # a stock model of transformers""",
    ),
    "adapters": Reader(
        library="adapters",
        code="""\
import adapters

adapters.init(model)  # a stock model of transformers
model.load_adapter("this folder", use_safetensors=True, set_active=True)""",
    ),
    MERGED: Reader(
        library="transformers",
        code="""\
from transformers import AutoModel  # or the class of the task

model = AutoModel.from_pretrained("this folder")""",
    ),
}


def export_to(
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
        new: names of the backbone's parameters that its checkpoint lacks; a classification head is always written, and
            so is what was made trainable after `inject`.
        tokenizer: written beside a merged model.

    Raises:
        ExchangeError: the format cannot express the design, or the folder has files.
        RecordError: the disk does not take it.
    """
    asked = f"export {describe(injection.design)} to {to}"
    if to not in FORMATS:
        raise ExchangeError(asked, f"there is no format `{to}`", f"one of {', '.join(FORMATS)}")
    check_free(folder, asked=asked)
    about = card(injection, None, _READ_BY[to])
    if to == MERGED:
        write_merged(injection, folder, tokenizer, about, asked=asked)
    else:
        _check_apart(injection, asked)
        also = [*new, *unfrozen(injection)]
        write_folder(folder, {**_LIBRARIES[to](injection, new=also, asked=asked), CARD: about})


def export_fitted(
    injection: Injection, folder: Path, rank: int, *, to: str, new: Collection[str] = ()
) -> tuple[Injection, Fit]:
    """Write low-rank updates fitted to the deltas; arguments and errors as of `export_to` and `approximated`."""
    asked = f"export {describe(injection.design)} to {to} as LoRA of rank {rank}"
    if type(rank) is not int or rank < 1:
        raise ExchangeError(asked, f"the rank is {rank!r}", "a whole number, 1 or more")
    _check_apart(injection, asked)
    fitted, fit = approximated(injection, rank, asked=asked)
    export_to(fitted, folder, to=to, new=new)
    return fitted, fit


def _check_apart(injection: Injection, asked: str) -> None:
    """Refuse deltas that `merge` has put into the weights: there is nothing left of them to write."""
    if set(injection.parts) - {each.part for each in placed_deltas(injection)}:
        raise ExchangeError(asked, "the deltas are merged into the weights now", "deltas.unmerge() first")
