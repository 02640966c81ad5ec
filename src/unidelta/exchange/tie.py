"""Our name for each tensor of another library's file: one table for both directions, so that nothing is lost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.errors import ExchangeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One tensor of a file, and the tensors that it is made of here.

    Args:
        theirs: its name in the file.
        ours: names of the model's parameters; none for a tensor that their format has and ours lacks.
        join: theirs from ours.
        split: ours from theirs, the inverse.
        otherwise: what to say where the file's tensor is not `join` of ours.
    """

    theirs: str
    ours: tuple[str, ...]
    join: Callable[[Sequence[Tensor]], Tensor] = lambda ours: ours[0]
    split: Callable[[Tensor], Sequence[Tensor]] = lambda theirs: (theirs,)
    otherwise: str = "is not what this format has there"


def fixed(theirs: str, own: Tensor, **words: str) -> Tie:
    """A tensor that their format has and that is no parameter here: the file's has to be this one.

    Args:
        theirs: its name in the file.
        own: its value.
        **words: `otherwise`, as in `Tie`.
    """
    return Tie(theirs=theirs, ours=(), join=lambda _: own, split=lambda _: (), **words)


def named_alike(names: Iterable[str], prefix: str = "") -> list[Tie]:
    """Parameters of the backbone that both have under one name, behind a prefix in the file."""
    return [Tie(theirs=f"{prefix}{name}", ours=(name,)) for name in names]


def written(ties: Sequence[Tie], state: Mapping[str, Tensor], *, asked: str) -> dict[str, Tensor]:
    """The tensors of a file.

    Args:
        ties: all of the format.
        state: everything that has to be kept, by our names.
        asked: in words, for the error.

    Raises:
        ExchangeError: the format has no place for a tensor.
    """
    lost = sorted(set(state) - {name for tie in ties for name in tie.ours})
    if lost:
        why = f"the format has no place for {', '.join(lost[:3])}{' …' if lost[3:] else ''}"
        raise ExchangeError(asked, why, "deltas.save(DIR), which keeps everything")
    return {tie.theirs: tie.join([state[name] for name in tie.ours]).detach().cpu().contiguous() for tie in ties}


@torch.no_grad()
def fill(model: PreTrainedModel, ties: Sequence[Tie], tensors: Mapping[str, Tensor], *, asked: str) -> None:
    """Give a model's parameters the values in a file.

    Args:
        model: with deltas.
        ties: one for each tensor of the file.
        tensors: the file's.
        asked: in words, for the error.

    Raises:
        ExchangeError: a tensor is missing, not known, of another shape or precision, not finite, or contradicts another
            one. What the model's parameters are by then is undefined.
    """
    parameters = dict(model.named_parameters())
    wrong = _wrong_names(ties, tensors) or [
        words for tie in ties if (words := _wrong(tie, tensors[tie.theirs], parameters)) is not None
    ]
    if not wrong:
        for tie in ties:
            for name, tensor in zip(tie.ours, tie.split(tensors[tie.theirs]), strict=True):
                parameters[name].copy_(tensor)
        wrong = [
            f"{tie.theirs} {tie.otherwise}"
            for tie in ties
            if not tie.join([parameters[name] for name in tie.ours]).cpu().equal(tensors[tie.theirs].to(model.dtype))
        ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if wrong[5:] else ""
        instead = "the folder as it was saved, with its own backbone"
        if any(_WIDER in words for words in wrong):
            instead = "the backbone loaded in float32; model.to(torch.bfloat16) once the deltas are in it"
        raise ExchangeError(asked, "; ".join(wrong[:5]) + more, instead)


_WIDER = "which cannot hold it"


def _wrong_names(ties: Sequence[Tie], tensors: Mapping[str, Tensor]) -> list[str]:
    known = {tie.theirs for tie in ties}
    missing = [f"{name} is missing" for name in sorted(known - set(tensors))]
    return missing + [f"{name} has no place in this backbone" for name in sorted(set(tensors) - known)]


def _wrong(tie: Tie, tensor: Tensor, parameters: Mapping[str, nn.Parameter]) -> str | None:
    shaped = tie.join([parameters[name] for name in tie.ours])
    if tensor.shape != shaped.shape:
        return f"{tie.theirs} is {_shape(tensor)}, this backbone needs {_shape(shaped)}"
    if not tensor.is_floating_point() or torch.promote_types(tensor.dtype, shaped.dtype) != shaped.dtype:
        return f"{tie.theirs} is in {_name(tensor)}, the backbone in {_name(shaped)}, {_WIDER}"
    return None if tensor.isfinite().all() else f"{tie.theirs} has values that are not finite"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
