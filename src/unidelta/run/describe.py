"""What a run prints: its design and counts at the start, its results at the end."""

import json
from collections.abc import Iterator

from unidelta.backbones.loading import LoadedBackbone
from unidelta.config.run_spec import RunSpec
from unidelta.console.program import as_started
from unidelta.design.count import count
from unidelta.design.describe import describe
from unidelta.design.spec import parts_of
from unidelta.records.record import RunRecord
from unidelta.records.run_files import RunFiles
from unidelta.run.coordinates import coordinates, parameters
from unidelta.tasks import TaskSpec
from unidelta.tasks.metrics.scored import printed_scores


def design_text(spec: RunSpec) -> str:
    """A run's design and counts, in a few lines."""
    architecture = spec.backbone.architecture
    counts = count(spec.design, architecture)
    rows = (
        ("trained", counts.trained, counts.percent_trained, "what the optimiser sees"),
        ("stored", counts.stored, counts.percent_stored, "kept for inference, prefixes without their MLP"),
        ("matrices", counts.matrices, counts.percent_matrices, "as the paper counts"),
    )
    title = task_title(spec.task)
    lines = [
        f"{spec.method} on {title}, {architecture.name} ({counts.backbone:,} parameters), "
        f"{spec.conventions} conventions, seed {spec.seed}",
        f"  {describe(spec.design)}",
        *(f"  {name:9}{number:>13,}{percent:>9.3f} %  {meaning}" for name, number, percent, meaning in rows),
        f"  printed by the paper's rule: {counts.percent_published_rule:g} %",
    ]
    return "\n".join(lines)


def dry_run(spec: RunSpec) -> None:
    """Print what a run would train, and the same as a JSON object in the last line.

    The counts are in closed form: `python -m unidelta.fidelity counts` and the tests compare them with the parameters
    of real models.
    """
    print(design_text(spec))
    bottlenecks = {str(part.slot): part.bottleneck for part in parts_of(spec.design)}
    last = {**coordinates(spec), "design": describe(spec.design), "bottlenecks": bottlenecks, **parameters(spec)}
    print(json.dumps(last, ensure_ascii=False))


def checkpoint_lines(backbone: LoadedBackbone) -> Iterator[str]:
    """What a person should know of a checkpoint: what it lacked, and how its own classification head is used."""
    if backbone.new:
        modules = ", ".join(dict.fromkeys(name.rpartition(".")[0] for name in backbone.new))
        yield f"new, drawn from the seed: {modules}"
    if backbone.inherited:
        yield f"classification head of the checkpoint: {backbone.inherited}"


def task_title(task: TaskSpec) -> str:
    """The task's title; its name in the miniature if its rows come from there."""
    return {"mini": f"mini-{task.title}", "local": f"{task.title} (rows of your own)"}.get(task.source, task.title)


def record_text(record: RunRecord, task: TaskSpec, files: RunFiles) -> str:
    """A run's results and where they were written."""
    at = record.coordinates
    lines = [f"\n{at['method']} on {task_title(task)}, scale {at['scale']}: {record.status}"]
    if record.reason:
        lines.append(f"  {record.reason}")
    for split, values in record.metrics.items():
        if isinstance(values, dict):
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in printed_scores(values).items())
            lines.append(f"  {split:25} {numbers}  (n={values['n']})")
    cost = record.cost
    best = "" if cost["best_step"] is None else f" best step {cost['best_step']};"
    lines.append(
        f"  {cost['steps']} steps, {cost['seconds_per_step']:.3f} s each;{best} {cost['seconds']:.1f} s in all"
    )
    if at["scale"] == "mini" and at["source"] == "mini":
        lines.append(
            f"  {task_title(task)} is an invented world; the paper's experiment is"
            f" `python train.py method={at['method']} task={at['task']} scale=paper`"
        )
    named = {"record": files.record, "predictions": files.predictions}
    lines += [f"  {what:11}  {path}" for what, path in named.items() if path.exists()]  # of a diverged run, one
    return as_started("\n".join(lines))
