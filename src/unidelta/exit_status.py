"""What a command of this project tells the shell, in one number."""

from enum import IntEnum

from unidelta.errors import IntegrityError, Problems, Unfinished, UserError


class ExitStatus(IntEnum):
    """How a run, a job or a sweep ended."""

    DONE = 0
    FAILED = 1  # a programming error, or some job of several
    REFUSED = 2  # a request that cannot be met
    DAMAGED = 3  # a file is not what it was
    DIVERGED = 4  # losses or gradients ceased to be finite
    INTERRUPTED = 75  # stopped from outside, or running elsewhere; the same command goes on (EX_TEMPFAIL)


def status_of(error: UserError | Unfinished) -> ExitStatus:
    """What an error is to the shell: damage only where nothing else is wrong."""
    if isinstance(error, Unfinished):
        return ExitStatus.INTERRUPTED
    errors = error.errors if isinstance(error, Problems) else (error,)
    is_damage = all(isinstance(each, IntegrityError) for each in errors)
    return ExitStatus.DAMAGED if is_damage else ExitStatus.REFUSED
