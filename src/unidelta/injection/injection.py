"""What `inject` returns: a handle on the deltas of a model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.deltas.form_module import FormModule, TrainingOnly
from unidelta.design.count import Counts, count
from unidelta.design.describe import describe
from unidelta.design.spec import Design
from unidelta.errors import DesignError
from unidelta.extensions.named_paths import as_path
from unidelta.hosts.site import Detached, Host, detach, reattach
from unidelta.injection.merge import Merged, merge_into_weights


class Injection:
    """The deltas of a model.

    Args:
        model: the model, changed in place.
        design: what was put in.
        base_attention: the attention that the model had.
        requires_grad: which of the backbone's parameters trained before, by name.
    """

    def __init__(
        self, *, model: PreTrainedModel, design: Design, base_attention: str, requires_grad: Mapping[str, bool]
    ) -> None:
        self.model = model
        self.design = design
        self.trained = tuple(name for name, parameter in model.named_parameters() if parameter.requires_grad)
        """Names of the parameters that train, in the model's order."""
        self._base_attention, self._requires_grad = base_attention, dict(requires_grad)
        self._merged: list[Merged] = []
        self._is_removed = False
        model.unidelta = self  # so that the deltas of a copy, and of a model that was loaded, can be asked for

    @property
    def n_trained(self) -> int:
        """Elements of all trained parameters."""
        return sum(parameter.numel() for _, parameter in self.trained_parameters())

    @property
    def n_stored(self) -> int:
        """Elements of what is kept for inference."""
        return sum(tensor.numel() for tensor in self.stored_state().values())

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters that train: what an optimiser should be given."""
        parameters = dict(self.model.named_parameters())
        return [(name, parameters[name]) for name in self.trained if name in parameters]  # `fold` takes some away

    def stored_state(self) -> dict[str, Tensor]:
        """What is kept for inference: the trained parameters, with prefixes in place of their MLPs."""
        modules = dict(self.model.named_modules())
        training_only = tuple(f"{name}." for name, module in modules.items() if isinstance(module, TrainingOnly))
        state = {name: p.detach() for name, p in self.trained_parameters() if not name.startswith(training_only)}
        for name, module in modules.items():
            if isinstance(module, FormModule):
                state |= {f"{name}.{own}": tensor for own, tensor in module.stored().items()}
        return state

    def counts(self) -> Counts:
        """The parameters of the design, in three countings."""
        from unidelta.injection.inject import architecture_of

        return count(self.design, architecture_of(self.model.config, name=self.model.config.model_type))

    def summary(self) -> str:
        """The design in one line and its parameters: trained, stored and as the paper counts them."""
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
        """Replace every network that only training needs by what it makes: for inference, after training.

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
        """Write what was tuned to a folder, for `unidelta.load`; see `unidelta.injection.saved`."""
        from unidelta.injection.saved import save

        save(self, as_path(folder, asked=f"deltas.save({str(folder)!r})"))

    def merge(self) -> None:
        """Add every linear delta (LoRA, IA³) to the weights that it changes; others stay as they are.

        The model computes the same in fewer operations. `unmerge` brings the weights back, bit for bit.

        Raises:
            DesignError: none of the deltas is linear, or they are merged already.
        """
        self._check_present("merge deltas")
        if self._merged:
            raise DesignError("merge deltas", "they are merged already", "deltas.unmerge() first")
        self._merged = merge_into_weights(self.model)
        if not self._merged:
            why = f"{describe(self.design)}: only linear deltas (LoRA, IA³) are a change of weights"
            raise DesignError("merge deltas", why, "deltas.save(DIR) keeps them beside the backbone")

    def unmerge(self) -> None:
        """Undo `merge`, bit for bit; without one, nothing happens."""
        while self._merged:
            self._merged.pop().undo()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The plain backbone, for as long as the context lasts: classes, names and values are the stock model's."""
        self._check_present("disable deltas")
        merged = bool(self._merged)
        self.unmerge()
        attention, detached = self.model.config._attn_implementation, self._detach()
        try:
            yield
        finally:
            for each in detached:
                reattach(each)
            self.model.set_attn_implementation(attention)
            if merged:
                self.merge()

    def remove(self) -> None:
        """Take the deltas out: what is left is the stock model, bit for bit. The handle is of no use afterwards.

        Full fine-tuning and BitFit have changed the backbone itself; that stays changed.
        """
        self._check_present("remove deltas")
        self.unmerge()
        self._detach()
        for name in ("save_pretrained", "unidelta"):
            vars(self.model).pop(name, None)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(self._requires_grad[name])
        self._is_removed = True

    def _detach(self) -> list[Detached]:
        detached = [detach(module) for module in list(self.model.modules()) if isinstance(module, Host)]
        if self.model.config._attn_implementation != self._base_attention:
            self.model.set_attn_implementation(self._base_attention)
        return detached

    def _check_present(self, asked: str) -> None:
        if self._is_removed:
            raise DesignError(asked, "they were removed from the model", "unidelta.inject, or unidelta.load")
