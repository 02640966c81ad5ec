"""Registries of named things: the project's own, those of installed packages, and those a user registers.

A registry fills itself when first used: it imports every module of its package, then every entry point of its group.
So a form needs only a file in `unidelta/forms/`, or a package with an entry point in `unidelta.forms`.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar

from unidelta.errors import DesignError, UserError
from unidelta.extensions.origin import Origin, origin


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What a user types."""
        ...


T = TypeVar("T", bound=Named)
_SIGNS = str.maketrans("", "", "_-")  # - for the names that others gave: `xlm-roberta`
_REGISTRIES: "list[Registry[Any]]" = []


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
        self._origins: dict[str, Origin] = {}
        self._is_filled = self._is_filling = False
        _REGISTRIES.append(self)

    def register(self, thing: T) -> T:
        """Add a thing and return it.

        Raises:
            DesignError: it is of another class, or its name is taken or invalid.
        """
        kind, here = self._kind.__name__, origin()
        if not here.module.startswith(f"{self.package}."):
            self._fill()  # before names are compared
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
                f"there is one already, of {self._origins[name].file}; this one is of {here.file}",
                "another name",
            )
        self._things[name], self._origins[name] = thing, here
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

    def file_of(self, name: str) -> str:
        """The file that registered a thing."""
        return self._origins[name].file

    def registered_in(self, path: Path) -> list[str]:
        """The names that a file, or the files of a folder, registered."""
        return [name for name, where in self._origins.items() if Path(where.file).is_relative_to(path)]

    def forget(self, folder: Path) -> None:
        """Take back what the files of a folder registered."""
        for name in self.registered_in(folder):
            self._things.pop(name, None)
            del self._origins[name]

    def _fill(self) -> None:
        if self._is_filled or self._is_filling:  # imported modules may use the registry
            return
        self._is_filling = True
        try:
            package = import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__, prefix=f"{self.package}."):
                import_module(module.name)
            for entry in entry_points(group=self.package):
                self._load(entry)
        finally:
            self._is_filling = False
        self._is_filled = True

    def _load(self, entry: EntryPoint) -> None:
        """Import what a package declares; of a failure nothing stays, so that every later use fails as the first."""
        things, origins = dict(self._things), dict(self._origins)
        try:
            entry.load()
        except Exception as error:
            self._things, self._origins = things, origins
            if isinstance(error, UserError):
                raise
            where = f"the entry point {entry.name} = {entry.value}"
            why = f"{type(error).__name__}: {error}"
            raise DesignError(where, why, "the package that declares it fixed or uninstalled") from error


def forget(folder: Path) -> None:
    """Take back what the files of a folder registered, of any kind."""
    for registry in _REGISTRIES:
        registry.forget(folder)


def registered_in(path: Path) -> list[str]:
    """The names that a file, or the files of a folder, registered, of any kind."""
    return [name for registry in _REGISTRIES for name in registry.registered_in(path)]
