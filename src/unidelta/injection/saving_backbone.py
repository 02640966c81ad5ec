"""`model.save_pretrained(DIR)` of a model with deltas: writes stock weights, or raises an error that says what to do.

transformers loads a folder by the stock names and ignores everything else, so deltas saved with the weights would be
silently lost. A call therefore merges them if that is exact, and is refused if it is not. transformers' Trainer resumes
from what it saves, with the deltas in the model; it alone passes the keyword `state_dict`, which is None in a single
process, and such a call writes everything, deltas included.
"""

from functools import partial
from typing import Any

from transformers import PreTrainedModel

from unidelta.errors import DesignError
from unidelta.hosts.site import Host
from unidelta.hosts.stack import StackHost
from unidelta.injection.merge import is_mergeable, merge_into_weights


def guard_saving(model: PreTrainedModel) -> None:
    """Make a model with deltas save itself as above."""
    model.save_pretrained = partial(_save_pretrained, model)  # not a method, so that a copy of the model gets its own


def _save_pretrained(model: PreTrainedModel, save_directory: str, *args: Any, **kwargs: Any) -> None:
    """Like the stock method."""
    hosts = [module for module in model.modules() if isinstance(module, Host) and not isinstance(module, StackHost)]
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
