"""What every command does: it ends quietly when nobody reads its output, and prints a user's mistake in three lines."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from unidelta.console.closed_pipe import drop_unread_output
from unidelta.console.program import as_started
from unidelta.errors import ExitStatus, UserError, of_system, status_of

P = ParamSpec("P")


def as_command(main: Callable[P, int]) -> Callable[P, ExitStatus]:
    """A command's `main`, whose exit status is that of the error if a user error ends it."""

    @wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> ExitStatus:
        drop_unread_output()
        try:
            return ExitStatus(main(*args, **kwargs))
        except UserError as error:
            refused = error
        except OSError as error:
            refused = of_system(error)
        print(as_started(str(refused)), file=sys.stderr)
        return status_of(refused)

    return wrapped
