"""An option that is given once; argparse would silently take the last one."""

import argparse
from typing import Any


class Once(argparse.Action):
    """Store a value, and refuse a second one."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, _: Any = None
    ) -> None:
        """Store it."""
        seen = vars(namespace).setdefault("_given", set())
        if self.dest in seen:
            parser.error(f"{self.option_strings[0]} is given twice; a command takes one")
        seen.add(self.dest)
        setattr(namespace, self.dest, values)
