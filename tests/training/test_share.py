"""Several processes together do what one does, step by step."""

from dataclasses import replace
from itertools import chain

import pytest

from unidelta.errors import ConfigError
from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.batches import Batches
from unidelta.training.processes import ALONE, Processes
from unidelta.training.random_batches import RandomBatches
from unidelta.training.share import share


def shared(spec, n: int, *, n_examples: int = 29) -> list[list[list[int]]]:
    """The batches of an epoch of every process."""
    drawn = RandomBatches(n_examples=n_examples, batch_size=spec.batch_size, seed=1).of_epoch(0)
    parts = [share(spec, Processes(rank=rank, n=n)) for rank in range(n)]
    own = [part.own(drawn) for part in parts]
    assert {len(passes) for passes in own} == {part.n_passes(len(drawn)) for part in parts}
    return own


def steps(passes: list[list[int]], n_passes: int) -> list[list[list[int]]]:
    return [passes[i : i + n_passes] for i in range(0, len(passes), n_passes)]


def test_one_process_does_all_batches(spec) -> None:
    (alone,) = shared(spec, 1)
    assert alone == RandomBatches(n_examples=29, batch_size=4, seed=1).of_epoch(0)
    assert share(replace(spec, accumulation=3), ALONE).accumulation == 3


@pytest.mark.parametrize(("n", "accumulation"), [(2, 4), (4, 4), (3, 6), (2, 2)])
def test_whole_passes_are_divided_where_the_accumulation_can_be(spec, n: int, accumulation: int) -> None:
    spec = replace(spec, accumulation=accumulation)
    parts = shared(spec, n)
    assert len({len(part) for part in parts}) == 1
    alone = steps(shared(spec, 1)[0], accumulation)
    divided = [steps(part, accumulation // n) for part in parts]
    assert len(divided[0]) == len(alone)
    for i, step in enumerate(alone):
        together = [batch for part in divided for batch in part[i] if batch]
        assert sorted(together) == sorted(step)


@pytest.mark.parametrize(("n", "batch_size", "n_examples"), [(2, 4, 29), (4, 4, 29), (4, 4, 30)])
def test_else_the_examples_of_every_pass_are(spec, n: int, batch_size: int, n_examples: int) -> None:
    spec = replace(spec, batch_size=batch_size, accumulation=1)
    parts = shared(spec, n, n_examples=n_examples)
    (alone,) = shared(spec, 1, n_examples=n_examples)
    assert {len(part) for part in parts} == {len(alone)}
    for passes, batch in zip(zip(*parts, strict=True), alone, strict=True):
        assert sorted(chain(*passes)) == sorted(batch)


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


def test_a_process_without_a_batch_gets_the_shortest_example_and_no_label_counts(translations, spec) -> None:
    encoded = translations.train_split
    parts = [share(replace(spec, accumulation=2, batch_size=32), Processes(rank=rank, n=2)) for rank in range(2)]
    collate = translations.evaluator(translations.make_model()).collator()
    own, filler = (Batches(encoded, replace(spec, batch_size=32), part, collate=collate, seed=1) for part in parts)
    ((_, (batch,)),), ((_, (nothing,)),) = (list(each.steps(0, 1)) for each in (own, filler))
    assert len(batch["labels"]) == 32 and (batch["labels"] != IGNORED_LABEL).any(1).all()
    assert (nothing["labels"] == IGNORED_LABEL).all()
    assert nothing["input_ids"].shape == (1, min(len(feature["input_ids"]) for feature in encoded.features))


def test_every_epoch_is_drawn_anew(translations, spec) -> None:
    asked = replace(spec, batch_size=16, accumulation=1)
    collate = translations.evaluator(translations.make_model()).collator()
    batches = Batches(translations.train_split, asked, share(asked, ALONE), collate=collate, seed=1)
    epochs = [[step["input_ids"].tolist() for _, (step,) in batches.steps(first, first + 2)] for first in (0, 2, 0)]
    assert [[len(batch) for batch in epoch] for epoch in epochs] == [[16, 16]] * 3
    assert epochs[0] == epochs[2] != epochs[1]
