"""Gradient checkpointing: the same run, and fewer activations kept."""

import pytest
import torch

from unidelta import inject
from unidelta.training.recomputing import recompute_activations


def trained(setting, method: str | None, **changes):
    model = setting.make_model()
    if method is not None:
        inject(model, method)
    result = setting.run(model, **changes)
    return [(e["loss"], e["grad_norm"]) for e in result.history if "loss" in e], result.best_metrics


@pytest.mark.parametrize(
    ("name", "method"),
    [
        *(("summaries", method) for method in (None, "mam", "prompt", "ia3")),
        *(("sentences", method) for method in ("lora", "prefix", "bitfit", "adapter_houlsby")),
    ],
)
def test_a_run_is_the_same_up_to_rounding(name: str, method: str | None, request) -> None:
    setting = request.getfixturevalue(name)
    kept, metrics = trained(setting, method, accumulation=2)
    again, others = trained(setting, method, accumulation=2, gradient_checkpointing=True)
    torch.testing.assert_close(torch.tensor(again), torch.tensor(kept), rtol=1e-4, atol=1e-5)
    assert others == pytest.approx(metrics, rel=1e-4)


def kept_elements(model, batch: dict) -> int:
    """Elements that are kept for the backward pass."""
    n = 0

    def count(tensor):
        nonlocal n
        n += 0 if isinstance(tensor, torch.nn.Parameter) else tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        model.train()(**batch).logits.sum().backward()
    return n


def test_less_is_kept_and_it_can_be_switched_off_again(sentences) -> None:
    model = sentences.make_model(num_hidden_layers=6)
    inject(model, "lora")
    batch = {"input_ids": torch.randint(3, 19, (4, 30))}
    whole = kept_elements(model, batch)
    recompute_activations(model, is_on=True)
    assert kept_elements(model, batch) < whole / 2
    recompute_activations(model, is_on=False)
    assert kept_elements(model, batch) >= whole
