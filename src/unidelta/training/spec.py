"""How a run is trained: every setting that changes a number, with its unit."""

from dataclasses import dataclass
from typing import Literal

POLYNOMIAL_END = 1e-7
"""Learning rate at the end of the polynomial schedule (the authors' scripts; power 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """Training settings (He et al. 2022, Table 8).

    Args:
        max_steps: optimiser steps; None to count in epochs.
        epochs: passes over the training split, fractions allowed; None to count in steps.
        learning_rate: peak learning rate.
        schedule: decay after the warm-up; `polynomial` is linear too but ends at 1e-7, as in the paper.
        warmup_steps: steps of linear warm-up.
        warmup_ratio: warm-up as a fraction of all steps, used where `warmup_steps` is 0.
        batch_size: examples per forward pass; ignored if `max_tokens` is set.
        accumulation: forward passes per optimiser step.
        eval_batch_size: examples per forward pass at evaluation.
        weight_decay: decoupled weight decay; norms, biases, and what multiplies (IA³, SSF, DoRA's m) have none.
        adam_beta1: decay of Adam's first moment.
        adam_beta2: decay of Adam's second moment.
        adam_epsilon: Adam's ε.
        max_grad_norm: gradients are clipped to this norm; a large number clips nothing (the norm is still checked).
        label_smoothing: share of the target probability spread over the vocabulary.
        precision: `auto` is bf16 on a GPU that supports it, fp16 on other GPUs, fp32 on the CPU.
        eval_every: optimiser steps between evaluations; None evaluates at the end only.
        evaluate_each_epoch: evaluate after every epoch instead (the paper's GLUE runs).
        max_tokens: tokens per forward pass, padding included, instead of `batch_size`; None to count examples.
        static_batches: with `max_tokens`, the same batches in the same order every epoch (the released code).
        loss_normalisation: `tokens` averages over all target tokens of an optimiser step, `micro_batches` over each
            forward pass and then over the passes (the released code). Equal without accumulation.
        device: `auto` uses a GPU if there is one.
        gradient_checkpointing: whether activations are computed again in the backward pass, which changes no number.
        backbone_dtype: what frozen linear weights are stored in, which changes no number: `auto` is what the precision
            rounds them to anyway; float32 needs twice the memory.
        log_every: steps whose losses are read from the device at once, which changes no number; None reads every step
            on the CPU, where that costs nothing, and every ten on a GPU.
        progress: whether progress bars are shown.
        save_every_minutes: minutes between two checkpoints; None saves only when stopped and at the end of training.
    """

    max_steps: int | None
    epochs: float | None
    learning_rate: float
    schedule: Literal["polynomial", "linear", "constant"]
    warmup_steps: int
    warmup_ratio: float
    batch_size: int
    accumulation: int
    eval_batch_size: int
    weight_decay: float
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    max_grad_norm: float
    label_smoothing: float
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    eval_every: int | None
    device: Literal["auto", "cpu", "cuda"]
    progress: bool
    evaluate_each_epoch: bool = False
    max_tokens: int | None = None
    static_batches: bool = False
    loss_normalisation: Literal["tokens", "micro_batches"] = "tokens"
    save_every_minutes: float | None = None
    gradient_checkpointing: bool = False
    backbone_dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    log_every: int | None = None

    def evaluates_after(self, *, step: int, epoch: float) -> bool:
        """Whether the dev split is evaluated after this many steps and epochs, not counting the end of training."""
        at_step = self.eval_every is not None and step % self.eval_every == 0
        return at_step or (self.evaluate_each_epoch and float(epoch).is_integer())
