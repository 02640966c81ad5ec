"""Token ids of a split in a few long arrays, accessed as one feature per row.

A feature holds `input_ids` and `labels` (for classification `token_type_ids` too, where the tokenizer has them) as
32-bit arrays; a class is an int. XSum's training split is 0.4 GB this way, and 3 GB as Python lists. Attention masks
are made when batches are padded, because an unpadded example attends to all of itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias, overload

import numpy as np

Feature: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ragged:
    """Sequences of different lengths, concatenated.

    Args:
        flat: all their ids, 32-bit.
        ends: where each sequence ends in `flat`, 64-bit.
    """

    flat: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> "Ragged":
        """From lists of ids."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        ids: Iterable[int] = chain.from_iterable(sequences)
        return cls(flat=np.fromiter(ids, dtype=np.int32, count=int(lengths.sum())), ends=lengths.cumsum())

    @classmethod
    def joined(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """The sequences of all parts (at least one), in order."""
        begins = np.cumsum([0, *(len(part.flat) for part in parts[:-1])])
        ends = [part.ends + begin for part, begin in zip(parts, begins, strict=True)]
        return cls(flat=np.concatenate([part.flat for part in parts]), ends=np.concatenate(ends))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> np.ndarray:
        return self.flat[self.ends[i - 1] if i else 0 : self.ends[i]]

    def lengths(self) -> np.ndarray:
        """The number of ids of each sequence."""
        return np.diff(self.ends, prepend=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features(Sequence[Feature]):
    """The features of a split, each made when it is asked for.

    Args:
        columns: by name, sequences or one number per row, all of equal length.
    """

    columns: Mapping[str, Ragged | np.ndarray]

    def __len__(self) -> int:
        return len(self.columns["input_ids"])

    @overload
    def __getitem__(self, index: int) -> Feature: ...

    @overload
    def __getitem__(self, index: slice) -> list[Feature]: ...

    def __getitem__(self, index: int | slice) -> Feature | list[Feature]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]  # an index from the end, or one that is out of range
        return {
            name: column[i] if isinstance(column, Ragged) else int(column[i]) for name, column in self.columns.items()
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays by name; the inverse of `from_arrays`."""
        arrays: dict[str, np.ndarray] = {}
        for name, column in self.columns.items():
            if isinstance(column, Ragged):
                arrays |= {f"{name}.flat": column.flat, f"{name}.ends": column.ends}
            else:
                arrays[name] = column
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Features":
        """From the arrays returned by `arrays`."""
        columns: dict[str, Ragged | np.ndarray] = {}
        for key, array in arrays.items():
            name, _, part = key.partition(".")
            if not part:
                columns[name] = array
            elif part == "flat":
                columns[name] = Ragged(flat=array, ends=arrays[f"{name}.ends"])
        return cls(columns=columns)
