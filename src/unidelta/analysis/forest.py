"""The claims as one table with a forest plot: where each difference lies, and where it would have to lie."""

import math
from collections.abc import Collection, Sequence
from html import escape

from unidelta.analysis import html
from unidelta.analysis.claims import GROUPS, Claim
from unidelta.analysis.claims_page import condition, worded
from unidelta.analysis.in_print import difference_text, p_text, signed
from unidelta.analysis.more_seeds import commands_for, needed
from unidelta.analysis.names import METRICS, TASKS, n_digits, task_title
from unidelta.analysis.needed import needed_text
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import MISSING
from unidelta.analysis.verdicts import Verdict, counted

_WIDTH, _HEIGHT, _EDGE = 200, 18, 6
_TICKS = (0, 1, 3, 10, 30, 100)
_HEADS = ("claim", "first − second", "on", "", "difference", "n", "needs n ≈", "p", "verdict", "runs")
_NUMBERS = ("difference", "n", "needs n ≈", "p")


def claims_table(verdicts: Sequence[Verdict], runs: Runs, known: Collection[str]) -> str:
    """Every claim in a row, group by group; the plot's axis is linear near 0 and logarithmic beyond a point or two.

    Args:
        verdicts: one for each claim.
        runs: those behind them.
        known: names of the runs that have a row of their own on the page.
    """
    reach = max((abs(end) for verdict in verdicts for end in _ends(verdict)), default=1.0)
    heads = [title or _axis(reach) for title in _HEADS]
    aligns = ["right" if title in _NUMBERS else "left" for title in _HEADS]
    head = "".join(f'<th scope="col" class="{way}">{title}</th>' for title, way in zip(heads, aligns, strict=True))
    bodies: list[str] = []
    for group, title in GROUPS.items():
        mine = [verdict for verdict in verdicts if verdict.claim.group == group]
        rows = "\n".join(_row(verdict, runs, known, reach) for verdict in mine)
        bodies.append(
            f'<tbody id="{group}"><tr class="group"><th colspan="{len(_HEADS)}" scope="rowgroup"><span>'
            f"{html.text(f'{group}: {title}')}</span> <small>{counted(mine)}</small></th></tr>\n{rows}</tbody>"
        )
    return f'<div class="wide"><table class="claims"><thead><tr>{head}</tr></thead>{"".join(bodies)}</table></div>'


def _row(verdict: Verdict, runs: Runs, known: Collection[str], reach: float) -> str:
    claim, found = verdict.claim, verdict.difference
    digits = n_digits(claim.metric)
    compared = _compared(claim)
    is_open = verdict.word == "undecided" and found.error is not None
    n_needed = needed(verdict) if is_open else None
    difference = difference_text(found, digits)
    on = f"{task_title(claim.task, runs.scale)} {METRICS[claim.metric]}"
    p = p_text(verdict.p)
    hint = f"{claim.hypothesis}. In the paper: {signed(verdict.margin, digits)} on {TASKS[claim.task]}. Holds if the"
    hint += f" difference is {condition(verdict)}."
    cells = [
        f'<td class="left">{html.text(claim.name)}</td>',
        f'<td class="left said" tabindex="0" data-tip="{html.text(hint)}">{html.text(compared)}</td>',
        f'<td class="left">{html.text(on)}</td>',
        f'<td class="plot">{_plot(verdict, reach, f"{claim.name}: {difference}, n = {found.n}")}</td>',
        f'<td class="right">{difference}</td><td class="right">{found.n}</td>',
        f'<td class="right">{needed_text(n_needed) if is_open else MISSING}</td>',
        f'<td class="right">{html.text(p)}</td>',
        f'<td class="left verdict">{html.text(worded(verdict))}</td>',
        f'<td class="left">{_behind(verdict, n_needed, runs, known)}</td>',
    ]
    kind = verdict.word.replace(" ", "-")
    words = html.text(f"{claim.name} {compared} {on} {claim.hypothesis} {verdict.word}".lower())
    return f'<tr class="{kind}" data-verdict="{kind}" data-words="{words}">{"".join(cells)}</tr>'


def _compared(claim: Claim) -> str:
    words = f"{claim.first.label} − {claim.second.label}"
    return f"{words}, of two differences" if claim.kind == "interaction" else words


def _behind(verdict: Verdict, n_needed: int | None, runs: Runs, known: Collection[str]) -> str:
    """The runs behind a claim, and what to type for more of them, folded."""
    names = [name for score in verdict.sides for name in score.run_ids if name in known]
    link = html.runs_link(f"{len(set(names))} runs", names) if names else MISSING
    lines = verdict.commands or (() if n_needed is None else commands_for(verdict, n_needed, runs))
    why = f"<p>{html.text(verdict.why)}</p>" if verdict.why else ""
    if not lines:
        return f"{link}{why}"
    code = "\n".join(html.text(line) for line in lines)
    what = "run" if verdict.commands else "more seeds"
    return f"{link} <details><summary>{what}</summary>{why}<pre><code>{code}</code></pre></details>"


def _ends(verdict: Verdict) -> tuple[float, ...]:
    mean, width = verdict.difference.mean, verdict.difference.half_width
    return () if mean is None else (mean - (width or 0.0), mean + (width or 0.0))


def _x(value: float, reach: float) -> float:
    share = math.asinh(value) / math.asinh(reach)
    return round(_WIDTH / 2 + share * (_WIDTH / 2 - _EDGE), 1)


def _plot(verdict: Verdict, reach: float, hint: str) -> str:
    """One line of the forest: where the claim holds (shaded), the interval, the mean."""
    middle, zero = _HEIGHT / 2, _x(0, reach)
    left, right = _holds(verdict.claim, reach)
    parts = [
        f'<rect class="holds" x="{left}" y="0" width="{right - left:.1f}" height="{_HEIGHT}"/>',
        f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="{_HEIGHT}"/>',
    ]
    if verdict.difference.mean is not None:
        ends = [_x(end, reach) for end in _ends(verdict)]
        parts.append(f'<line class="interval" x1="{ends[0]}" x2="{ends[1]}" y1="{middle}" y2="{middle}"/>')
        parts.append(f'<circle cx="{_x(verdict.difference.mean, reach)}" cy="{middle}" r="4"/>')
    return (
        f'<svg class="forest" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img"'
        f' tabindex="0" aria-label="{escape(hint)}" data-tip="{escape(hint)}">{"".join(parts)}</svg>'
    )


def _holds(claim: Claim, reach: float) -> tuple[float, float]:
    """From where to where a difference supports the claim."""
    bound = _x(max(-reach, min(reach, claim.bound)), reach)
    match claim.kind:
        case "within":
            return _x(-claim.bound, reach), bound
        case "below" | "copied":
            return 0.0, bound
        case _:
            return bound, float(_WIDTH)


def _axis(reach: float) -> str:
    ticks = sorted({sign * tick for tick in _TICKS for sign in (-1, 1) if tick <= reach})
    words = "".join(
        f'<text x="{_x(tick, reach)}" y="12" text-anchor="middle">{f"{tick:g}".replace("-", "−")}</text>'
        for tick in ticks
    )
    size = f'viewBox="0 0 {_WIDTH} 16" width="{_WIDTH}" height="16"'
    return f'<svg class="forest" {size} role="img" aria-label="points">{words}</svg>'
