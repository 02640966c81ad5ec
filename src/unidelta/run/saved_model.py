"""A model that was tuned as a whole, kept beside its record as any checkpoint: `from_pretrained` reads the folder."""

import shutil
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.errors import RecordError


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write config.json, safetensors and the tokenizer, all or nothing: they are written elsewhere and then moved.

    Args:
        model: the trained model.
        tokenizer: its tokenizer.
        folder: is made; an earlier one is replaced.

    Raises:
        RecordError: the disk does not take it.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except Exception as error:  # a full disk is an error of its own in safetensors
        shutil.rmtree(partial, ignore_errors=True)
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecordError(f"save_model=true to {folder}", why, "a results_dir with more room") from error
