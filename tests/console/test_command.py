"""What the system does not give is told in three lines, whatever the command; other errors are raised."""

import errno
import sys

import pytest

from unidelta.console.command import as_command
from unidelta.errors import ConfigError, DamagedRecord, first_line


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "chmod"),
        (errno.EROFS, "results_dir=DIR"),
        (errno.ENOSPC, "on a disk with room"),
        (errno.ENOTDIR, "another folder"),
        (errno.ENOENT, "another path"),
        (errno.ENAMETOOLONG, "a shorter name"),
        (errno.EIO, "another folder"),
        (errno.EMFILE, "another folder"),
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


@pytest.mark.parametrize(
    ("started", "advice"),
    [("unidelta report", "unidelta train x, unidelta sweep y"), ("report.py", "python train.py x, python sweep.py y")],
)
def test_what_is_advised_can_be_typed_where_the_command_was(started, advice, monkeypatch, capsys):
    @as_command
    def main() -> int:
        raise ConfigError("a", "b", "python train.py x, python sweep.py y")

    monkeypatch.setattr(sys, "argv", [started])
    main()
    assert capsys.readouterr().err.splitlines()[-1] == f"Instead:    {advice}"


@pytest.mark.parametrize("code", [errno.ECONNRESET, errno.ENOENT])
def test_other_errors_are_raised(code):
    @as_command
    def main() -> int:
        raise OSError(code, "of no file")

    with pytest.raises(OSError, match="of no file"):
        main()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("It is wrong.", "It is wrong"),
        ("loading a.b...", "loading a.b..."),
        ("  of two\nlines. ", "of two"),
        ("", "ValueError"),
    ],
)
def test_what_a_library_says_is_one_line_without_its_full_stop(said, line):
    assert first_line(ValueError(said)) == line
