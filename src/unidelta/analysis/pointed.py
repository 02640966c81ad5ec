"""Points of a drawn figure that say what they are and lead to their runs."""

import re
from collections.abc import Collection, Iterator, Mapping
from html import escape

from unidelta.analysis.curve import Figure
from unidelta.analysis.html import link_attributes
from unidelta.analysis.in_print import percent_text
from unidelta.analysis.score import Score
from unidelta.analysis.tables import shown

_GROUP = re.compile(r'<g id="([^"]*?)((?:means|runs)-[0-9-]+)">(.*?)(?=<g id=")', re.DOTALL)
_MARKER = re.compile(r"<use [^>]*/>")
Told = tuple[str, tuple[str, ...]]
"""What a point says, and the runs behind it."""


def pointed(made: Figure, svg: str, known: Collection[str]) -> str:
    """The drawing with a link, a hint and a name for each marker of its curves.

    Args:
        made: the figure.
        svg: its drawing, as a part of the page.
        known: names of the runs that have a row of their own on the page.
    """
    told = dict(_told(made))
    return _GROUP.sub(lambda found: _linked(found, told, known), svg)


def _linked(found: re.Match[str], told: Mapping[str, list[Told]], known: Collection[str]) -> str:
    points = iter(told.get(found[2], []))

    def link(marker: re.Match[str]) -> str:
        words, names = next(points, ("", ()))
        there = [name for name in names if name in known]
        hint = f'tabindex="0" data-tip="{escape(words)}" aria-label="{escape(words)}"'
        return (
            f"<a {link_attributes(there)} {hint}>{marker[0]}</a>" if there else f'<g role="img" {hint}>{marker[0]}</g>'
        )

    return f'<g id="{found[1]}{found[2]}">{_MARKER.sub(link, found[3])}'


def _told(made: Figure) -> Iterator[tuple[str, list[Told]]]:
    for p, panel in enumerate(made.panels):
        for s, series in enumerate(panel.series):
            means: list[Told] = []
            for i, point in enumerate(series.points):
                size = f", bottleneck {point.label}" if point.label else ""
                at = f"{series.label}{size}, {_place(made, point.percent)}"
                if point.score.mean is not None:
                    means.append((f"{at}: {_mean(point.score, series.is_published)}", point.score.run_ids))
                runs = zip(point.score.seeds, point.score.values, point.score.run_ids, strict=False)
                yield f"runs-{p}-{s}-{i}", [(f"{at}, seed {seed}: {value:.2f}", (name,)) for seed, value, name in runs]
            yield f"means-{p}-{s}", means


def _place(made: Figure, x: float) -> str:
    return f"{percent_text(x)} %" if made.is_of_budgets else f"{x:g} {made.x_label}"


def _mean(score: Score, is_published: bool) -> str:
    return f"{score.mean:g}, published" if is_published else shown(score, 2)
