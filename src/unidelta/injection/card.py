"""The model card beside saved deltas, README.md: what they are, how they came about, how to load them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unidelta.design.describe import describe, table1
from unidelta.design.spec import Deltas
from unidelta.injection.injection import Injection

CARD = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedBy:
    """The run that trained the deltas.

    Args:
        method: its name.
        task: the task's title.
        backbone: what the backbone is called, or where it is from.
        command: as typed.
        scores: by split, as in the record.
        seed: of the run.
    """

    method: str
    task: str
    backbone: str
    command: Sequence[str]
    scores: Mapping[str, Any]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What reads the folder.

    Args:
        library: by the name that the model hub knows.
        code: Python that does.
    """

    library: str
    code: str


_OURS = Reader(
    library="unidelta",
    code="""\
import unidelta

unidelta.load("this folder", model)  # a stock model of transformers with the weights that the run began with""",
)


def card(injection: Injection, trained_by: TrainedBy | None, reader: Reader = _OURS) -> str:
    """The card, for people and for a model hub, which reads its first lines.

    Args:
        injection: the deltas.
        trained_by: the run; None if there was no run.
        reader: what reads the folder.
    """
    name = "Deltas" if trained_by is None else f"{trained_by.method} on {trained_by.task}"
    counts = injection.counts()
    parts = [
        _front_matter(injection, trained_by, reader.library),
        f"# {name}",
        f"`{describe(injection.design)}` in a `{type(injection.model).__name__}` of {counts.backbone:,} parameters:",
        table1({name: injection.design}).strip() if isinstance(injection.design, Deltas) else "",
        _table(
            ("parameters", "number", "% of the backbone"),
            [
                ("trained", f"{counts.trained:,}", f"{counts.percent_trained:.3f}"),
                ("stored", f"{counts.stored:,}", f"{counts.percent_stored:.3f}"),
                ("matrices, as the paper counts", f"{counts.matrices:,}", f"{counts.percent_matrices:.3f}"),
            ],
        ),
    ]
    if trained_by is not None:
        parts += [*_scores(trained_by), "## How it was trained", f"```bash\n{' '.join(trained_by.command)}\n```"]
    parts += ["## How to load it", f"```python\n{reader.code}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(injection: Injection, trained_by: TrainedBy | None, library: str) -> str:
    lines = [f"library_name: {library}", "license:  # yours to fill in", "tags:", "- parameter-efficient"]
    lines.append(f"- {injection.model.config.model_type}")
    if trained_by is not None:
        lines += [f"- {trained_by.method}", f"base_model: {trained_by.backbone}"]
    return "---\n" + "\n".join(lines) + "\n---"


def _scores(trained_by: TrainedBy) -> list[str]:
    rows = [
        (split, name, f"{value:.2f}", _interval(values, name), str(values["n"]))
        for split, values in trained_by.scores.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
        if isinstance(value, float) and name != "loss"
    ]
    if not rows:
        return []
    said = f"One run, seed {trained_by.seed}: nothing is known of the spread over seeds. n is the number of examples."
    return [
        "## How good it is",
        _table(("split", "score", "value", "95 % interval over examples", "n"), rows),
        said,
    ]


def _interval(values: Mapping[str, Any], name: str) -> str:
    found = values.get("interval95", {}).get(name)
    return "–" if found is None else f"{found[0]:.2f} to {found[1]:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
