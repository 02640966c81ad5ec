"""A stock model folder with the deltas in its weights, where that is exact: LoRA, DoRA, OFT, IA³, BitFit …"""

from pathlib import Path

from transformers import PreTrainedTokenizerBase

from unidelta.design.describe import describe
from unidelta.design.spec import BitFit, Deltas, FullFineTuning
from unidelta.errors import ExchangeError
from unidelta.exchange.places import placed_deltas
from unidelta.injection.card import CARD
from unidelta.injection.injection import Injection
from unidelta.injection.merge import is_mergeable
from unidelta.records.atomic import system_errors_named, whole_folder


def write_merged(
    injection: Injection, folder: Path, tokenizer: PreTrainedTokenizerBase | None, about: str, *, asked: str
) -> None:
    """Write config.json, safetensors, the tokenizer and a card, all or nothing; the model does not change.

    Args:
        injection: the deltas.
        folder: new or empty.
        tokenizer: written beside the model; None for none.
        about: the model card.
        asked: in words, for the error.

    Raises:
        ExchangeError: the deltas are not a change of weights.
        RecordError: the disk does not take it.
    """
    if why := not_weights(injection):
        raise ExchangeError(asked, why, "--to peft or --to adapters, which keep deltas beside the backbone")
    with system_errors_named(folder), whole_folder(folder) as partial:
        injection.model.save_pretrained(partial)
        if tokenizer is not None:
            tokenizer.save_pretrained(partial)
        (partial / CARD).write_text(about, encoding="utf-8")


def not_weights(injection: Injection) -> str | None:
    """Why deltas are not a change of weights; None if they are."""
    design = injection.design
    if isinstance(design, BitFit | FullFineTuning):
        return None
    model = injection.model
    others = {each.part for each in placed_deltas(injection) if not is_mergeable(model.get_submodule(each.host))}
    if isinstance(design, Deltas) and not others:
        return None
    stays = Deltas(parts=tuple(part for part in injection.parts if part in others)) if others else design
    why = "its output is not linear in the input, as a weight's is"
    return f"{describe(stays)} is not a change of weights: {why}"
