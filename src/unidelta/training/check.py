"""Which training settings are refused, on any machine or on this one; all that are wrong are reported together."""

import math
from collections.abc import Callable, Iterator

from unidelta.errors import ConfigError, Problems, UserError
from unidelta.training.spec import POLYNOMIAL_END, TrainingSpec

_RANGES: dict[str, tuple[Callable[[float], bool], str, str]] = {
    "max_steps": (lambda n: n >= 1, "1 or more", "300"),
    "epochs": (lambda n: n > 0, "above 0", "3"),
    "learning_rate": (lambda lr: lr > 0, "above 0", "0.001"),
    "warmup_steps": (lambda n: n >= 0, "0 or more", "0"),
    "warmup_ratio": (lambda fraction: 0 <= fraction < 1, "from 0 to below 1", "0.06"),
    "batch_size": (lambda n: n >= 1, "1 or more", "16"),
    "accumulation": (lambda n: n >= 1, "1 or more", "1"),
    "eval_batch_size": (lambda n: n >= 1, "1 or more", "32"),
    "weight_decay": (lambda decay: decay >= 0, "0 or more", "0.01"),
    "adam_beta1": (lambda beta: 0 <= beta < 1, "from 0 to below 1", "0.9"),
    "adam_beta2": (lambda beta: 0 <= beta < 1, "from 0 to below 1", "0.999"),
    "adam_epsilon": (lambda epsilon: epsilon > 0, "above 0", "1e-8"),
    "max_grad_norm": (lambda norm: norm > 0, "above 0", "1000, which clips nothing"),
    "label_smoothing": (lambda fraction: 0 <= fraction < 1, "from 0 to below 1", "0.1"),
    "eval_every": (lambda n: n >= 1, "1 or more", "null, which evaluates at the end only"),
    "log_every": (lambda n: n >= 1, "1 or more", "null"),
    "save_every_minutes": (lambda minutes: minutes >= 0, "0 or more", "0, which saves as often as losses are read"),
    "max_tokens": (lambda n: n >= 1, "1 or more", "null, which counts examples"),
}


def check_training(spec: TrainingSpec) -> None:
    """Refuse settings that do not work on this machine.

    Raises:
        Problems: every setting that is out of range, contradicts another or needs other hardware.
    """
    from unidelta.training.precision import frozen_dtype  # late: torch

    errors: list[UserError] = list(wrong_settings(spec))
    try:
        frozen_dtype(spec)
    except ConfigError as error:
        errors.append(error)
    if errors:
        raise Problems(errors)


def wrong_settings(spec: TrainingSpec) -> Iterator[ConfigError]:
    """Every setting that is out of range or contradicts another, on any machine."""
    for name, (is_fine, allowed, example) in _RANGES.items():
        value = getattr(spec, name)
        if value is not None and not (value < math.inf and is_fine(value)):
            why = f"it must be a finite number, {allowed}"
            yield ConfigError(f"training.{name}={value}", why, f"training.{name}={example}")
    yield from _contradictions(spec)


def _contradictions(spec: TrainingSpec) -> Iterator[ConfigError]:
    steps = f"training.max_steps={spec.max_steps}"
    if spec.max_steps is None and spec.epochs is None:
        asked, why = "training.max_steps=null and training.epochs=null", "a run has a length, in steps or in epochs"
        yield ConfigError(asked, why, "training.max_steps=300 or training.epochs=3")
    if spec.max_steps is not None and spec.epochs is not None:
        epochs = f"training.epochs={spec.epochs:g}"
        instead = f"{epochs} training.max_steps=null, or {steps} training.epochs=null"
        yield ConfigError(f"{steps} and {epochs}", "the length of a run is stated once", instead)
    if spec.max_steps is not None and 0 < spec.max_steps <= spec.warmup_steps:
        instead = f"training.warmup_steps=0, or at most {spec.max_steps - 1}"
        asked = f"training.warmup_steps={spec.warmup_steps} of {steps}"
        yield ConfigError(asked, "the run would end before its warm-up", instead)
    if spec.warmup_steps and spec.warmup_ratio:
        asked = f"training.warmup_steps={spec.warmup_steps} and training.warmup_ratio={spec.warmup_ratio}"
        instead = "training.warmup_steps=0, or training.warmup_ratio=0"
        yield ConfigError(asked, "the warm-up is stated once", instead)
    if spec.schedule == "polynomial" and 0 < spec.learning_rate <= POLYNOMIAL_END:
        why = f"the polynomial schedule falls to {POLYNOMIAL_END}, which is not below it"
        yield ConfigError(f"training.learning_rate={spec.learning_rate}", why, "training.schedule=linear")
    if spec.eval_every is not None and spec.evaluate_each_epoch:
        asked = f"training.eval_every={spec.eval_every} and training.evaluate_each_epoch=true"
        instead = "training.eval_every=null, or training.evaluate_each_epoch=false"
        yield ConfigError(asked, "evaluations are counted in steps or in epochs", instead)
    if spec.static_batches and spec.max_tokens is None:
        asked = "training.static_batches=true with training.max_tokens=null"
        instead = "training.max_tokens=4096, or training.static_batches=false"
        yield ConfigError(asked, "only batches of a number of tokens can be static", instead)
