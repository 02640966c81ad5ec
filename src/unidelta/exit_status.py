"""What a command of this project tells the shell, in one number."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a run, a job or a sweep ended."""

    DONE = 0
    FAILED = 1  # a programming error, or some job of several
    REFUSED = 2  # a request that cannot be met
    DAMAGED = 3  # a file is not what it was
    DIVERGED = 4  # losses or gradients ceased to be finite
    INTERRUPTED = 75  # stopped from outside; the same command goes on
