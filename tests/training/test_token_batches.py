"""Batches up to a number of tokens: their composition, their order, and what is refused."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from unidelta.errors import ConfigError
from unidelta.training.token_batches import TokenBatches


def features(lengths: list[tuple[int, int]]) -> list[dict]:
    return [{"input_ids": np.zeros(s, np.int32), "labels": np.zeros(t, np.int32)} for s, t in lengths]


def drawn(n: int, *, longest: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return features([tuple(pair) for pair in rng.integers(2, longest + 1, (n, 2)).tolist()])


def batches(examples: list[dict], max_tokens: int, *, is_static: bool = True, seed: int = 0) -> TokenBatches:
    return TokenBatches(examples, max_tokens=max_tokens, is_static=is_static, seed=seed)


def in_pieces(of: TokenBatches) -> set[frozenset[int]]:
    return {frozenset(batch) for batch in of.of_epoch(0)}


def by_size(examples: list[dict], max_tokens: int) -> set[frozenset[int]]:
    """fairseq's rule, one example at a time: the last size below 64 or a multiple of it ends a batch."""
    order = sorted(range(len(examples)), key=lambda i: -len(examples[i]["input_ids"]))
    length = [max(len(example["input_ids"]), len(example["labels"])) for example in examples]
    found, batch, tail = [], [], []
    for i in order:
        tail.append(i)
        if len(batch + tail) * max(length[j] for j in batch + tail) > max_tokens:
            found.append(batch)
            if len(tail) * max(length[j] for j in tail) > max_tokens:
                found.append(tail[:-1])
                tail = tail[-1:]
            batch, tail = tail, []
        elif len(batch + tail) < 64 or len(batch + tail) % 64 == 0:
            batch, tail = batch + tail, []
    return {frozenset(piece) for piece in (*found, batch, tail) if piece}


def test_a_small_case_by_hand() -> None:
    examples = features([(2, 5), (8, 3), (4, 4), (6, 1), (4, 2), (2, 2)])
    # Sources in order: 8, 6, 4, 4, 2 (target 5), 2. A budget of 16: 2 × 8; 3 × 4 would be 4 × 5 with the next; 2 × 5.
    assert in_pieces(batches(examples, 16)) == {frozenset({1, 3}), frozenset({2, 4, 0}), frozenset({5})}
    assert sorted(batches(examples, 16).n_tokens) == [2, 15, 16]


@pytest.mark.parametrize(
    ("n", "longest", "max_tokens"), [(300, 30, 64), (700, 12, 1000), (1500, 3, 512), (70, 2, 4096)]
)
def test_batches_are_those_of_the_authors_code(n: int, longest: int, max_tokens: int) -> None:
    examples = drawn(n, longest=longest)
    made = batches(examples, max_tokens)
    drawn_batches = made.of_epoch(0)
    assert in_pieces(made) == by_size(examples, max_tokens)
    assert Counter(chain.from_iterable(drawn_batches)) == Counter(range(n))
    assert len(drawn_batches) == len(made) == len(made.n_tokens)
    assert max(made.n_tokens) <= max_tokens
    assert all(len(batch) <= 64 or len(batch) % 64 == 0 for batch in drawn_batches)


def test_static_batches_are_the_same_every_epoch_with_the_largest_first() -> None:
    examples = drawn(200, longest=20)
    made = batches(examples, 100, seed=5)
    first = made.of_epoch(0)
    assert made.of_epoch(3) == first
    sizes = [len(batch) * max(len(examples[i]["input_ids"]) for i in batch) for batch in first]
    assert sizes[0] == max(sizes) and sizes != sorted(sizes, reverse=True)
    assert batches(examples, 100, seed=5).of_epoch(0) == first
    assert batches(examples, 100, seed=6).of_epoch(0) != first


def test_other_batches_are_shuffled_anew_each_epoch_from_the_seed() -> None:
    made = batches(drawn(200, longest=20), 100, is_static=False, seed=5)
    orders = [made.of_epoch(epoch) for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert batches(drawn(200, longest=20), 100, is_static=False, seed=6).of_epoch(0) != orders[0]


def test_an_example_above_the_budget_is_refused_by_its_place() -> None:
    with pytest.raises(ConfigError) as refusal:
        batches(features([(5, 3), (4, 17), (21, 3)]), 16)
    error = refusal.value
    assert error.asked == "training.max_tokens=16"
    assert error.why == "example 2 of the training split alone has 17 tokens, and 1 more are above the budget too"
    assert error.instead.startswith("training.max_tokens=21, or task.max_source_length")


def test_a_prompt_and_its_output_are_padded_each_by_itself() -> None:
    """A batch of prompts of 100 and 2 tokens with outputs of 2 and 100 is 200 wide, not 102."""
    pair = features([(100, 2), (2, 100)])
    joined = TokenBatches(pair, max_tokens=204, is_static=True, seed=0, is_joined=True)
    assert in_pieces(joined) == {frozenset({0}), frozenset({1})} and sorted(joined.n_tokens) == [102, 102]
    rng = np.random.default_rng(3)
    many = features(
        [(int(s), int(t)) for s, t in zip(rng.integers(50, 512, 600), rng.integers(5, 128, 600), strict=True)]
    )
    made = TokenBatches(many, max_tokens=4096, is_static=True, seed=0, is_joined=True)
    for batch in made.of_epoch(0):
        width = max(len(many[i]["input_ids"]) for i in batch) + max(len(many[i]["labels"]) for i in batch)
        assert width * len(batch) <= 4096
    assert max(made.n_tokens) <= 4096


def test_classification_counts_the_sentence_alone() -> None:
    examples = [{"input_ids": np.zeros(n, np.int32), "labels": 1} for n in (4, 4, 2)]
    assert sorted(batches(examples, 8).n_tokens) == [2, 8]


def test_training_takes_them_and_says_how_large_they_were(translations) -> None:
    for is_static in (False, True):
        result = translations.run(max_tokens=24, static_batches=is_static, accumulation=2, max_steps=3)
        assert result.status == "complete"
        made = batches(translations.train_split.features, 24)
        assert result.batches_per_epoch == len(made)
        assert result.tokens_per_batch == {
            "min": min(made.n_tokens),
            "mean": pytest.approx(np.mean(made.n_tokens)),
            "max": max(made.n_tokens),
        }


def test_training_refuses_before_it_begins(translations) -> None:
    model = translations.make_model()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with pytest.raises(ConfigError, match=r"training\.max_tokens=5"):
        translations.run(model, max_tokens=5)
    assert all(new.equal(old) for new, old in zip(model.parameters(), before, strict=True))
