"""The split of an item, decided by a hash of the item, so that no draw can put it into two splits.

A tenth of all items are dev items, a tenth test items; training data and pretraining text are drawn from the rest. The
seed of the world is part of the hash, so splits differ between worlds, and backbones of one world are never used with
the tasks of another.
"""

import hashlib

TRAIN, DEV, TEST = "train", "dev", "test"
_N_BUCKETS = 10


def part_of(item: str, *, seed: int) -> str:
    """The part, `train`, `dev` or `test`, to which an item belongs.

    Args:
        item: the words that identify it.
        seed: of the world.
    """
    bucket = int.from_bytes(hashlib.sha256(f"{seed}/{item}".encode()).digest()[:8], "big") % _N_BUCKETS
    return {0: DEV, 1: TEST}.get(bucket, TRAIN)
