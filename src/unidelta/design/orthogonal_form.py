"""What the forms that rotate or reflect the input of a weight share: OFT's blocks and HRA's reflections."""

from unidelta.design.axes import Init, Representation, Slot
from unidelta.design.form import Details, Form, Outline


class OrthogonalForm(Form):
    """A form whose matrix is M = R − 1 with an orthogonal R, for the composition `W ← W (1 + M) = W R`."""

    level = "linear"
    reads = frozenset({"targets", "init"})
    inits = (Init.IDENTITY,)
    zero_starts = (Init.IDENTITY,)
    is_linear = True
    turns_input = True
    usual_targets = {Slot.ATTN: ("query", "value"), Slot.FFN: ("up", "down")}  # noqa: RUF012

    def released(self, outline: Outline) -> Details:
        """At the input of linear maps."""
        return Details(representation=Representation.INPUT)
