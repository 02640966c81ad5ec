"""`TrainingConfig` to `TrainingSpec`: the settings of an optimisation, where there is one."""

from dataclasses import fields
from typing import Any

from unidelta.config.reading import leave, plain
from unidelta.config.schema import RunConfig, TrainingConfig
from unidelta.config.tuned_rate import learning_rate
from unidelta.design.architecture import Architecture
from unidelta.design.spec import Design, Frozen
from unidelta.training.spec import TrainingSpec

WITHOUT_TRAINING = ("eval_batch_size", "precision", "backbone_dtype", "device", "progress")
"""Settings that a run reads which trains nothing; the others are in its spec, and in its record, for comparison."""


def resolve_training(config: RunConfig, design: Design, architecture: Architecture) -> TrainingSpec:
    """The training of a run."""
    training, names = config.training, [field.name for field in fields(TrainingSpec)]
    values = _settings(plain(config).training)
    if isinstance(design, Frozen):
        why, instead = f"{config.method.name} trains nothing", "leave it out, or a method that trains: method=lora"
        leave(config, [f"training.{name}" for name in names if name not in WITHOUT_TRAINING], why, instead)
        names = list(WITHOUT_TRAINING)
    elif training.max_tokens is not None:
        asked = f"training.max_tokens={training.max_tokens}"
        why = f"{asked} sizes batches in tokens, so the number of examples is not used"
        instead = "training.max_tokens=null training.batch_size=N, or training.max_tokens=N alone"
        leave(config, ["training.batch_size"], why, instead)
        names.remove("batch_size")
        values["batch_size"] = TrainingConfig.batch_size
    values |= {name: getattr(training, name) for name in names}
    if not isinstance(design, Frozen):
        values["learning_rate"] = learning_rate(config, design, architecture)
    return TrainingSpec(**values)


def every_training_setting(config: RunConfig) -> TrainingSpec:
    """All settings as they were asked for, read by this run or not: to be checked."""
    return TrainingSpec(**_settings(config.training))


def _settings(training: TrainingConfig) -> dict[str, Any]:
    values = {field.name: getattr(training, field.name) for field in fields(TrainingSpec)}
    rate = TrainingConfig.learning_rate if training.learning_rate is None else training.learning_rate
    return {**values, "learning_rate": rate}
