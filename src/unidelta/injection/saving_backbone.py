"""What `model.save_pretrained(DIR)` writes while a model has deltas: stock weights, or an error that says what to do.

transformers reads a folder by the stock names and leaves out what it does not know: deltas beside the weights would be
lost without a word. So a bare call merges them where that is exact, and is refused where it is not. Whoever hands over
a state dict, as transformers' Trainer does for its checkpoints, gets what was handed over, deltas included.
"""

from functools import partial
from typing import Any

from transformers import PreTrainedModel

from unidelta.errors import DesignError
from unidelta.hosts.site import Host
from unidelta.injection.merge import is_mergeable, merge_into_weights


def guard_saving(model: PreTrainedModel) -> None:
    """Have a model with deltas save itself as above."""
    model.save_pretrained = partial(_save_pretrained, model)  # and no method: a copy of the model gets one of its own


def _save_pretrained(model: PreTrainedModel, save_directory: str, *args: Any, **kwargs: Any) -> None:
    """As the stock method."""
    hosts = [module for module in model.modules() if isinstance(module, Host)]
    if hosts and "state_dict" not in kwargs and not all(map(is_mergeable, hosts)):
        raise DesignError(
            f"model.save_pretrained({str(save_directory)!r}) of a model with deltas",
            "they cannot be merged into its weights, and transformers would not read them back",
            "deltas.save(DIR) for the deltas; `with deltas.disabled(): model.save_pretrained(DIR)` for the backbone",
        )
    merged = [] if "state_dict" in kwargs else merge_into_weights(model)
    try:
        type(model).save_pretrained(model, save_directory, *args, **kwargs)
    finally:
        for each in reversed(merged):
            each.undo()
