"""What a run prints: its design and counts at the start, its results at the end."""

from collections.abc import Mapping
from typing import Any

from unidelta.config.run_spec import RunSpec
from unidelta.design.count import count
from unidelta.design.describe import describe
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.tasks import TASKS
from unidelta.tasks.metrics.scored import told


def print_design(spec: RunSpec) -> str:
    """A run's design and counts, in a few lines."""
    architecture = spec.backbone.architecture
    counts = count(spec.design, architecture)
    rows = (
        ("trained", counts.trained, counts.percent_trained, "what the optimiser sees"),
        ("stored", counts.stored, counts.percent_stored, "kept for inference, prefixes without their MLP"),
        ("matrices", counts.matrices, counts.percent_matrices, "as the paper counts"),
    )
    title = _title({"task": spec.task.name, "source": spec.task.source})
    lines = [
        f"{spec.method} on {title}, {architecture.name} ({counts.backbone:,} parameters), "
        f"{spec.conventions} conventions, seed {spec.seed}",
        f"  {describe(spec.design)}",
        *(f"  {name:9}{number:>13,}{percent:>9.3f} %  {meaning}" for name, number, percent, meaning in rows),
        f"  printed by the paper's rule: {counts.percent_published_rule:g} %",
    ]
    return "\n".join(lines)


def _title(at: Mapping[str, Any]) -> str:
    """The task's name; the miniature's own where its rows come from there."""
    title = TASKS[at["task"]].title
    return {"mini": f"mini-{title}", "local": f"{title} (rows of your own)"}.get(at["source"], title)


def print_record(record: RunRecord, store: RecordStore) -> str:
    """A run's results and where they were written."""
    at = record.coordinates
    place = {"scale": at["scale"], "task": at["task"], "run_id": record.run_id}
    lines = [f"\n{at['method']} on {_title(at)}, scale {at['scale']}: {record.status}"]
    if record.reason:
        lines.append(f"  {record.reason}")
    for split, values in record.metrics.items():
        if isinstance(values, dict):
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in told(values).items())
            lines.append(f"  {split:25} {numbers}  (n={values['n']})")
    cost = record.cost
    lines.append(
        f"  {cost['steps']} steps, {cost['seconds_per_step']:.3f} s each; best step {cost['best_step']}; "
        f"{cost['seconds']:.1f} s in all"
    )
    if at["scale"] == "mini" and at["source"] == "mini":
        lines.append(
            f"  {_title(at)} is an invented world; the paper's experiment is"
            f" `python train.py method={at['method']} task={at['task']} scale=paper`"
        )
    lines += [f"  record       {store.path(**place)}", f"  predictions  {store.predictions_path(**place)}"]
    return "\n".join(lines)
