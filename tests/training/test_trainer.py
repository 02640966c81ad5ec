"""The rules of the paper in the trainer: what decays, and how the learning rate falls."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from unidelta.tasks import Selection
from unidelta.tasks.collate import collator
from unidelta.training.best import BestStep
from unidelta.training.divergence import DivergenceGuard
from unidelta.training.processes import ALONE
from unidelta.training.saving import Continuation
from unidelta.training.share import SharedBatches, WithFiller, blanking, share
from unidelta.training.token_batches import TokenBatches
from unidelta.training.trainer import DeltaTrainer, training_arguments


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
        self.scale = nn.Parameter(torch.ones(()))


def learning_rates(result) -> list[float]:
    return [entry["learning_rate"] for entry in result.history if "loss" in entry]


def test_layer_norms_and_biases_do_not_decay() -> None:
    # The method needs nothing of the trainer but itself.
    names = DeltaTrainer.get_decay_parameter_names(DeltaTrainer.__new__(DeltaTrainer), Gate())
    assert sorted(names) == ["bias_mixer.weight", "linear.weight", "norm_like.weight", "scale"]


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


def test_nothing_is_left_to_the_defaults_of_the_trainer(spec, tmp_path) -> None:
    spec = replace(spec, batch_size=3, accumulation=2, label_smoothing=0.1)
    settings = {"precision": "fp32", "device": "cpu", "seed": 9, "output_dir": str(tmp_path)}
    arguments = training_arguments(spec, share=share(spec, ALONE), **settings)
    assert arguments.logging_nan_inf_filter is False
    assert arguments.report_to == []
    assert arguments.train_sampling_strategy == "random"
    assert arguments.save_strategy == "no"
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (3, 2)
    assert (arguments.fp16, arguments.bf16, arguments.use_cpu) == (False, False, True)
    assert (arguments.seed, arguments.label_smoothing_factor) == (9, 0.1)


@pytest.mark.parametrize("is_static", [False, True])
def test_a_resumed_run_goes_on_with_the_batches_it_would_have_had(
    translations, spec, tmp_path, is_static: bool
) -> None:
    spec = replace(spec, max_tokens=30, static_batches=is_static, accumulation=2, max_steps=9, save_every_minutes=0)
    features = translations.train_split.features

    def keep(step: int, write: Callable[[Path], None]) -> None:
        (tmp_path / f"step-{step}").mkdir(exist_ok=True)
        write(tmp_path / f"step-{step}")

    def trainer(told: list[dict[str, float]]) -> DeltaTrainer:
        model, part = translations.make_model(), share(spec, ALONE)
        arguments = training_arguments(
            spec, share=part, precision="fp32", device="cpu", seed=3, output_dir=str(tmp_path)
        )
        batches = TokenBatches(features, max_tokens=30, is_static=is_static, seed=3)
        collate = collator(translations.task, model=model, tokenizer=translations.tokenizer, pad_to_multiple_of=1)
        return DeltaTrainer(
            model=model,
            args=arguments,
            train_dataset=WithFiller(features),
            data_collator=blanking(collate),
            settings=spec,
            share=part,
            batches=SharedBatches(batches, share=part, filler=len(features)),
            score=lambda: pytest.fail("nothing is evaluated"),
            best=BestStep(Selection(metric="loss", higher_is_better=False)),
            guard=DivergenceGuard(tolerates_overflow=False),
            on_log=told.append,
            continuation=Continuation(save=keep, start=None),
            shows_progress=False,
        )

    entries: list[dict[str, float]] = []
    whole = trainer(entries)
    whole.train()
    steps_per_epoch = -(-len(whole.get_train_dataloader()) // 2)
    assert 2 < steps_per_epoch < 9  # the run goes into a second epoch
    for step in (2, steps_per_epoch, steps_per_epoch + 1):
        again: list[dict[str, float]] = []
        trainer(again).train(resume_from_checkpoint=str(tmp_path / f"step-{step}"))
        assert again == entries[step:]
