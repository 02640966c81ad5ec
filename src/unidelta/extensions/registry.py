"""Registries of named things: the project's own, those of installed packages, and those a user registers.

A registry fills itself when first used: it imports every module of its package, then every entry point of its group.
So a form needs only a file in `unidelta/forms/`, or a package with an entry point in `unidelta.forms`.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from unidelta.errors import DesignError, UserError


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What a user types."""
        ...


T = TypeVar("T", bound=Named)
_SIGNS = str.maketrans("", "", "_-")  # - for the names that others gave: `xlm-roberta`


class Registry(Mapping[str, T]):
    """Things by name, in order of registration.

    Args:
        kind: their class.
        noun: what they are, in the singular: `form`.
        package: dotted name of the package whose modules register the project's own.
        first: names that are listed first; the others follow in alphabetical order of their modules.
    """

    def __init__(self, kind: type[T], noun: str, *, package: str, first: tuple[str, ...] = ()) -> None:
        self._kind, self.noun, self.package, self._first = kind, noun, package, first
        self._things: dict[str, T] = {}
        self._is_filled = False

    def register(self, thing: T) -> T:
        """Add a thing and return it.

        Raises:
            DesignError: it is of another class, or its name is taken or invalid.
        """
        kind = self._kind.__name__
        if not isinstance(thing, self._kind):
            made = type(thing).__name__
            raise DesignError(f"register the {self.noun} {made}", f"it is not a {kind}", f"class {made}({kind}):")
        name = thing.name
        if not name.translate(_SIGNS).isalnum() or not name.islower():
            raise DesignError(
                f"register the {self.noun} `{name}`",
                "a name is typed on command lines and written into records",
                "lower-case letters, digits, _ and -, such as low_rank",
            )
        if name in self._things:
            raise DesignError(
                f"register the {self.noun} `{name}`",
                f"there is one already, from {type(self._things[name]).__module__}",
                "another name",
            )
        self._things[name] = thing
        return thing

    def __getitem__(self, name: str) -> T:
        self._fill()
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        self._fill()
        known = [name for name in self._first if name in self._things]
        return iter(dict.fromkeys([*known, *self._things]))

    def __len__(self) -> int:
        self._fill()
        return len(self._things)

    def find(self, name: str, *, asked: str) -> T:
        """The thing with a name that a user typed.

        Args:
            name: the name.
            asked: the request, for the error message.

        Raises:
            DesignError: nothing has that name; the message lists all names.
        """
        if name in self:
            return self[name]
        raise DesignError(asked, f"there is no {self.noun} `{name}`", f"one of {', '.join(self)}")

    def _fill(self) -> None:
        if self._is_filled:
            return
        self._is_filled = True  # first, because imported modules may use the registry
        package = import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__, prefix=f"{self.package}."):
            import_module(module.name)
        for entry in entry_points(group=self.package):
            try:
                entry.load()
            except UserError:
                raise
            except Exception as error:
                where = f"the entry point {entry.name} = {entry.value}"
                why = f"{type(error).__name__}: {error}"
                raise DesignError(where, why, "the package that declares it fixed or uninstalled") from error
