"""The splits of the four tasks: the part of the world each is drawn from, and its number of rows."""

from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Any

from unidelta.errors import DataError
from unidelta.mini import tasks
from unidelta.mini.splits import DEV, TEST, TRAIN
from unidelta.mini.world import SHIPPED_SEED

_N_TRAIN, _N_DEV, _N_TEST = 8000, 1000, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One split: the part of the world, the number of rows, and for MNLI the kind of premises."""

    part: str
    n_rows: int
    is_mismatched: bool = False


_TRAIN = Split(part=TRAIN, n_rows=_N_TRAIN)
_DEV, _TEST = Split(part=DEV, n_rows=_N_DEV), Split(part=TEST, n_rows=_N_TEST)
_TEXT = {"train": _TRAIN, "validation": _DEV, "test": _TEST}
SPLITS: dict[str, dict[str, Split]] = {
    "xsum": _TEXT,
    "wmt_en_ro": _TEXT,
    "mnli": {
        "train": _TRAIN,
        "validation_matched": _DEV,
        "validation_mismatched": Split(part=DEV, n_rows=_N_DEV, is_mismatched=True),
        "test_matched": _TEST,
        "test_mismatched": Split(part=TEST, n_rows=_N_TEST, is_mismatched=True),
    },
    "sst2": _TEXT,
}
_ROW = {"xsum": tasks.xsum, "wmt_en_ro": tasks.wmt_en_ro, "mnli": tasks.mnli, "sst2": tasks.sst2}


def rows(task: str, split: str, *, seed: int = SHIPPED_SEED) -> list[dict[str, Any]]:
    """The rows of a split, with the columns of the data set that the task imitates; the same in every process.

    Unlike GLUE's, the test splits of MNLI and SST-2 have labels, so that dev and test can be separate.

    Args:
        task: xsum, wmt_en_ro, mnli or sst2.
        split: one of the task's.
        seed: of the world.

    Raises:
        DataError: there is no such task or no such split.
    """
    if task not in SPLITS:
        instead = f"one of: {', '.join(SPLITS)}; or task.source=local task.path=DIR with rows of your own"
        raise DataError(f"task={task} task.source=mini", "the miniature does not have it", instead)
    if split not in SPLITS[task]:
        instead = f"one of: {', '.join(SPLITS[task])}"
        raise DataError(f"split {split} of mini-{task}", "the miniature does not have it", instead)
    return list(_rows(task, split, seed))


@cache  # the runs of a sweep read the same rows
def _rows(task: str, split: str, seed: int) -> tuple[dict[str, Any], ...]:
    of = SPLITS[task][split]
    make = partial(tasks.mnli, mismatched=of.is_mismatched) if task == "mnli" else _ROW[task]
    rng = Random(f"unidelta/{task}/{split}/{seed}")
    return tuple(make(seed, rng, of.part) for _ in range(of.n_rows))
