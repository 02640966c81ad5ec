"""Which training settings work on this machine; all that do not are reported together."""

from unidelta.errors import ConfigError, Problems
from unidelta.training.faults import faults
from unidelta.training.precision import frozen_dtype
from unidelta.training.spec import TrainingSpec


def check_training(spec: TrainingSpec) -> None:
    """Refuse settings that do not work on this machine.

    Raises:
        Problems: every setting that is out of range, contradicts another or needs other hardware.
    """
    errors = faults(spec)
    try:
        frozen_dtype(spec)
    except ConfigError as error:
        errors.append(error)
    if errors:
        raise Problems(errors)
