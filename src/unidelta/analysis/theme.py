"""The look of figures: a colour and a marker for each method, the same in every figure.

Colours are those of Okabe & Ito, which colour-blind readers can distinguish; markers help in print and in grey.
Positions at attention have cool colours, positions at the FFN warm ones.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

INK = "#222222"
"""Text, axes and full fine-tuning; the report page lightens it in dark mode."""
GRID = "#d9d9d9"
PAPER = "#ffffff"

BLUE, SKY, GREEN = "#0072b2", "#56b4e9", "#009e73"
ORANGE, VERMILLION, PURPLE = "#e69f00", "#d55e00", "#cc79a7"
GREY = "#767676"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One method's colour, marker (matplotlib's name) and marker size in points."""

    colour: str
    marker: str
    size: float = 5.5


_OTHER_COLOURS = (PURPLE, GREEN, ORANGE, BLUE, VERMILLION, SKY)
_OTHER_MARKERS = ("h", "8", "p", "H")

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same bytes on every machine
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a record's name is a dollar
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "svg.fonttype": "none",  # text stays text: to be searched, read aloud and set in the page's own font
    "svg.hashsalt": "unidelta",
    "savefig.dpi": 160,
}


def free_style(name: str, *, taken: Collection[Style]) -> Style:
    """The style of a method that is not in the paper, by its name; the next one where another of the figure has it."""
    looks = {(style.colour, style.marker) for style in taken}
    every = [Style(colour=colour, marker=marker) for marker in _OTHER_MARKERS for colour in _OTHER_COLOURS]
    start = zlib.crc32(name.encode()) % len(every)
    ordered = [*every[start:], *every[:start]]
    return next((style for style in ordered if (style.colour, style.marker) not in looks), ordered[0])
