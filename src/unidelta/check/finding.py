"""The result of a check, and the two comparisons used in checks."""

from dataclasses import dataclass

from torch import Tensor

TOLERANCE = 1e-10  # of what is computed in float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a check: what was checked, where, and what is wrong ("" if nothing)."""

    what: str
    where: str
    wrong: str = ""


def equal(what: str, where: str, found: int, expected: int) -> Finding:
    """Compare two counts."""
    return Finding(what=what, where=where, wrong="" if found == expected else f"{expected:,} expected, {found:,} found")


def close(what: str, where: str, found: Tensor, expected: Tensor, *, tolerance: float = TOLERANCE) -> Finding:
    """Compare two tensors by their largest difference; infinite if their shapes differ."""
    difference = (found - expected).abs().max().item() if found.shape == expected.shape else float("inf")
    wrong = "" if difference <= tolerance else f"differs by {difference:.1e}"
    return Finding(what=what, where=where, wrong=wrong)
