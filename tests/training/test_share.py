"""Several processes together do what one does, step by step."""

from dataclasses import replace
from itertools import chain

import pytest
import torch

from unidelta.errors import ConfigError
from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.processes import ALONE, Processes
from unidelta.training.random_batches import RandomBatches
from unidelta.training.share import SharedBatches, WithFiller, blanking, share


def shared(spec, n: int, *, n_examples: int = 29) -> list[SharedBatches]:
    """The batches of every process."""
    made = []
    for rank in range(n):
        part = share(spec, Processes(rank=rank, n=n))
        batches = RandomBatches(n_examples, batch_size=spec.batch_size, seed=1)
        made.append(SharedBatches(batches, share=part, filler=n_examples))
    return made


def steps(batches: SharedBatches, n_passes: int) -> list[list[list[int]]]:
    passes = list(batches)
    return [passes[i : i + n_passes] for i in range(0, len(passes), n_passes)]


def test_one_process_does_all_batches(spec) -> None:
    (alone,) = shared(spec, 1)
    assert list(alone) == list(RandomBatches(29, batch_size=4, seed=1))
    assert share(replace(spec, accumulation=3), ALONE).accumulation == 3


@pytest.mark.parametrize(("n", "accumulation"), [(2, 4), (4, 4), (3, 6), (2, 2)])
def test_whole_passes_are_divided_where_the_accumulation_can_be(spec, n: int, accumulation: int) -> None:
    spec = replace(spec, accumulation=accumulation)
    parts = shared(spec, n)
    assert len({len(part) for part in parts}) == len({len(list(part)) for part in parts}) == 1
    alone = steps(shared(spec, 1)[0], accumulation)
    divided = [steps(part, accumulation // n) for part in parts]
    assert len(divided[0]) == len(alone)
    for i, step in enumerate(alone):
        together = [batch for part in divided for batch in part[i] if batch != [29]]
        assert sorted(together) == sorted(step)


@pytest.mark.parametrize(("n", "batch_size", "n_examples"), [(2, 4, 29), (4, 4, 29), (4, 4, 30)])
def test_else_the_examples_of_every_pass_are(spec, n: int, batch_size: int, n_examples: int) -> None:
    spec = replace(spec, batch_size=batch_size, accumulation=1)
    parts = [list(part) for part in shared(spec, n, n_examples=n_examples)]
    alone = list(shared(spec, 1, n_examples=n_examples)[0])
    assert {len(part) for part in parts} == {len(alone)}
    for passes, batch in zip(zip(*parts, strict=True), alone, strict=True):
        assert all(passes)
        assert sorted(i for i in chain(*passes) if i != n_examples) == sorted(batch)


def test_what_cannot_be_divided_is_refused_with_what_can(spec) -> None:
    cases = {
        (3, 4, 4, None): "torchrun --nproc_per_node 2, or another batch: training.accumulation=3",
        (3, 5, 7, None): "torchrun --nproc_per_node 1, or another batch: training.accumulation=3",
        (8, 16, 4, 4096): "torchrun --nproc_per_node 4, or another batch: training.accumulation=8",
    }
    for (n, batch_size, accumulation, max_tokens), instead in cases.items():
        asked = replace(spec, batch_size=batch_size, accumulation=accumulation, max_tokens=max_tokens)
        with pytest.raises(ConfigError) as refusal:
            share(asked, Processes(rank=0, n=n))
        assert refusal.value.instead == instead
        assert f"{n} processes with training.accumulation={accumulation}" in refusal.value.asked
        assert ("batch_size" in refusal.value.asked) is (max_tokens is None)


def test_the_filler_has_no_label_that_counts(translations) -> None:
    features = WithFiller(translations.train_split.features)
    assert len(features) == len(translations.train_split) + 1
    for kept, own in zip(features, translations.train_split.features, strict=False):
        assert {name: list(kept[name]) for name in kept} == {name: list(own[name]) for name in own}
    collate = blanking(lambda rows: {"labels": torch.tensor([row["labels"].tolist() for row in rows])})
    assert (collate(features[-1:])["labels"] == IGNORED_LABEL).all()
    assert (collate(features[:1])["labels"] != IGNORED_LABEL).all()


def test_the_epoch_is_passed_on(spec) -> None:
    (alone,) = shared(spec, 1)
    first = list(alone)
    alone.set_epoch(1)
    assert list(alone) != first
