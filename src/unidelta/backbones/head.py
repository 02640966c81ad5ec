"""A classification head that a checkpoint brings along: whether it is of the task's labels, and in which order."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from unidelta.errors import BackboneError

# What transformers writes where nobody named a label.
_NUMBERED = re.compile(r"(label[ _-]?)?(?P<number>\d+)", re.IGNORECASE)


def labels_in(config: Mapping[str, Any]) -> list[str]:
    """The labels of a config.json by row, as its `id2label` names them or, where that says nothing, its `label2id`.

    transformers takes a missing `id2label` for LABEL_0, LABEL_1 …, whatever `label2id` says.

    Args:
        config: the content of the file; empty where it names no labels.
    """
    try:
        by_row = [str(name) for _, name in sorted((int(row), name) for row, name in (config["id2label"] or {}).items())]
    except (KeyError, ValueError, TypeError, AttributeError):
        by_row = []
    try:
        rows = {int(row): str(name) for name, row in config["label2id"].items()}
    except (KeyError, ValueError, TypeError, AttributeError):
        return by_row
    is_by_row = sorted(rows) == list(range(len(config["label2id"])))
    return [rows[row] for row in sorted(rows)] if is_by_row and _says_nothing(by_row) else by_row


def tells_texts_apart(config: Mapping[str, Any]) -> bool:
    """Whether a checkpoint's head is of whole texts, as far as its config.json says what it is.

    A head of tokens or of multiple choice can have the same names and shapes.
    """
    classes = config.get("architectures") or ()
    return not classes or any("ForSequenceClassification" in str(name) for name in classes)


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
    if len(theirs) == len(ours) and list(ours) == [str(i) for i in rows]:
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
    """Whether labels are only numbered, row by row: `1` of row 0 beside `0` of row 1 are somebody's names."""
    numbers = [int(found["number"]) for name in names if (found := _NUMBERED.fullmatch(name.strip()))]
    return len(numbers) == len(names) and numbers == sorted(numbers)
