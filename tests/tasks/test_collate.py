"""Padding of batches."""

from functools import partial

import numpy as np
import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

from unidelta.tasks.collate import collate_classes, collate_seq2seq

PAD, START = 1, 2


def array(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int32)


def shift(labels: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.full_like(labels[:, :1], START), labels[:, :-1]], dim=1)


def test_sources_are_padded_and_masked() -> None:
    collate = partial(collate_classes, pad_token_id=PAD, pad_to_multiple_of=1)
    batch = collate([{"input_ids": array(5, 6, 7), "labels": 1}, {"input_ids": array(8), "labels": 0}])
    assert {name: tensor.tolist() for name, tensor in batch.items()} == {
        "input_ids": [[5, 6, 7], [8, PAD, PAD]],
        "attention_mask": [[1, 1, 1], [1, 0, 0]],
        "labels": [1, 0],
    }
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_token_types_are_padded_with_zero() -> None:
    collate = partial(collate_classes, pad_token_id=PAD, pad_to_multiple_of=1)
    features = [
        {"input_ids": array(5, 6), "token_type_ids": array(0, 1), "labels": 0},
        {"input_ids": array(5), "token_type_ids": array(1), "labels": 0},
    ]
    assert collate(features)["token_type_ids"].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(("length", "padded"), [(1, 8), (8, 8), (9, 16)])
def test_lengths_are_rounded_up(length: int, padded: int) -> None:
    collate = partial(collate_seq2seq, pad_token_id=PAD, pad_to_multiple_of=8, decoder_inputs=shift)
    batch = collate([{"input_ids": array(*range(length)), "labels": array(*range(length))}])
    assert {tensor.shape for tensor in batch.values()} == {(1, padded)}


def test_labels_are_padded_with_the_ignored_label() -> None:
    collate = partial(collate_seq2seq, pad_token_id=PAD, pad_to_multiple_of=1, decoder_inputs=shift)
    features = [
        {"input_ids": array(5), "labels": array(7, 8, 9)},
        {"input_ids": array(5), "labels": array(7)},
    ]
    batch = collate(features)
    assert batch["labels"].tolist() == [[7, 8, 9], [7, -100, -100]]
    assert batch["decoder_input_ids"].tolist() == [[START, 7, 8], [START, 7, -100]]


def test_barts_own_shift_makes_the_decoder_inputs() -> None:
    sizes = {
        "d_model": 8,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_ffn_dim": 8,
        "decoder_ffn_dim": 8,
    }
    heads = {"encoder_attention_heads": 1, "decoder_attention_heads": 1}
    model = BartForConditionalGeneration(BartConfig(vocab_size=20, **sizes, **heads))
    collate = partial(
        collate_seq2seq,
        pad_token_id=PAD,
        pad_to_multiple_of=1,
        decoder_inputs=model.prepare_decoder_input_ids_from_labels,
    )
    features = [{"input_ids": array(5), "labels": array(7, 8)}, {"input_ids": array(5), "labels": array(9)}]
    assert collate(features)["decoder_input_ids"].tolist() == [[2, 7], [2, 9]]
    three = [{"input_ids": array(5), "labels": array(7, 8, 2)}, {"input_ids": array(5), "labels": array(9)}]
    # -100 would be no token: the model puts its padding token there.
    assert collate(three)["decoder_input_ids"].tolist() == [[2, 7, 8], [2, 9, 1]]
