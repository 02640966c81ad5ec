"""The handle that `inject` returns for the deltas of a model."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.deltas.form_module import FormModule, TrainingOnly
from unidelta.design.count import Counts, count
from unidelta.design.describe import describe
from unidelta.design.spec import BitFit, DeltaSpec, Design, FullFineTuning, parts_of
from unidelta.errors import DesignError
from unidelta.extensions.named_paths import python_path
from unidelta.hosts.site import Detached, Host, detach, reattach
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.merge import Merged, merge_into_weights
from unidelta.injection.own_values import put_values, values_of
from unidelta.injection.switching_attention import base_of, has_own_attention, set_attention
from unidelta.records.atomic import another_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class AsLoaded:
    """The backbone as it was loaded: the dtype of its parameters, and a hash of them."""

    dtype: str
    fingerprint: str


class Injection:
    """The deltas of a model.

    Args:
        model: the model, changed in place.
        design: the injected design.
        requires_grad: which of the backbone's parameters were trainable before, by name.
    """

    def __init__(self, *, model: PreTrainedModel, design: Design, requires_grad: Mapping[str, bool]) -> None:
        self.model = model
        self.design = design
        self.trained = tuple(name for name, parameter in model.named_parameters() if parameter.requires_grad)
        """Names of the trainable parameters, in the model's order."""
        self._requires_grad = dict(requires_grad)
        self.before: dict[str, Tensor] = {}
        """The values of the model's own parameters that `disabled` and `remove` put back, by name: a head's."""
        self.keep(name for name in self.trained if name in requires_grad)
        self.as_loaded: AsLoaded | None = None
        """The backbone as it was loaded, if its weights are no longer stored like that."""
        self._merged: list[Merged] = []
        self._is_removed = self._is_disabled = False
        model.unidelta = self  # lets `deltas_of` find the deltas of a copy or of a loaded model

    def keep(self, names: Iterable[str]) -> None:
        """Note what parameters of the model are now, before they change; nothing of a design that changes the model."""
        if not isinstance(self.design, FullFineTuning | BitFit):
            self.before = {**values_of(self.model, names), **self.before}

    @property
    def parts(self) -> tuple[DeltaSpec, ...]:
        """The deltas of the design; none of a baseline."""
        return parts_of(self.design)

    @property
    def n_trained(self) -> int:
        """Number of elements of all trained parameters that are in the model: none of merged deltas."""
        return sum(parameter.numel() for _, parameter in self.trained_parameters())

    @property
    def n_stored(self) -> int:
        """Number of elements that are kept for inference, beside merged deltas."""
        return sum(tensor.numel() for tensor in self.stored_state().values())

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Names and trainable parameters, for an optimiser."""
        parameters = dict(self.model.named_parameters())
        return [(name, parameters[name]) for name in self.trained if name in parameters]  # `fold` removes some

    def stored_state(self) -> dict[str, Tensor]:
        """What is kept for inference: the trained parameters, prefixes in place of their MLPs, the deltas' buffers."""
        modules = dict(self.model.named_modules())
        training_only = tuple(f"{name}." for name, module in modules.items() if isinstance(module, TrainingOnly))
        state = {name: p.detach() for name, p in self.trained_parameters()}
        for name, module in modules.items():
            if isinstance(module, FormModule):
                state |= {f"{name}.{own}": tensor for own, tensor in module.stored().items()}
            if isinstance(module, Host):
                state |= _buffers(module.deltas, f"{name}.deltas.")
        return {name: tensor for name, tensor in state.items() if not name.startswith(training_only)}

    def counts(self) -> Counts:
        """The three parameter counts of the design."""
        return count(self.design, architecture_of_model(self.model))

    def summary(self) -> str:
        """The design in one line, and its parameter counts: trained, stored and as the paper counts."""
        n = self.counts()
        rows = (
            ("trained", n.trained, n.percent_trained, "what the optimiser sees"),
            ("stored", n.stored, n.percent_stored, "kept for inference, prefixes without their MLP"),
            ("matrices", n.matrices, n.percent_matrices, "as the paper counts"),
        )
        lines = (f"  {name:9}{number:>13,}{percent:>9.3f} %  {meaning}" for name, number, percent, meaning in rows)
        name = type(self.model).__name__
        return "\n".join([f"{describe(self.design)} in a {name} of {n.backbone:,} parameters", *lines])

    def __repr__(self) -> str:
        return f"<deltas: {self.summary()}>"

    def fold(self) -> None:
        """Replace every network that is used only in training by its output, for inference.

        The function computed is the same; prefixes no longer train.
        """
        for module in list(self.model.modules()):
            if isinstance(module, FormModule):
                module.fold()
        for module in list(self.model.modules()):
            if isinstance(module, Host):
                for name in [name for name, child in module.deltas.items() if isinstance(child, TrainingOnly)]:
                    del module.deltas[name]
                if not module.deltas and not module.settings:
                    detach(module)

    def save(self, folder: str | Path) -> None:
        """Save the trained deltas to a folder, for `unidelta.load`; see `unidelta.injection.saved`."""
        from unidelta.injection.saved import save

        self._check_present("save deltas")
        path = python_path(folder, "deltas.save(DIR)")
        with another_folder("deltas.save(DIR)"), self._unmerged():
            save(self, path)

    def merge(self) -> None:
        """Merge every delta that is a change of weights (LoRA, DoRA, OFT, IA³ …) into them; others do not change.

        The model computes the same with fewer operations. `unmerge` restores the weights, bit for bit.

        Raises:
            DesignError: none of the deltas is a change of weights, or they are already merged.
        """
        self._check_present("merge deltas")
        if self._merged:
            raise DesignError("merge deltas", "they are merged already", "deltas.unmerge() first")
        self._merged = merge_into_weights(self.model)
        if not self._merged:
            why = f"{describe(self.design)}: not a change of weights, as LoRA and IA³ are, or of quantised ones"
            raise DesignError("merge deltas", why, "deltas.save(DIR) keeps them beside the backbone")

    def unmerge(self) -> None:
        """Undo `merge`, bit for bit; does nothing if nothing is merged."""
        while self._merged:
            self._merged.pop().undo()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """A context in which the model is the plain backbone: stock classes, names and values.

        A copy of the model that is made here has no deltas and no handle: it is a stock model, with frozen weights.
        A classification head is as it was before `inject`; after the context it is as trained again. Full fine-tuning
        and BitFit change the model itself, its head too: these changes remain, and what you unfroze stays as it is.
        """
        self._check_present("disable deltas")
        with self._unmerged():
            model = self.model
            attention, detached = model.config._attn_implementation, _detach(model)
            trained = values_of(model, self.before)
            put_values(model, self.before)
            guards = _take_guards(model)
            self._is_disabled = True
            try:
                yield
            finally:
                self._is_disabled = False
                vars(model).update(guards)
                put_values(model, trained)
                for each in detached:
                    reattach(each)
                set_attention(model, attention)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As usual; None in a copy or a pickle of a model whose deltas are disabled, which are not in it."""
        return (type(None), ()) if self._is_disabled else super().__reduce_ex__(protocol)

    def remove(self) -> None:
        """Remove the deltas, leaving the stock model, bit for bit. The handle cannot be used afterwards.

        A classification head is as it was before `inject` (`save` keeps the trained one). Full fine-tuning and BitFit
        change the model itself, its head too: these changes remain, and what you unfroze stays as it is.
        """
        self._check_present("remove deltas")
        self.unmerge()
        take_out(self.model, self._requires_grad)
        put_values(self.model, self.before)
        self._is_removed = True

    @contextmanager
    def _unmerged(self) -> Iterator[None]:
        """A context in which no delta is merged; those that were are merged again after it."""
        was_merged = bool(self._merged)
        self.unmerge()
        try:
            yield
        finally:
            if was_merged:
                self.merge()

    def _check_present(self, asked: str) -> None:
        if self._is_removed:
            raise DesignError(asked, "they were removed from the model", "unidelta.inject, or unidelta.load")
        if self._is_disabled:
            raise DesignError(
                asked, "they are disabled here", "the same call after the block `with deltas.disabled():`"
            )


def _buffers(deltas: nn.ModuleDict, prefix: str) -> dict[str, Tensor]:
    """The persistent buffers of deltas, of their forms, compositions and what they share."""
    parameters = {name for name, _ in deltas.named_parameters()}
    return {prefix + name: tensor for name, tensor in deltas.state_dict().items() if name not in parameters}


def take_out(model: PreTrainedModel, requires_grad: Mapping[str, bool]) -> None:
    """Leave the stock model: no deltas, its own methods and attention.

    Args:
        model: a model with all or some of a design's deltas.
        requires_grad: what its parameters had, by name; others were added by the user and stay as they are.
    """
    _detach(model)
    _take_guards(model)
    vars(model).pop("unidelta", None)
    for name, parameter in model.named_parameters():
        if name in requires_grad:
            parameter.requires_grad_(requires_grad[name])


def _take_guards(model: PreTrainedModel) -> dict[str, Any]:
    """Give a model its stock methods back, and return what was in front of them."""
    names = ("save_pretrained", "set_attn_implementation")
    return {name: vars(model).pop(name) for name in names if name in vars(model)}


def _detach(model: PreTrainedModel) -> list[Detached]:
    detached = [detach(module) for module in list(model.modules()) if isinstance(module, Host)]
    if has_own_attention(model):
        set_attention(model, base_of(model.config._attn_implementation))
    return detached
