"""results/CLAIMS.md: every comparison in the paper with its verdict, by group."""

from collections import Counter
from collections.abc import Sequence

from unidelta.analysis.claims import GROUPS
from unidelta.analysis.in_print import difference_text, p_text, signed
from unidelta.analysis.names import METRICS, TASKS, Scale, n_digits, task_title
from unidelta.analysis.render import code, grid, in_markdown
from unidelta.analysis.table import Cell, Column, Table
from unidelta.analysis.verdicts import WORDS, Verdict

_COLUMNS = (
    Column(title="claim", kind="text"),
    Column(title="the paper, on its own data", kind="text"),
    Column(title="holds if the difference is", kind="text"),
    Column(title="here", kind="text"),
    Column(title="difference", kind="difference"),
    Column(title="n", kind="count"),
    Column(title="p", kind="difference"),
    Column(title="verdict", kind="text"),
)
_INTRO = {
    "mini": "The 90 comparisons of He et al. (2022), tested on the runs at scale=mini. The miniature has its own world"
    " and backbones, so a verdict is about the miniature and not about the paper's numbers: “contradicted” means that"
    " the ordering is reversed here, not that the paper is wrong.",
    "paper": "The 90 comparisons of He et al. (2022), tested on the runs at scale=paper.",
}
_LEGEND = (
    "Differences are first minus second, in points, ± half the 95 % t-interval (Welch); n is the seeds of each"
    " side, p adjusted within the group (Holm). A verdict is frozen when it is decided, so difference and n may differ"
    " from those of tables, which pool every later seed. What the verdicts mean, and what was fixed before the runs:"
    " [protocol.md]({docs}docs/protocol.md)."
)


def overview(found: Sequence[Verdict]) -> Table:
    """The number of claims of each group by verdict."""
    columns = [Column(title="group", kind="text"), *(Column(title=word, kind="count") for word in WORDS)]
    columns.append(Column(title="largest n", kind="count"))
    own = [verdict for verdict in found if not verdict.same_as]
    mine = {group: [verdict for verdict in own if verdict.claim.group == group] for group in GROUPS}
    rows = [_counted(f"{group}: {words}", mine[group]) for group, words in GROUPS.items()]
    return Table(
        name="claims",
        title="Claims at a glance",
        caption="Comparisons of the paper by verdict.",
        columns=tuple(columns),
        rows=(*rows, _counted("all", own)),
        notes=(f"{len(found) - len(own)} of {len(found)} comparisons repeat another one and are counted once.",),
    )


def group_table(group: str, found: Sequence[Verdict], scale: Scale) -> Table:
    """The claims of one group."""
    mine = [verdict for verdict in found if verdict.claim.group == group]
    notes = dict.fromkeys(verdict.claim.note for verdict in mine if verdict.claim.note)
    return Table(
        name=group,
        title=f"{group}: {GROUPS[group]}",
        caption="",
        columns=_COLUMNS,
        rows=tuple(_row(verdict, scale) for verdict in mine),
        notes=(f"On the paper's text: {'; '.join(notes)}.",) if notes else (),
    )


def commands_of(group: str, found: Sequence[Verdict]) -> list[str]:
    """The commands for the missing runs of one group's claims, each once."""
    return list(dict.fromkeys(words for v in found if v.claim.group == group for words in v.commands))


def page(found: Sequence[Verdict], scale: Scale, *, fixed: str, docs: str) -> str:
    """The page.

    Args:
        found: every verdict.
        scale: of the runs.
        fixed: a sentence on the plan, if there is one.
        docs: the path from the page's folder to the parent of `docs/`, e.g. `../`.
    """
    parts = ["# Claims", _INTRO[scale], *filter(None, [fixed]), _LEGEND.format(docs=docs), grid(overview(found))]
    for group in GROUPS:
        table = group_table(group, found, scale)
        parts += [f"## {in_markdown(table.title)}", grid(table), *(in_markdown(note) for note in table.notes)]
        if commands := commands_of(group, found):
            what = "<details><summary>commands for the missing runs</summary>"
            parts.append(f"{what}\n\n{code(commands)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def _row(verdict: Verdict, scale: Scale) -> tuple[Cell, ...]:
    claim, difference = verdict.claim, verdict.difference
    digits = n_digits(claim.metric)
    said = f"{claim.hypothesis}: {signed(verdict.margin, digits)} {METRICS[claim.metric]} on {TASKS[claim.task]}"
    if verdict.is_margin_in_noise and verdict.noise is not None:
        said += f", within its own noise of {verdict.noise:.{digits}f}"
    return (
        Cell(text=claim.name),
        Cell(text=said),
        Cell(text=condition(verdict)),
        Cell(text=f"{task_title(claim.task, scale)} {METRICS[claim.metric]}"),
        Cell(text=difference_text(difference, digits), value=difference.mean),
        Cell(text=str(difference.n), value=difference.n),
        Cell(text=p_text(verdict.p), value=verdict.p),
        Cell(text=worded(verdict)),
    )


def worded(verdict: Verdict) -> str:
    """The verdict with what there is to say about it."""
    said = f"as {verdict.same_as}" if verdict.same_as else verdict.why
    return f"{verdict.word} ({said})" if said else verdict.word


def condition(verdict: Verdict) -> str:
    """The required difference, in points, e.g. `above 0` or `within ±0.2`."""
    claim = verdict.claim
    match claim.kind:
        case "within":
            return f"within ±{claim.bound:g}"
        case "interaction":
            return "above 0, of two differences"
        case "copied":
            return "below 0 (context, not claimed)"
        case _:
            return f"{claim.kind} {claim.bound:g}".replace("-", "−")


def _counted(label: str, found: Sequence[Verdict]) -> tuple[Cell, ...]:
    counts = Counter(verdict.word for verdict in found)
    n = max((verdict.difference.n for verdict in found), default=0)
    return (
        Cell(text=label),
        *(Cell(text=str(counts[word]), value=counts[word]) for word in WORDS),
        Cell(text=str(n), value=n),
    )
