"""Batches of a decoder-only model, and that their loss is that of every example alone."""

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from unidelta.tasks.causal import collate_causal, prompts_of
from unidelta.training.loss import count_tokens, logits_of, summed_loss

PAD = 1


def features(*pairs: tuple[list[int], list[int]]) -> list[dict[str, np.ndarray]]:
    arrays = [[np.array(ids, dtype=np.int32) for ids in pair] for pair in pairs]
    return [{"input_ids": prompt, "labels": target} for prompt, target in arrays]


def test_every_target_begins_in_one_column() -> None:
    batch = collate_causal(features(([5, 6, 7], [8, 2]), ([9], [4, 3, 2])), pad_token_id=PAD, pad_to_multiple_of=1)
    assert {name: tensor.tolist() for name, tensor in batch.items()} == {
        "input_ids": [[5, 6, 7, 8, 2, PAD], [PAD, PAD, 9, 4, 3, 2]],
        "attention_mask": [[1, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1]],
        "position_ids": [[0, 1, 2, 3, 4, 4], [0, 0, 0, 1, 2, 3]],
        "labels": [[8, 2, -100], [4, 3, 2]],
        "logits_to_keep": [2, 3, 4],
    }
    assert count_tokens(batch) == 9
    assert {name: tensor.tolist() for name, tensor in prompts_of(batch).items()} == {
        "input_ids": [[5, 6, 7], [PAD, PAD, 9]],
        "attention_mask": [[1, 1, 1], [0, 0, 1]],
    }


@pytest.mark.parametrize(("n_prompt", "n_target", "shape"), [(1, 1, (8, 8)), (8, 9, (8, 16)), (17, 3, (24, 8))])
def test_both_lengths_are_rounded_up(n_prompt: int, n_target: int, shape: tuple[int, int]) -> None:
    batch = collate_causal(features(([5] * n_prompt, [6] * n_target)), pad_token_id=PAD, pad_to_multiple_of=8)
    assert batch["labels"].shape == (1, shape[1]) and batch["input_ids"].shape == (1, sum(shape))
    assert batch["logits_to_keep"].tolist() == list(range(shape[0] - 1, sum(shape) - 1))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_loss_is_that_of_every_example_alone_in_transformers(attention: str) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=20, num_key_value_heads=2, attn_implementation=attention, **sizes)
    model = LlamaForCausalLM(config).eval()
    pairs = [([5, 6, 7, 9], [8, 2]), ([9], [4, 3, 11, 2]), ([12, 13], [2])]
    expected = torch.zeros(())
    for prompt, target in pairs:
        labels = torch.tensor([[-100] * len(prompt) + target])
        expected = expected + model(input_ids=torch.tensor([prompt + target]), labels=labels).loss * len(target)
    expected.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    batch = collate_causal(features(*pairs), pad_token_id=PAD, pad_to_multiple_of=1)
    labels = batch.pop("labels")
    found = summed_loss(logits_of(model, batch), labels, smoothing=0.0)
    found.backward()
    torch.testing.assert_close(found, expected)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], msg=lambda words, name=name: f"{name}: {words}")
