"""Classification: one text, or a pair of them, to one of two or more labels."""

from unidelta.tasks.kind import KINDS, Kind

CLASSIFICATION = KINDS.register(
    Kind(
        name="classification",
        does="classifies",
        output="label",
        sources=("text", "text_pair"),
        optional=("text_pair",),
        target="label",
    )
)
