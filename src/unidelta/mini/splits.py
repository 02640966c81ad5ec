"""Which split an item belongs to: decided by the item itself, so that no draw can put it into two.

The words that make an item are hashed; a tenth of all items are dev items, a tenth test items. Training data and
pretraining text are drawn from what is left. The seed of the world is part of the hash: items of one world say
nothing about another, which is why backbones of one world are never used with the tasks of another.
"""

import hashlib

TRAIN, DEV, TEST = "train", "dev", "test"
_N_BUCKETS = 10


def part_of(item: str, *, seed: int) -> str:
    """The part, `train`, `dev` or `test`, to which an item belongs.

    Args:
        item: the words that make it what it is.
        seed: of the world.
    """
    bucket = int.from_bytes(hashlib.sha256(f"{seed}/{item}".encode()).digest()[:8], "big") % _N_BUCKETS
    return {0: DEV, 1: TEST}.get(bucket, TRAIN)
