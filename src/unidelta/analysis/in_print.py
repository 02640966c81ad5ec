"""Numbers and fingerprints as tables and pages print them."""

import re
from typing import Any

from unidelta.analysis.difference import Difference
from unidelta.analysis.table import MISSING


def signed(value: float, digits: int) -> str:
    """With its sign and a true minus: `+0.12`, `−0.30`; zero has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def difference_text(found: Difference, digits: int) -> str:
    """The mean with half its 95 % t-interval, `−0.3 ± 0.1`; the mean alone for one run, a dash for none."""
    if found.mean is None:
        return MISSING
    width = "" if found.half_width is None else f" ± {found.half_width:.{digits}f}"
    return f"{signed(found.mean, digits)}{width}"


def percent_text(value: float) -> str:
    """A share of parameters: two digits that count, everywhere alike: `3.6` for 3.56, `0.033`, `100`."""
    return f"{float(f'{value:.2g}'):g}"


def p_text(p: float | None) -> str:
    """`0.034`, `< 0.001`, or a dash where nothing was tested."""
    return MISSING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def short(value: Any) -> Any:
    """The first twelve characters of a SHA-256, which tell it from others; any other value as it is."""
    return value[:12] if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else value
