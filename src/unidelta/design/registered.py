"""Whether what a delta names is registered."""

from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS
from unidelta.design.spec import DeltaSpec


def check_names(part: DeltaSpec) -> DeltaSpec:
    """The delta, if its form, composition and generator are registered.

    Raises:
        DesignError: one is not.
    """
    asked = f"a delta at {part.slot}"
    FORMS.find(part.form, asked=f"{asked}, form={part.form}")
    COMPOSITIONS.find(part.composition, asked=f"{asked}, composition={part.composition}")
    if part.generator is not None:
        GENERATORS.find(part.generator, asked=f"{asked}, generator={part.generator}")
    return part
