"""scale=paper trains as the released scripts do, and scale=mini as it always has."""

import pytest

from unidelta.records.identity import LATER_KEYS

# task: batch of a pass, passes, tokens, static, ε of the labels, clip, decay, β₂, ε of Adam
PAPER = {
    "xsum": (16, 4, None, False, 0.1, 0.1, 0.01, 0.999, 1e-8),
    "wmt_en_ro": (10, 4, 4096, True, 0.1, 1.0, 0.01, 0.98, 1e-6),
    "mnli": (32, 1, None, False, 0.0, 1.0, 0.1, 0.98, 1e-6),
    "sst2": (32, 1, None, False, 0.0, 1.0, 0.1, 0.98, 1e-6),
}


@pytest.mark.parametrize("task", PAPER)
def test_the_papers_scale_has_the_values_of_the_scripts(asked, task: str) -> None:
    training = asked(f"task={task}", "scale=paper").training
    names = "batch_size accumulation max_tokens static_batches label_smoothing max_grad_norm weight_decay adam_beta2"
    assert tuple(getattr(training, name) for name in [*names.split(), "adam_epsilon"]) == PAPER[task]
    assert (training.loss_normalisation, training.schedule) == ("micro_batches", "polynomial")
    assert (training.adam_beta1, training.warmup_ratio) == (0.9, 0.06 if task in ("mnli", "sst2") else 0.0)


@pytest.mark.parametrize("task", PAPER)
def test_the_miniature_does_what_it_did_before_there_were_these_keys(asked, task: str) -> None:
    training = asked(f"task={task}", is_small=True).scientific()["training"]
    later = {key.removeprefix("training."): value for key, value in LATER_KEYS.items() if key.startswith("training.")}
    assert later.items() <= training.items()
