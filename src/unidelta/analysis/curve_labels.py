"""Names at the ends of curves, moved apart until none covers another."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

SIZE = 7.0
"""Of the letters, in points."""
LINE_INCHES = 1.18 * SIZE / 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name and where its curve ends.

    Args:
        text: the name.
        colour: its curve's.
        x: of the last point; None for a line across the panel.
        y: of the last point.
    """

    text: str
    colour: str
    x: float | None
    y: float


def write_labels(axes: Axes, labels: Sequence[Label], *, height_inches: float) -> None:
    """Write the names to the right of the axes, each with a thin line to its curve.

    Args:
        axes: with their final limits.
        labels: in any order.
        height_inches: of the axes, about.
    """
    low, high = axes.get_ylim()
    ordered = sorted(labels, key=lambda label: (label.y, label.text))
    wanted = [(label.y - low) / (high - low) for label in ordered]
    for label, place in zip(ordered, spread(wanted, gap=LINE_INCHES / height_inches), strict=True):
        at = (1.0, label.y) if label.x is None else (label.x, label.y)
        axes.annotate(
            label.text,
            xy=at,
            xycoords=axes.get_yaxis_transform() if label.x is None else "data",
            xytext=(1.04, place),
            textcoords="axes fraction",
            color=label.colour,
            fontsize=SIZE,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": label.colour, "linewidth": 0.5, "alpha": 0.6, "relpos": (0, 0.5)},
        )


def spread(wanted: Sequence[float], *, gap: float) -> list[float]:
    """Places at least `gap` apart, near where each wants to be and within 0 and 1 if there is room.

    Args:
        wanted: in rising order.
        gap: between neighbours.
    """
    gap = min(gap, 1 / max(len(wanted) - 1, 1))
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + gap) if places else max(place, 0.0))
    highest = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], highest)
        highest = places[i] - gap
    return places
