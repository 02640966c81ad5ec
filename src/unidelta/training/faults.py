"""Training settings that are invalid on any machine."""

import math
from collections.abc import Callable

from unidelta.errors import ConfigError, UserError
from unidelta.training.spec import POLYNOMIAL_END, TrainingSpec

_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "max_steps": (lambda n: n >= 1, "1 or more"),
    "epochs": (lambda n: n > 0, "above 0"),
    "learning_rate": (lambda lr: lr > 0, "above 0"),
    "warmup_steps": (lambda n: n >= 0, "0 or more"),
    "warmup_ratio": (lambda share: 0 <= share < 1, "from 0 to below 1"),
    "batch_size": (lambda n: n >= 1, "1 or more"),
    "accumulation": (lambda n: n >= 1, "1 or more"),
    "eval_batch_size": (lambda n: n >= 1, "1 or more"),
    "weight_decay": (lambda decay: decay >= 0, "0 or more"),
    "adam_beta1": (lambda beta: 0 <= beta < 1, "from 0 to below 1"),
    "adam_beta2": (lambda beta: 0 <= beta < 1, "from 0 to below 1"),
    "adam_epsilon": (lambda epsilon: epsilon > 0, "above 0"),
    "max_grad_norm": (lambda norm: norm > 0, "above 0; a large number, such as 1000, clips nothing"),
    "label_smoothing": (lambda share: 0 <= share < 1, "from 0 to below 1"),
    "eval_every": (lambda n: n >= 1, "1 or more, or null for the end only"),
    "log_every": (lambda n: n >= 1, "1 or more, or null"),
    "save_every_minutes": (lambda minutes: minutes >= 0, "0 (as often as losses are read) or more, or null"),
    "max_tokens": (lambda n: n >= 1, "1 or more, or null to count examples"),
}


def faults(spec: TrainingSpec) -> list[UserError]:
    """Every setting that is out of range or contradicts another; empty if all are valid."""
    errors: list[UserError] = []
    for name, (is_fine, allowed) in _RANGES.items():
        value = getattr(spec, name)
        if value is not None and not (math.isfinite(value) and is_fine(value)):
            instead = f"training.{name}={allowed}"
            errors.append(ConfigError(f"training.{name}={value}", "The value is out of range.", instead))
    return errors + _contradictions(spec)


def _contradictions(spec: TrainingSpec) -> list[UserError]:
    errors: list[UserError] = []
    if spec.max_steps is None and spec.epochs is None:
        asked = "training.max_steps=null and training.epochs=null"
        errors.append(ConfigError(asked, "A run has a length.", "training.max_steps=300 or training.epochs=3"))
    if spec.max_steps is not None and spec.epochs is not None:
        steps, epochs = f"training.max_steps={spec.max_steps}", f"training.epochs={spec.epochs:g}"
        instead = f"{epochs} training.max_steps=null, or {steps} training.epochs=null"
        errors.append(ConfigError(f"{steps} and {epochs}", "The length of a run is stated once.", instead))
    if spec.max_steps is not None and spec.warmup_steps >= spec.max_steps:
        asked = f"training.warmup_steps={spec.warmup_steps} of training.max_steps={spec.max_steps}"
        errors.append(ConfigError(asked, "The run would end before its warm-up.", "fewer warm-up steps"))
    if spec.warmup_steps and spec.warmup_ratio:
        asked = f"training.warmup_steps={spec.warmup_steps} and training.warmup_ratio={spec.warmup_ratio}"
        errors.append(ConfigError(asked, "The warm-up is stated once.", "one of the two, the other 0"))
    if spec.schedule == "polynomial" and 0 < spec.learning_rate <= POLYNOMIAL_END:
        why = f"The polynomial schedule falls to {POLYNOMIAL_END}, which is not below it."
        errors.append(ConfigError(f"training.learning_rate={spec.learning_rate}", why, "training.schedule=linear"))
    if spec.eval_every is not None and spec.evaluate_each_epoch:
        asked = f"training.eval_every={spec.eval_every} and training.evaluate_each_epoch=true"
        errors.append(ConfigError(asked, "Evaluations are counted in steps or in epochs.", "one of the two"))
    if spec.static_batches and spec.max_tokens is None:
        asked = "training.static_batches=true with training.max_tokens=null"
        instead = "training.max_tokens=4096, or training.static_batches=false"
        errors.append(ConfigError(asked, "Only batches of a number of tokens can be static.", instead))
    return errors
