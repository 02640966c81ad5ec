"""User errors in three parts (what was asked, why it cannot be, what to type instead), and exit codes.

Everything raised on purpose for a user's mistake derives from `UserError`; all other exceptions are
programming errors. Several mistakes are reported together as one `Problems`.
"""

import errno
import os
from collections.abc import Sequence
from enum import IntEnum


class UserError(Exception):
    """A request that cannot be met, explained in three lines.

    Args:
        asked: what was asked, in the keys and values that the user typed.
        why: why it cannot be.
        instead: what to type or do instead.
    """

    def __init__(self, asked: str, why: str, instead: str) -> None:
        super().__init__(asked, why, instead)
        self.asked, self.why, self.instead = asked, why, instead

    def __str__(self) -> str:
        return f"You asked:  {self.asked}\nWhy not:    {self.why}\nInstead:    {self.instead}"


class ConfigError(UserError):
    """A configuration value that is unknown, missing or out of range."""


class DesignError(UserError):
    """A delta, or a combination of deltas, that does not exist on this backbone."""


class DataError(UserError):
    """Data that is missing, unreachable or damaged."""


class BackboneError(UserError):
    """A pretrained model that is missing, damaged or of a different architecture."""


class SavedDeltasError(UserError):
    """Saved deltas that are missing or belong to another backbone."""


class ExchangeError(UserError):
    """Deltas that another library's format cannot express, or a folder of another library that cannot be read here."""


class RecordError(UserError):
    """A record that cannot be read or written."""


class IntegrityError(UserError):
    """A file whose content has changed since it was written, or that belongs to a different run."""


class DamagedRecord(RecordError, IntegrityError):
    """A record that is truncated, altered or not a record."""


class DamagedWeights(BackboneError, IntegrityError):
    """A pretrained model's weights whose content has changed since they were written."""


class DamagedDeltas(SavedDeltasError, IntegrityError):
    """Saved deltas whose content has changed since they were written."""


class Unfinished(BaseException):
    """A run that is not finished, without any error; the same command resumes it.

    Not an `Exception`: a signal may come inside a library that catches every `Exception` and carries on.
    """


class Interrupted(Unfinished):
    """A run that was asked to stop by a signal."""


class AlreadyRunning(Unfinished):
    """A run that another process is working on."""


class Problems(UserError):
    """Several user errors, found together and reported together.

    Args:
        errors: at least one error; nested `Problems` are flattened.
    """

    def __init__(self, errors: Sequence[UserError]) -> None:
        if not errors:
            raise ValueError("`errors` must not be empty.")
        flat: list[UserError] = []
        for error in errors:
            flat.extend(error.errors if isinstance(error, Problems) else [error])
        self.errors = tuple(flat)
        super().__init__(flat[0].asked, flat[0].why, flat[0].instead)

    def __str__(self) -> str:
        if len(self.errors) == 1:
            return str(self.errors[0])
        numbered = (f"Problem {i} of {len(self.errors)}\n{error}" for i, error in enumerate(self.errors, 1))
        return "\n\n".join(numbered)


_OF_SYSTEM = (
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EFBIG,
    errno.EIO,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
)


_INSTEAD = {errno.ENOENT: "what was there back in its place, or another path", errno.ENAMETOOLONG: "a shorter name"}


class ExitStatus(IntEnum):
    """How a run, a job or a sweep ended."""

    DONE = 0
    FAILED = 1  # a programming error, or at least one job of a sweep failed
    REFUSED = 2  # an invalid request
    DAMAGED = 3  # a file is damaged or belongs to another run
    DIVERGED = 4  # the loss or the gradients are no longer finite, or the loss exploded
    INTERRUPTED = 75  # stopped by a signal, or running elsewhere; the same command resumes it (EX_TEMPFAIL)


STATUS_OF_RUN = {
    "complete": ExitStatus.DONE,
    "diverged": ExitStatus.DIVERGED,
    "failed": ExitStatus.FAILED,
    "interrupted": ExitStatus.INTERRUPTED,
}
"""The exit status for each status of a run's record."""


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line without a full stop; its type if it says nothing."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line if line.endswith("..") else line.removesuffix(".")


def of_system(error: OSError) -> UserError:
    """The refusal of a file or folder that the system does not give: none, permissions, a full disk, a file in the way.

    Raises:
        OSError: the error, if it is of another kind.
    """
    if error.errno == errno.ENOENT and error.filename is None and not _has_working_directory():
        return UserError("a command in this folder", "the folder has been removed", "cd DIR, to a folder that exists")
    if error.errno not in _OF_SYSTEM or (error.errno == errno.ENOENT and error.filename is None):
        raise error
    what = "a file" if error.filename is None else str(error.filename)
    why = f"{error.strerror} (errno {error.errno})"
    if isinstance(error, PermissionError):
        return UserError(f"use {what}", why, f"another folder, or its owner runs: chmod -R u+rwX {what}")
    return UserError(
        f"use {what}", why, _INSTEAD.get(error.errno, "another folder, such as results_dir=DIR, on a disk with room")
    )


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def status_of(error: UserError | Unfinished) -> ExitStatus:
    """The exit status of an error; `DAMAGED` only if every problem is damage."""
    if isinstance(error, Unfinished):
        return ExitStatus.INTERRUPTED
    errors = error.errors if isinstance(error, Problems) else (error,)
    is_damage = all(isinstance(each, IntegrityError) for each in errors)
    return ExitStatus.DAMAGED if is_damage else ExitStatus.REFUSED
