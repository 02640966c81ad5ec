"""A backbone for counting: its sites, and its other parameters; no weights, no torch."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unidelta.design.axes import Slot
from unidelta.design.family import Family
from unidelta.design.layers import indices
from unidelta.design.site import LinearShape, SiteShape
from unidelta.design.spec import DeltaSpec
from unidelta.design.tokens import ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A model's parameters outside its attentions and FFNs.

    Args:
        embeddings: elements of token, position and segment embeddings; tied ones once.
        norms: width of every layer norm of the model, including those inside layers.
        norms_have_biases: false for RMSNorm.
        maps: linear maps that belong to the pretrained model, such as BERT's pooler.
        head: linear maps of the classification head, which pretrained models do not have.
        other_biases: elements of biases that a model at hand has beside those of norms and maps, such as of a head that
            is not known; negative if it has fewer.
        fixed: how many of the embeddings' elements are computed and never trained: positions in both stacks, in the
            modules that `Family.encoder_positions` names.
    """

    embeddings: int
    norms: tuple[int, ...]
    norms_have_biases: bool = True
    maps: tuple[LinearShape, ...] = ()
    head: tuple[LinearShape, ...] = ()
    other_biases: int = 0
    fixed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A Transformer backbone.

    Args:
        family: which architecture.
        name: the backbone's name in records, e.g. `bart-large`.
        config: the keys of its config.json that the family reads.
        sites: attentions, then FFNs, in the order of injection.
        surroundings: everything else.
        max_positions: longest input in tokens.
        n_labels: outputs of the classification head, 0 for models without one.
        published_denominator: the parameter count by which the paper divides for this backbone, if it is
            not the backbone's own (the paper divides by BART-large for mBART too).
    """

    family: Family
    name: str
    config: Mapping[str, Any]
    sites: tuple[SiteShape, ...]
    surroundings: Surroundings
    max_positions: int
    n_labels: int = 0
    published_denominator: int | None = None

    def at(self, slot: Slot) -> tuple[SiteShape, ...]:
        """The sub-layers of a kind."""
        return tuple(site for site in self.sites if site.slot is slot)

    def depths_of(self, part: DeltaSpec) -> dict[str, int]:
        """The kinds of sub-layers that can have a delta, with their numbers.

        If only some tokens of the source are edited, these are the encoder's.
        """
        kinds = Counter(site.kind for site in self.at(part.slot))
        is_everywhere = part.tokens == ALL or not self.family.is_encoder_decoder
        return {kind: depth for kind, depth in kinds.items() if is_everywhere or kind.startswith("encoder_")}

    def sites_of(self, part: DeltaSpec) -> tuple[SiteShape, ...]:
        """The sub-layers that have a delta: those of its slot, in its layers."""
        chosen = {kind: indices(part.layers, depth) for kind, depth in self.depths_of(part).items()}
        return tuple(site for site in self.at(part.slot) if site.layer in chosen.get(site.kind, ()))

    @property
    def width(self) -> int:
        """Features of the residual stream, d."""
        return self.sites[0].width

    @property
    def attention_kinds(self) -> dict[str, int]:
        """Kinds of attention and the number of layers of each; one prefix MLP serves one kind."""
        return dict(Counter(site.kind for site in self.at(Slot.ATTN)))

    @property
    def n_biases(self) -> int:
        """Elements of all biases that BitFit trains: linear maps and layer norms, head included."""
        return self.n_backbone_biases + self.n_head_biases + self.surroundings.other_biases

    @property
    def n_backbone_biases(self) -> int:
        """Elements of the biases of layers and of what else is pretrained, as the configuration has them."""
        norms = sum(self.surroundings.norms) if self.surroundings.norms_have_biases else 0
        return norms + sum(shape.d_out for shape in self._pretrained_maps() if shape.bias)

    @property
    def n_head_weights(self) -> int:
        """Elements of the classification head's matrices."""
        return sum(shape.n_weights for shape in self.surroundings.head)

    @property
    def n_head_biases(self) -> int:
        """Elements of the classification head's biases."""
        return sum(shape.d_out for shape in self.surroundings.head if shape.bias)

    @property
    def n_parameters(self) -> int:
        """All parameters of the backbone with its head, tied embeddings counted once."""
        weights = sum(shape.n_weights for shape in self._pretrained_maps()) + self.n_head_weights
        return self.surroundings.embeddings + weights + sum(self.surroundings.norms) + self.n_biases

    def to_dict(self) -> dict[str, Any]:
        """The entry in a record: the facts from which everything else follows."""
        return {
            "family": self.family.name,
            "name": self.name,
            "config": dict(self.config),
            "n_labels": self.n_labels,
            "published_denominator": self.published_denominator,
        }

    def _pretrained_maps(self) -> list[LinearShape]:
        inside = [shape for site in self.sites for shape in site.linears.values()]
        return [*inside, *self.surroundings.maps]
