"""A command's parser: argparse, whose refusals have the three lines of all others."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from unidelta.errors import ConfigError


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` that raises instead of printing its usage and exiting."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        """As argparse does; what was typed is kept for the refusal."""
        self._typed = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.prog} {shlex.join(self._typed)}".strip(), message, f"{self.prog} --help")
