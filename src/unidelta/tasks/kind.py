"""A kind of task: the columns of its rows and what a model predicts from them; one file each in `kinds/`."""

from dataclasses import dataclass
from typing import Literal

from unidelta.extensions.registry import Registry

Output = Literal["text", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of task.

    Args:
        name: as used in `task.kind`.
        does: what a model does, for sentences such as "sst2 classifies".
        output: what it predicts, and so what metrics compare.
        sources: roles of the source texts, in the order that the tokenizer expects.
        optional: sources that a task may leave out.
        target: role of what is predicted.
    """

    name: str
    does: str
    output: Output
    sources: tuple[str, ...]
    target: str
    optional: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of its columns: the keys of `task.columns` that it reads."""
        return (*self.sources, self.target)


KINDS: Registry[Kind] = Registry(Kind, "kind of task", package="unidelta.tasks.kinds")
"""Every kind by name."""
