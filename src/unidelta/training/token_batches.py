"""Batches of up to a number of tokens, padding included: on en-ro 4,096, four per step (Table 8: 16,384).

The composition is that of the authors' code (`make_dynamic_sampler`, which calls fairseq's `batch_by_size`): longest
sources first, as many examples as fit, and more than 64 only in multiples of 64. An example has as many tokens as its
source or its target, whichever is longer; of a decoder-only model, as both together.
"""

from collections.abc import Callable, Sequence

import numpy as np

from unidelta.errors import ConfigError
from unidelta.tasks.features import Feature

_MULTIPLE = 64  # fairseq's required_batch_size_multiple, as the authors call it


class TokenBatches:
    """Batches in which longest example × number of examples is at most `max_tokens`.

    Which examples share a batch never changes; only the order of the batches can. Static batches follow the
    released code: shuffled once, then the largest batch (longest source × examples) put first, so that a lack
    of memory shows at once, and the same order in every epoch. (Their order came from NumPy's global generator and
    cannot be reproduced; here the seed decides it.) Otherwise the batches are reshuffled each epoch.

    Args:
        features: the examples.
        max_tokens: the budget of a batch.
        is_static: whether every epoch has the same order.
        seed: of the order.
        is_joined: whether source and target are one sequence, which has the tokens of both.

    Attributes:
        n_tokens: width × number of examples, of every batch. The width is that of the longer of its longest source and
            its longest target; of both together where they are joined, as each is padded by itself.

    Raises:
        ConfigError: an example alone is above the budget.
    """

    def __init__(
        self, features: Sequence[Feature], *, max_tokens: int, is_static: bool, seed: int, is_joined: bool = False
    ) -> None:
        sources = np.array([len(feature["input_ids"]) for feature in features])
        targets = np.array([np.size(feature["labels"]) for feature in features])
        width = _joined if is_joined else max
        _check(sources + targets if is_joined else np.maximum(sources, targets), max_tokens)
        self._batches = _compose(sources, targets, max_tokens, width)
        self.n_tokens = [len(batch) * int(width(sources[batch].max(), targets[batch].max())) for batch in self._batches]
        self._is_static, self._seed = is_static, seed
        order = np.random.default_rng(seed).permutation(len(self._batches))
        largest = int(np.argmax([len(self._batches[i]) * sources[self._batches[i]].max() for i in order]))
        order[[0, largest]] = order[[largest, 0]]
        self._static_order = order

    def __len__(self) -> int:
        return len(self._batches)

    def of_epoch(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch, counted from 0, as positions of examples."""
        order = self._static_order
        if not self._is_static:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._batches))
        return [self._batches[i] for i in order]


def _joined(source: int, target: int) -> int:
    return source + target


def _compose(
    sources: np.ndarray, targets: np.ndarray, max_tokens: int, width: Callable[[int, int], int]
) -> list[list[int]]:
    """Positions of the examples of each batch; sources of equal length keep the order of the data."""
    order = np.argsort(-sources, kind="stable")
    in_order = targets[order].tolist()
    batches: list[list[int]] = []
    begin = 0
    while begin < len(in_order):
        end, source, target = begin, int(sources[order[begin]]), 0  # the longest source comes first
        while end < len(in_order):
            target = max(target, in_order[end])
            if width(source, target) * (end + 1 - begin) > max_tokens:
                break
            end += 1
        size = end - begin
        size -= size % _MULTIPLE if size > _MULTIPLE else 0
        batches.append(order[begin : begin + size].tolist())
        begin += size
    return batches


def _check(lengths: np.ndarray, max_tokens: int) -> None:
    too_long = np.flatnonzero(lengths > max_tokens)
    if not len(too_long):
        return
    longest = int(lengths.max())
    why = f"example {too_long[0] + 1} of the training split alone has {lengths[too_long[0]]} tokens"
    if len(too_long) > 1:
        why += f", and {len(too_long) - 1} more are above the budget too"
    instead = (
        f"training.max_tokens={longest}, or task.max_source_length={max_tokens} task.max_target_length={max_tokens}"
    )
    raise ConfigError(f"training.max_tokens={max_tokens}", why, instead)
