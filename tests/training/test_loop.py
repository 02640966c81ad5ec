"""The loop compared with an explicit one: the same losses; weight decay, and the learning-rate schedule."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoConfig, AutoModelForSeq2SeqLM

import unidelta
from unidelta.design.family import FAMILIES
from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.optimiser import adamw, decaying_parameters


class Gate(nn.Module):
    """A layer with one parameter of each kind that could be mistaken for another."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.layer_norm = nn.LayerNorm(2)
        self.odd_name = nn.LayerNorm(2)
        self.norm_like = nn.Linear(2, 2, bias=False)
        self.bias_mixer = nn.Linear(2, 2, bias=False)
        self.gate_bias = nn.Parameter(torch.zeros(2))
        self.rms = nn.RMSNorm(2)
        self.scale = nn.Parameter(torch.ones(()))


def learning_rates(result) -> list[float]:
    return [entry["learning_rate"] for entry in result.history if "loss" in entry]


def test_layer_norms_and_biases_do_not_decay() -> None:
    assert sorted(decaying_parameters(Gate())) == ["bias_mixer.weight", "linear.weight", "norm_like.weight", "scale"]


@pytest.mark.parametrize(
    ("method", "decayed"), [("ia3", set()), ("ssf", set()), ("dora", {"down", "up"}), ("lora", {"down", "up"})]
)
def test_what_multiplies_is_not_pulled_to_zero(spec, method, decayed):
    """With gradients of 0 a factor stays 1, and a magnitude the length of its row."""
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model("bart", **FAMILIES["bart"].tiny))
    deltas = unidelta.inject(model, method, **({"budget": 2} if decayed else {}))
    parameters = dict(deltas.trained_parameters())
    assert {name.rpartition(".")[2] for name in decaying_parameters(model) & parameters.keys()} == decayed
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    optimiser = adamw(model, replace(spec, learning_rate=0.01, weight_decay=0.1))
    for parameter in parameters.values():
        parameter.grad = torch.zeros_like(parameter)
    for _ in range(10):
        optimiser.step()
    for name, parameter in parameters.items():
        expected = before[name] * (1 - 0.01 * 0.1) ** 10 if name.rpartition(".")[2] in decayed else before[name]
        torch.testing.assert_close(parameter.detach(), expected)


def test_what_does_not_decay_keeps_its_value_without_a_gradient(sentences) -> None:
    model = sentences.make_model()
    # The embedding of the mask token is never read: only weight decay can change it.
    unused = model.roberta.embeddings.word_embeddings.weight
    row = unused[3].detach().clone()
    sentences.run(model, max_steps=1, weight_decay=0.5, learning_rate=0.1, schedule="constant")
    # Decoupled weight decay: w ← w − lr · decay · w.
    assert torch.allclose(unused[3].detach(), row * (1 - 0.1 * 0.5))


def test_the_polynomial_schedule_falls_in_a_line_to_its_end(sentences) -> None:
    result = sentences.run(max_steps=5, learning_rate=1e-2, schedule="polynomial")
    expected = [1e-7 + (1e-2 - 1e-7) * (1 - step / 5) for step in range(5)]
    assert learning_rates(result) == pytest.approx(expected, rel=1e-12)


def test_the_linear_schedule_falls_to_zero(sentences) -> None:
    result = sentences.run(max_steps=4, learning_rate=1e-2, schedule="linear", warmup_steps=2)
    assert learning_rates(result) == pytest.approx([0, 0.5e-2, 1e-2, 0.5e-2])


def test_the_constant_schedule_warms_up_and_stays(sentences) -> None:
    result = sentences.run(max_steps=4, learning_rate=1e-2, schedule="constant", warmup_ratio=0.5)
    assert learning_rates(result) == pytest.approx([0, 0.5e-2, 1e-2, 1e-2])


def test_gradients_are_clipped_but_their_norm_is_logged_before(sentences) -> None:
    loose = sentences.run(max_steps=1, max_grad_norm=1e9)
    tight = sentences.run(max_steps=1, max_grad_norm=1e-3)
    assert loose.history[0]["grad_norm"] == tight.history[0]["grad_norm"] > 1e-3


def test_it_does_what_a_loop_written_out_does(summaries) -> None:
    """Padding, shifting, dropout, accumulation, smoothing, clipping, AdamW and the schedule, to the same bits."""
    n_steps, rate, size, accumulation = 9, 3e-3, 4, 2
    changes = {"weight_decay": 0.0, "max_grad_norm": 0.1, "label_smoothing": 0.1, "adam_beta2": 0.98}
    result = summaries.run(
        max_steps=n_steps, learning_rate=rate, batch_size=size, accumulation=accumulation, schedule="linear", **changes
    )

    def padded(rows, filler: int) -> torch.Tensor:
        tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
        return nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=filler)

    model = summaries.make_model()
    features, expected = summaries.train_split.features, []
    torch.manual_seed(3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), eps=1e-6, weight_decay=0, fused=True)
    model.train()
    per_epoch = len(features) // (size * accumulation)
    for step in range(n_steps):
        epoch, position = divmod(step, per_epoch)
        if position == 0:
            order = torch.randperm(len(features), generator=torch.Generator().manual_seed(3 + epoch))
            torch.empty((), dtype=torch.int64).random_()
        chosen = order[position * size * accumulation :][: size * accumulation].view(accumulation, size)
        passes = [[features[i] for i in rows] for rows in chosen.tolist()]
        n_tokens = sum(len(feature["labels"]) for rows in passes for feature in rows)
        loss = 0.0
        for rows in passes:
            labels = padded([feature["labels"] for feature in rows], IGNORED_LABEL)
            sources = padded([feature["input_ids"] for feature in rows], 1)
            shifted = torch.cat([torch.full((size, 1), 2), labels[:, :-1].where(labels[:, :-1] >= 0, 1)], dim=1)
            logits = model(input_ids=sources, attention_mask=(sources != 1).long(), decoder_input_ids=shifted).logits
            total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum", label_smoothing=0.1)
            (total / n_tokens).backward()
            loss += (total / n_tokens).item()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimiser.param_groups[0]["lr"] = rate * (n_steps - step) / n_steps
        optimiser.step()
        optimiser.zero_grad()
        expected.append(loss)
    assert [entry["loss"] for entry in result.history if "loss" in entry] == pytest.approx(expected, rel=1e-6)
