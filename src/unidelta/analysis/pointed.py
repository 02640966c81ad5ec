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
Hint = tuple[str, tuple[str, ...]]
"""What a point says, and the runs behind it."""


def pointed(figure: Figure, svg: str, known: Collection[str]) -> str:
    """The drawing with a link, a hint and a name for each marker of its curves.

    Args:
        figure: the figure.
        svg: its drawing, as a part of the page.
        known: names of the runs that have a row of their own on the page.
    """
    hints = dict(_hints(figure))
    return _GROUP.sub(lambda found: _linked(found, hints, known), svg)


def _linked(found: re.Match[str], hints: Mapping[str, list[Hint]], known: Collection[str]) -> str:
    points = iter(hints.get(found[2], []))

    def link(marker: re.Match[str]) -> str:
        words, names = next(points, ("", ()))
        there = [name for name in names if name in known]
        hint = f'tabindex="0" data-tip="{escape(words)}" aria-label="{escape(words)}"'
        return (
            f"<a {link_attributes(there)} {hint}>{marker[0]}</a>" if there else f'<g role="img" {hint}>{marker[0]}</g>'
        )

    return f'<g id="{found[1]}{found[2]}">{_MARKER.sub(link, found[3])}'


def _hints(figure: Figure) -> Iterator[tuple[str, list[Hint]]]:
    for p, panel in enumerate(figure.panels):
        for s, series in enumerate(panel.series):
            means: list[Hint] = []
            for i, point in enumerate(series.points):
                size = f", bottleneck {point.label}" if point.label else ""
                at = f"{series.label}{size}, {_place(figure, point.percent)}"
                if point.score.mean is not None:
                    means.append((f"{at}: {_mean(point.score, series.is_published)}", point.score.run_ids))
                runs = zip(point.score.seeds, point.score.values, point.score.run_ids, strict=False)
                yield f"runs-{p}-{s}-{i}", [(f"{at}, seed {seed}: {value:.2f}", (name,)) for seed, value, name in runs]
            yield f"means-{p}-{s}", means


def _place(figure: Figure, x: float) -> str:
    return f"{percent_text(x)} %" if figure.is_of_budgets else f"{x:g} {figure.x_label}"


def _mean(score: Score, is_published: bool) -> str:
    return f"{score.mean:g}, published" if is_published else shown(score, 2)
