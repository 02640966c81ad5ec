"""The rules that all compositions of weights share."""

from unidelta.design.axes import Insertion
from unidelta.design.form import FORMS
from unidelta.design.rule import Rule

ON_WEIGHTS = (
    Rule(
        name="a composition of weights needs a matrix",
        refuses=lambda part, _: not FORMS[part.form].is_linear or FORMS[part.form].level != "linear",
        why="W ← compose(W, M) takes Δh = M x: a bottleneck's ReLU or a softmax has no matrix, nor has a sub-layer a W",
        instead="form=low_rank for this slot, such as method=dora; or composition=additive",
    ),
    Rule(
        name="a change of a weight reads what the weight reads",
        refuses=lambda part, _: part.insertion is Insertion.SEQUENTIAL,
        why="M has the shape of W and x is what W reads: the delta is parallel by its equation",
        instead="insertion=parallel, or composition=additive",
    ),
    Rule(
        name="a change of a weight has no dropout",
        refuses=lambda part, _: bool(part.dropout),
        why="the changed weight acts on x as it is, so the delta has no features of its own to drop",
        instead="dropout=null for this slot",
    ),
)
