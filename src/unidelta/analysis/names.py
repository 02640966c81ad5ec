"""Names of tasks and metrics in records, in the published numbers and in print."""

from typing import Literal

Scale = Literal["mini", "paper"]

TASKS = {"xsum": "XSum", "wmt16_en_ro": "WMT16 en-ro", "mnli": "MNLI", "sst2": "SST-2"}
"""Tasks by their names in `results/paper/`, with the paper's titles."""

_MINI = {"xsum": "mini-XSum", "wmt16_en_ro": "mini-WMT", "mnli": "mini-MNLI", "sst2": "mini-SST-2"}

METRICS = {"R1": "R-1", "R2": "R-2", "RL": "R-L", "RLsum": "R-LSum", "BLEU": "BLEU", "accuracy": "accuracy"}
"""Metrics by their names in `results/paper/`, with the heads of the paper's tables."""

_IN_RECORDS = {"R1": "rouge1", "R2": "rouge2", "RL": "rougeL", "RLsum": "rougeLsum", "accuracy": "accuracy"}


def task_in_records(task: str) -> str:
    """A task's name in records: `wmt_en_ro` for `wmt16_en_ro`; the others are the same."""
    return "wmt_en_ro" if task == "wmt16_en_ro" else task


def task_title(task: str, scale: Scale) -> str:
    """The task's title; at scale=mini the miniature's own, never that of the data set it imitates."""
    return TASKS[task] if scale == "paper" else _MINI[task]


def metric_in_records(metric: str, scale: Scale) -> str:
    """The score in records for a published metric.

    BLEU of Romanian uses the tokenisation of the mBART authors; the miniature's second language has none.
    """
    if metric == "BLEU":
        return "bleu_romanian" if scale == "paper" else "bleu"
    return _IN_RECORDS[metric]


def n_digits(metric: str) -> int:
    """How many digits of a published metric follow the point, in print: two of ROUGE, one of the others."""
    return 2 if metric.startswith("R") else 1


def panel_title(task: str, scale: str, *, names_scale: bool) -> str:
    """What a task of any records is called: the paper's and the miniature's by their names, others by their own.

    Args:
        task: as records name it.
        scale: of the records.
        names_scale: whether the name of a task of one's own says the scale, where two are shown.
    """
    known = {task_in_records(name): name for name in TASKS}.get(task)
    if known is not None and scale in ("mini", "paper"):
        return task_title(known, "paper" if scale == "paper" else "mini")
    if known is not None and scale == "small":
        return f"{TASKS[known]}, scale small"
    return f"{task}, scale {scale}" if names_scale else task


def metric_title(metric: str) -> str:
    """What an axis calls a score of any records: `ROUGE-2`, `BLEU`, or the name that records have."""
    return {"bleu": "BLEU", "bleu_romanian": "BLEU"}.get(metric, metric.replace("rouge", "ROUGE-", 1))
