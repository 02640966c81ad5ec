"""AdamW, which parameters have weight decay, and the learning-rate schedule."""

import math

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from unidelta.training.snapshot import tuned
from unidelta.training.spec import POLYNOMIAL_END, TrainingSpec


def adamw(model: nn.Module, spec: TrainingSpec) -> AdamW:
    """AdamW on the trainable parameters; which of them decay: `decaying_parameters`."""
    decaying = decaying_parameters(model)
    trained = tuned(model).items()
    groups = [
        {"params": [parameter for name, parameter in trained if name in decaying], "weight_decay": spec.weight_decay},
        {"params": [parameter for name, parameter in trained if name not in decaying], "weight_decay": 0.0},
    ]
    betas = (spec.adam_beta1, spec.adam_beta2)
    return AdamW(groups, lr=spec.learning_rate, betas=betas, eps=spec.adam_epsilon, fused=True)


def decaying_parameters(model: nn.Module) -> set[str]:
    """Names of all parameters except norms, biases (by the last part of their name), and what a delta exempts.

    Decay towards 0 would remove what IA³'s factors and DoRA's magnitudes multiply, in place of their change of it.
    """
    exempt = {getattr(module, name) for module in model.modules() for name in getattr(module, "no_decay", ())}
    norms = {
        parameter
        for module in model.modules()
        if type(module).__name__.endswith("Norm")  # LayerNorm, RMSNorm, and the models' own, as LlamaRMSNorm
        for parameter in module.parameters(recurse=False)
    }
    return {
        name
        for name, parameter in model.named_parameters()
        if parameter not in norms | exempt and not name.rsplit(".", 1)[-1].endswith("bias")
    }


def learning_rates(optimiser: Optimizer, spec: TrainingSpec, *, n_steps: int) -> LambdaLR:
    """A linear warm-up, then a linear decay to the schedule's end value at `n_steps`, or a constant rate.

    Args:
        optimiser: the optimiser whose learning rates are set.
        spec: peak, schedule and warm-up.
        n_steps: optimiser steps of the whole run.
    """
    warmup = spec.warmup_steps or math.ceil(spec.warmup_ratio * n_steps)
    warmup = min(warmup, n_steps - 1)  # a decay over zero steps would divide by zero

    def fraction_of_peak(step: int) -> float:
        if step < warmup:
            return step / warmup
        if spec.schedule == "constant":
            return 1.0
        if spec.schedule == "linear":
            return max(0, n_steps - step) / (n_steps - warmup)
        remaining = 1 - min(1, (step - warmup) / (n_steps - warmup))
        return ((spec.learning_rate - POLYNOMIAL_END) * remaining + POLYNOMIAL_END) / spec.learning_rate

    return LambdaLR(optimiser, fraction_of_peak)
