"""Output into a pipe whose reader may leave early: `python report.py table3 | head`."""

import os
import sys


def print_no_more() -> None:
    """After a BrokenPipeError: what is printed from now on is dropped, with what Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
