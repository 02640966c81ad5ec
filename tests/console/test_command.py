"""What the system does not give is told in three lines, whatever the command; other errors are raised."""

import errno

import pytest

from unidelta.console.command import as_command
from unidelta.errors import ConfigError, DamagedRecord


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "chmod"),
        (errno.EROFS, "results_dir=DIR"),
        (errno.ENOSPC, "on a disk with room"),
        (errno.ENOTDIR, "another folder"),
    ],
)
def test_an_error_of_the_system_is_told_with_its_file(code, advice, capsys):
    @as_command
    def main() -> int:
        raise OSError(code, "no", "/somewhere/runs")

    assert main() == 2
    asked, why, instead = capsys.readouterr().err.splitlines()
    assert asked.endswith("use /somewhere/runs") and f"(errno {code})" in why and advice in instead


@pytest.mark.parametrize(
    ("error", "status"),
    [(ConfigError("a", "b", "c"), 2), (DamagedRecord("a", "b", "c"), 3)],
    ids=["refused", "damaged"],
)
def test_a_user_error_ends_with_its_status(error, status, capsys):
    @as_command
    def main() -> int:
        raise error

    assert main() == status and capsys.readouterr().err == f"{error}\n"


def test_other_errors_are_raised():
    @as_command
    def main() -> int:
        raise ConnectionResetError(errno.ECONNRESET, "by peer")

    with pytest.raises(ConnectionResetError):
        main()
