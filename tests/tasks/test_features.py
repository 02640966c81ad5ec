"""Token ids in long arrays equal the lists they were made from."""

import random

import numpy as np
import pytest

from unidelta.tasks.features import Features, Ragged


def lists(n: int, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(9) for _ in range(rng.randrange(5))] for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_sequences_come_back_whole_however_they_were_joined(seed: int) -> None:
    rng = random.Random(seed)
    parts = [lists(rng.randrange(4), rng) for _ in range(4)]
    everything = [ids for part in parts for ids in part]
    joined = Ragged.joined([Ragged.of(part) for part in parts])
    assert [joined[i].tolist() for i in range(len(joined))] == everything
    assert joined.lengths().tolist() == list(map(len, everything))
    assert joined.flat.dtype == np.int32


@pytest.fixture
def features() -> Features:
    columns = {"input_ids": Ragged.of([[1, 2], [3], [4, 5, 6]]), "labels": np.array([0, 1, 0])}
    return Features(columns=columns)


def test_a_feature_is_a_row_of_every_column(features: Features) -> None:
    sequences, labels = [[1, 2], [3], [4, 5, 6]], [0, 1, 0]
    as_lists = [{"input_ids": ids, "labels": label} for ids, label in zip(sequences, labels, strict=True)]
    seen = [{"input_ids": feature["input_ids"].tolist(), "labels": feature["labels"]} for feature in features]
    assert seen == as_lists
    assert [feature["labels"] for feature in features[-2:]] == [1, 0]
    assert features[-1]["input_ids"].tolist() == [4, 5, 6]
    assert type(features[0]["labels"]) is int
    with pytest.raises(IndexError):
        features[3]


def test_plain_arrays_say_everything(features: Features) -> None:
    again = Features.from_arrays(features.arrays())
    assert sorted(features.arrays()) == ["input_ids.ends", "input_ids.flat", "labels"]
    assert [feature["input_ids"].tolist() for feature in again] == [[1, 2], [3], [4, 5, 6]]
    assert [feature["labels"] for feature in again] == [0, 1, 0]
