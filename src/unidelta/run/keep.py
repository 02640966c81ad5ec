"""What a run keeps of its model, beside its record: its deltas, or the whole model where it was tuned as a whole."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from unidelta.backbones.loading import LoadedBackbone
from unidelta.errors import RecordError, first_line
from unidelta.injection import saved
from unidelta.injection.card import TrainedBy
from unidelta.injection.injection import Injection
from unidelta.records.atomic import another_folder, system_errors_named, whole_folder
from unidelta.records.redact import shareable
from unidelta.run.describe import task_title
from unidelta.run.execution import Execution


def keep(execution: Execution, injection: Injection, backbone: LoadedBackbone, scores: Mapping[str, Any]) -> None:
    """Write what the run was asked to keep.

    Args:
        execution: the run.
        injection: the trained model.
        backbone: what was loaded for it.
        scores: by split, for the model card.

    Raises:
        RecordError: the disk does not take it.
    """
    spec, folder = execution.spec, execution.files.deltas
    for killed in folder.parent.glob(f".{folder.name}.*.partial"):
        shutil.rmtree(killed, ignore_errors=True)
    if execution.saves_deltas and saved.saves_apart(spec.design):
        trained_by = TrainedBy(
            method=spec.method,
            task=task_title(spec.task),
            backbone=spec.backbone.architecture.name,
            command=shareable(execution.command, environment=os.environ),
            scores=scores,
            seed=spec.seed,
        )
        run_id = execution.files.run_id
        with another_folder("results_dir=DIR"):
            saved.save(injection, folder, run_id=run_id, new=backbone.new, trained_by=trained_by)
    if not execution.saves_model:
        return
    try:
        with another_folder("results_dir=DIR"), system_errors_named(folder), whole_folder(folder) as partial:
            injection.model.save_pretrained(partial)
            backbone.tokenizer.save_pretrained(partial)
            shutil.rmtree(folder, ignore_errors=True)  # of an earlier run
    except ValueError as error:  # such as of its generation config
        why = f"transformers: {first_line(error)}"
        raise RecordError(f"save_model=true to {folder}", why, "save_model=false, or a checkpoint mended") from error
