"""Closed-form parameter counts (He et al. 2022, Tables 9–11), of three kinds.

*trained*: what the optimiser sees; *stored*: what is kept for inference, prefixes after their MLP is
dropped; *matrices*: only the weight matrices (or vectors of a prefix), which is what the paper counts. A count is a
sum over the backbone's sites; what a form or a composition has at one place is said in its own file.
"""

from dataclasses import dataclass

from unidelta.design.architecture import Architecture
from unidelta.design.axes import LayerNorm
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import generator_of
from unidelta.design.site import Place
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, LinearProbe, PromptTuning


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

        Matrices only, over the paper's denominator (BART-large for mBART too), with one decimal: truncated
        from 1 % on (6.194 is printed 6.1), rounded below (0.473 is printed 0.5). One rule for every
        printed value that a count can explain.
        """
        if self.matrices == self.backbone:
            return 100.0  # full fine-tuning, for any denominator
        thousandths = 1000 * self.matrices  # of the denominator; integers keep 6.0 from becoming 5.9
        if thousandths >= 10 * self.published_denominator:
            return (thousandths // self.published_denominator) / 10
        return round(100 * self.matrices / self.published_denominator, 1)


def count(design: Design, architecture: Architecture) -> Counts:
    """The counts of a design on a backbone, without building either."""
    backbone = architecture.n_parameters
    match design:
        case FullFineTuning():
            trained = stored = matrices = backbone - architecture.surroundings.fixed
        case Frozen():
            trained = stored = matrices = 0
        case LinearProbe():
            matrices = 0
            trained = stored = _head(architecture)
        case BitFit(trains_head=trains_head):
            matrices = architecture.n_biases
            trained = stored = matrices + (architecture.n_head_weights if trains_head else 0)
        case PromptTuning(length=length, trains_head=trains_head):
            matrices = length * architecture.width
            trained = stored = matrices + (_head(architecture) if trains_head else 0)
        case Deltas(parts=parts, trains_head=trains_head):
            head = _head(architecture) if trains_head else 0
            matrices = sum(matrix_count(part, architecture) for part in parts)
            trained = head + sum(trained_count(part, architecture) for part in parts)
            stored = trained + sum(
                _kept_count(part, architecture) - FORMS[part.form].n_training_only(part, architecture.sites_of(part))
                for part in parts
            )
    return Counts(
        trained=trained,
        stored=stored,
        matrices=matrices,
        backbone=backbone,
        published_denominator=architecture.published_denominator or backbone,
    )


def _head(architecture: Architecture) -> int:
    return architecture.n_head_weights + architecture.n_head_biases


def matrix_count(part: DeltaSpec, architecture: Architecture) -> int:
    """Elements of the matrices of one part: without a generator, proportional to its bottleneck (Table 9)."""
    form, generator = FORMS[part.form], generator_of(part)
    shared = 0 if generator is None else generator.n_shared(part, architecture.sites_of(part))
    return shared + sum((generator or form).n_matrices(part, place) for place in form.places(part, architecture))


def trained_count(part: DeltaSpec, architecture: Architecture) -> int:
    """What the optimiser sees of one part."""
    training_only = FORMS[part.form].n_training_only(part, architecture.sites_of(part))
    return matrix_count(part, architecture) + _vector_count(part, architecture) + training_only


def _vector_count(part: DeltaSpec, architecture: Architecture) -> int:
    """Biases, layer norms and learned scales of one part."""
    form, composition = FORMS[part.form], COMPOSITIONS[part.composition]
    return sum(
        form.n_vectors(part, place) + composition.n_parameters(part, place) + _norm(part, place)
        for place in form.places(part, architecture)
    )


def _kept_count(part: DeltaSpec, architecture: Architecture) -> int:
    """What of one part is stored and does not train."""
    form, composition, generator = FORMS[part.form], COMPOSITIONS[part.composition], generator_of(part)
    owners = (form, composition) if generator is None else (form, composition, generator)
    return sum(owner.n_kept(part, place) for place in form.places(part, architecture) for owner in owners)


def _norm(part: DeltaSpec, place: Place) -> int:
    """Weight and bias of the delta's layer norm; a form on heads normalises the input of the query projection."""
    width = {
        LayerNorm.NONE: 0,
        LayerNorm.IN: place.site.width if FORMS[part.form].level == "heads" else place.d_read,
        LayerNorm.OUT: place.d_changed,
    }
    return 2 * width[part.layer_norm]
