"""Closed-form parameter counts (He et al. 2022, Tables 9–11), in the three ways people count.

*trained*: what the optimiser sees; *stored*: what is kept for inference, prefixes after their MLP is
dropped; *matrices*: only the weight matrices (or vectors of a prefix), which is what the paper counts.
"""

from dataclasses import dataclass

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Composition, Form, Insertion, LayerNorm, Slot
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, PromptTuning

ATTENTION_TARGETS = ("query", "key", "value", "output")
FFN_TARGETS = ("up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of parameters of a design on a backbone, and their percentages of the backbone."""

    trained: int
    stored: int
    matrices: int
    backbone: int
    published_denominator: int

    @property
    def percent_trained(self) -> float:
        """Trained parameters in percent of the backbone."""
        return 100 * self.trained / self.backbone

    @property
    def percent_stored(self) -> float:
        """Stored parameters in percent of the backbone."""
        return 100 * self.stored / self.backbone

    @property
    def percent_matrices(self) -> float:
        """Matrix parameters in percent of the backbone."""
        return 100 * self.matrices / self.backbone

    @property
    def percent_published_rule(self) -> float:
        """The percentage as the paper prints it.

        Matrices only, over the paper's denominator (BART-large for mBART too), with one decimal: cut off
        from 1 % on (6.194 is printed 6.1), rounded below (0.473 is printed 0.5). One rule for every
        printed value that a count explains at all.
        """
        if self.matrices == self.backbone:
            return 100.0  # full fine-tuning, whatever the denominator
        thousandths = 1000 * self.matrices  # of the denominator; integers keep 6.0 from becoming 5.9
        if thousandths >= 10 * self.published_denominator:
            return (thousandths // self.published_denominator) / 10
        return round(100 * self.matrices / self.published_denominator, 1)


def count(design: Design, architecture: Architecture) -> Counts:
    """The counts of a design on a backbone, without building either."""
    backbone = architecture.n_parameters
    match design:
        case FullFineTuning():
            trained = stored = matrices = backbone
        case Frozen():
            trained = stored = matrices = 0
        case BitFit(trains_head=trains_head):
            matrices = architecture.n_biases
            trained = stored = matrices + (architecture.n_head_weights if trains_head else 0)
        case PromptTuning(length=length):
            trained = stored = matrices = length * architecture.d_model
        case Deltas(parts=parts, trains_head=trains_head):
            head = architecture.n_head_weights + architecture.n_head_biases if trains_head else 0
            matrices = sum(matrix_count(part, architecture) for part in parts)
            stored = matrices + head + sum(_vector_count(part, architecture) for part in parts)
            trained = stored + sum(_mlp_excess(part, architecture) for part in parts)
    return Counts(
        trained=trained,
        stored=stored,
        matrices=matrices,
        backbone=backbone,
        published_denominator=architecture.published_denominator or backbone,
    )


def matrix_count(part: DeltaSpec, architecture: Architecture) -> int:
    """Elements of the matrices of one part: proportional to its bottleneck (Table 9)."""
    d, f = architecture.d_model, architecture.d_ffn
    if part.form is not Form.LOW_RANK:
        return 2 * part.bottleneck * d * architecture.n_sites(part.slot)  # 2rd per site, 2ld for a prefix
    shapes = {"query": (d, d), "key": (d, d), "value": (d, d), "output": (d, d), "up": (d, f), "down": (f, d)}
    widths = 0
    for target in part.targets:
        fan_in, fan_out = shapes[target]
        widths += fan_out + (fan_in if part.insertion is Insertion.PARALLEL else fan_out)
    return part.bottleneck * widths * architecture.n_sites(part.slot)


def _vector_count(part: DeltaSpec, architecture: Architecture) -> int:
    """Biases, layer norms and learned scales of one part."""
    d, sites = architecture.d_model, architecture.n_sites(part.slot)
    n = 0
    if part.form is Form.BOTTLENECK and part.bias:
        n += (part.bottleneck + d) * sites
    if part.layer_norm is not LayerNorm.NONE:
        n += 2 * d * sites
    if part.composition is Composition.LEARNED_SCALE:
        n += sites * max(1, len(part.targets))
    return n


def _mlp_excess(part: DeltaSpec, architecture: Architecture) -> int:
    """What the MLP of the reparameterisation has beyond the P_k, P_v that it makes."""
    if not part.has_mlp:
        return 0
    d, length, mid = architecture.d_model, part.bottleneck, part.mlp_width
    trained = 0
    for layers in architecture.attention_kinds.values():
        out = 2 * layers * d
        trained += length * d + (d * mid + mid) + (mid * out + out)  # embedding, Linear, Tanh, Linear
    return trained - 2 * length * d * architecture.n_sites(Slot.ATTN)
