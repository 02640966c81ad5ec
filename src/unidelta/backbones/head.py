"""A classification head that a checkpoint brings along: whether it is of the task's labels, and in which order."""

import re
from collections.abc import Sequence

import torch
from torch import nn

from unidelta.errors import BackboneError

_NUMBERED = re.compile(r"(label[ _-]?)?\d+", re.IGNORECASE)  # what transformers writes where nobody named a label


def order_of(theirs: Sequence[str], ours: Sequence[str], *, asked: str) -> tuple[list[int], str]:
    """For each label of a task, the row of an inherited head that stands for it.

    Args:
        theirs: the labels of the checkpoint (`id2label`), by row.
        ours: the task's, in their order; equally many.
        asked: the words in which the checkpoint was asked for.

    Returns:
        The rows, and how it was decided, in words.

    Raises:
        BackboneError: they are other labels.
    """
    rows = list(range(len(ours)))
    written, wanted = [_plain(name) for name in theirs], [_plain(name) for name in ours]
    if written == wanted:
        return rows, f"its labels are the task's: {', '.join(ours)}"
    if sorted(written) == sorted(wanted) and len(set(wanted)) == len(wanted):
        return [written.index(name) for name in wanted], (
            f"its rows were put in the task's order: {', '.join(theirs)} became {', '.join(ours)}"
        )
    if _says_nothing(theirs):
        return rows, f"it does not name its labels, which are taken for {', '.join(ours)}, in this order"
    if list(ours) == [str(i) for i in rows]:
        pairs = ", ".join(f"{number} is {name}" for number, name in zip(ours, theirs, strict=True))
        return rows, f"the data's labels are numbers, taken for rows: {pairs}"
    raise BackboneError(
        f"{asked} for the labels {', '.join(ours)}",
        f"its classification head tells {', '.join(theirs)} apart (id2label in its config.json)",
        "backbone.head=new for a head drawn from the seed, or id2label in config.json in the task's words, row by row",
    )


@torch.no_grad()
def reorder(head: nn.Module, rows: Sequence[int]) -> None:
    """Put the outputs of a head in another order: output i becomes what output `rows[i]` was."""
    last = [module for module in head.modules() if isinstance(module, nn.Linear)][-1]
    index = torch.tensor(rows, device=last.weight.device)
    for tensor in (last.weight, last.bias):
        if tensor is not None:
            tensor.copy_(tensor[index])


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _says_nothing(names: Sequence[str]) -> bool:
    return all(_NUMBERED.fullmatch(name.strip()) for name in names)
