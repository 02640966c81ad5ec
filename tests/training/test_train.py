"""Training: repeatable to the bit, ends with its best step, stops when it diverges."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from unidelta.errors import Problems
from unidelta.training import evaluate, loop
from unidelta.training.evaluate import EvalResult, Evaluator


def losses(result) -> list[float]:
    return [entry["loss"] for entry in result.history if "loss" in entry]


def evaluations(result) -> list[dict]:
    return [entry for entry in result.history if "eval_loss" in entry]


@pytest.mark.parametrize("name", ["summaries", "sentences"])
def test_equal_seeds_give_equal_losses_to_the_bit(name: str, request) -> None:
    setting = request.getfixturevalue(name)
    one, two, other = setting.run(), setting.run(), setting.run(seed=4)
    assert len(losses(one)) == 6
    assert losses(one) == losses(two)
    assert [e["grad_norm"] for e in one.history[:6]] == [e["grad_norm"] for e in two.history[:6]]
    assert losses(one) != losses(other)


def test_the_state_of_the_generators_before_a_run_does_not_matter(sentences) -> None:
    models = [sentences.make_model() for _ in range(2)]
    torch.manual_seed(1)
    one = sentences.run(models[0])
    torch.manual_seed(2)
    assert losses(one) == losses(sentences.run(models[1]))


def test_evaluating_more_often_leaves_the_losses_alone(summaries) -> None:
    often, once = summaries.run(eval_every=1), summaries.run()
    assert losses(often) == losses(once)
    assert [entry["step"] for entry in evaluations(often)] == [1, 2, 3, 4, 5, 6]
    assert [entry["step"] for entry in evaluations(once)] == [6]


@pytest.mark.parametrize("every", [2, 4, 100])
def test_how_many_steps_are_read_at_once_changes_no_entry(every: int, summaries) -> None:
    """Evaluations at other steps than the readings; the end is one too."""
    one, other = (summaries.run(eval_every=3, max_steps=11, log_every=n) for n in (1, every))
    timeless = [[{**entry, "eval_seconds": 0} for entry in result.history] for result in (one, other)]
    assert timeless[0] == timeless[1] and len(losses(one)) == 11


def test_a_run_that_diverges_between_two_readings_ends_where_it_diverged(summaries) -> None:
    wild = {"learning_rate": 1e3, "schedule": "constant", "max_grad_norm": 1e9, "max_steps": 60}
    one, other = (summaries.run(**wild, log_every=n) for n in (1, 7))
    assert one.status == "diverged" and one.steps % 7
    assert (one.reason, one.steps, one.history) == (other.reason, other.steps, other.history)


def test_a_last_step_between_evaluations_is_evaluated_too(sentences) -> None:
    assert [entry["step"] for entry in evaluations(sentences.run(eval_every=4))] == [4, 6]


def test_every_epoch_is_evaluated_when_asked(sentences) -> None:
    # 32 rows in batches of 4: 8 steps an epoch.
    result = sentences.run(max_steps=None, epochs=2.0, evaluate_each_epoch=True)
    assert [entry["step"] for entry in evaluations(result)] == [8, 16]
    assert result.steps == 16


def test_history_is_told_as_it_is_made(sentences) -> None:
    told: list[dict] = []
    speeds: list[dict] = []

    def note(entry: dict, speed: dict) -> None:
        told.append(entry), speeds.append(speed)

    result = sentences.run(max_steps=2, on_log=note)
    assert [speed.keys() for speed in speeds] == [{"step_seconds", "tokens_per_second"}] * 2 + [set()]
    assert tuple(told) == result.history
    assert [entry["step"] for entry in told] == [1, 2, 2]
    assert told[0].keys() >= {"step", "loss", "grad_norm", "learning_rate"}
    assert told[2].keys() >= {"step", "eval_loss", "eval_accuracy", "eval_seconds"}


def test_training_lowers_the_loss(sentences) -> None:
    result = sentences.run(max_steps=60)
    assert sum(losses(result)[-5:]) / 5 < 0.6 * losses(result)[0]
    assert (result.status, result.reason, result.steps) == ("complete", None, 60)
    assert 0 < result.seconds_per_step * 60 < result.seconds


@pytest.mark.parametrize(
    ("name", "scores", "best"),
    [
        ("summaries", [10.0, 30.0, 30.0, 20.0], 2),  # rouge2, higher is better; a tie keeps the earlier
        ("translations", [5.0, 4.0, 3.0, 6.0], 3),  # loss, lower is better
    ],
)
def test_the_model_ends_with_its_best_step(name: str, scores: list[float], best: int, request, monkeypatch) -> None:
    setting = request.getfixturevalue(name)
    model = setting.make_model()
    frozen = model.model.shared.weight.requires_grad_(False)
    key = setting.task.select_by
    seen: list[dict[str, torch.Tensor]] = []

    def score(evaluator, *args, **kwargs) -> EvalResult:
        seen.append(copy.deepcopy(evaluator.model.state_dict()))
        metrics = {"loss": 1.0, "rouge2": 0.0, key: scores[len(seen) - 1]}
        return EvalResult(metrics=metrics, predictions=[], references=[], scored=None, seconds=0.0)

    monkeypatch.setattr(Evaluator, "evaluate", score)
    before = frozen.clone()
    result = setting.run(model, max_steps=4, eval_every=1)
    assert (result.best_step, result.best_metrics[key]) == (best, scores[best - 1])
    for parameter, value in model.state_dict().items():
        assert torch.equal(value, seen[best - 1][parameter]), parameter
    assert any(not torch.equal(seen[-1][parameter], value) for parameter, value in model.state_dict().items())
    assert torch.equal(frozen, before)


def test_the_restored_model_has_the_best_scores(sentences) -> None:
    model = sentences.make_model()
    result = sentences.run(model, max_steps=12, eval_every=3)
    again = sentences.evaluator(model).evaluate(sentences.eval_split.features)
    assert again.metrics == result.best_metrics


def test_where_the_loss_decides_nothing_is_generated_in_training(translations, monkeypatch) -> None:
    model = translations.make_model()
    monkeypatch.setattr(model, "generate", None)
    result = translations.run(model, max_steps=2)
    assert result.best_metrics.keys() == {"loss"}


def test_a_learning_rate_of_a_thousand_diverges(summaries) -> None:
    result = summaries.run(learning_rate=1e3, schedule="constant", max_grad_norm=1e9, max_steps=60)
    assert result.status == "diverged"
    assert result.reason is not None
    assert result.steps < 60


def test_a_loss_that_is_not_a_number_stops_the_run_at_once(sentences, monkeypatch) -> None:
    model = sentences.make_model()
    good = sentences.run(model, max_steps=4, eval_every=2)
    assert good.status == "complete"
    forward, n_calls = model.forward, 0

    def poisoned(*args, **kwargs):
        nonlocal n_calls
        output = forward(*args, **kwargs)
        if model.training:
            n_calls += 1
            if n_calls == 4:
                output["logits"] = output["logits"] * math.nan
        return output

    monkeypatch.setattr(model, "forward", poisoned)
    result = sentences.run(model, max_steps=20, eval_every=3)
    assert (result.status, result.reason, result.steps) == ("diverged", "loss nan at step 4", 4)
    assert math.isnan(result.history[-1]["loss"])
    # Back to step 3, before the poison.
    assert result.best_step == 3
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_a_loss_that_is_not_a_number_at_evaluation_only_is_noticed(sentences, monkeypatch) -> None:
    def score(*args, **kwargs) -> EvalResult:
        metrics = {"loss": math.nan, "accuracy": 99.0}
        return EvalResult(metrics=metrics, predictions=[], references=[], scored=None, seconds=0.0)

    monkeypatch.setattr(Evaluator, "evaluate", score)
    result = sentences.run(max_steps=6, eval_every=2)
    assert (result.status, result.reason, result.best_step) == ("diverged", "eval_loss nan at step 2", None)
    assert result.steps == 2


def test_accumulated_batches_equal_one_large_batch(summaries) -> None:
    quiet = {"dropout": 0.0, "attention_dropout": 0.0}
    changes = {"label_smoothing": 0.1, "max_steps": 3}
    split = summaries.run(summaries.make_model(**quiet), batch_size=2, accumulation=4, **changes)
    whole = summaries.run(summaries.make_model(**quiet), batch_size=8, accumulation=1, **changes)
    assert losses(split) == pytest.approx(losses(whole), rel=1e-5)


def test_label_smoothing_is_that_of_the_paper(summaries) -> None:
    quiet = {"dropout": 0.0, "attention_dropout": 0.0}
    model = summaries.make_model(**quiet)
    four = replace(summaries.train_split, features=summaries.train_split.features[:4])
    everything = replace(summaries, train_split=four)
    result = everything.run(copy.deepcopy(model), label_smoothing=0.1, max_steps=1)
    # (1 − ε)·nll + ε·mean over the vocabulary of −log p, averaged over the target tokens.
    total, n_tokens = 0.0, 0
    for feature in everything.train_split.features:
        source, labels = (
            torch.tensor([feature["input_ids"].tolist()]),
            torch.tensor(feature["labels"].tolist()),
        )
        log_p = model.eval()(input_ids=source, labels=labels[None]).logits[0].log_softmax(-1)
        nll = -log_p[torch.arange(len(labels)), labels]
        total += (0.9 * nll - 0.1 * log_p.mean(-1)).sum().item()
        n_tokens += len(labels)
    assert losses(result)[0] == pytest.approx(total / n_tokens, rel=1e-5)


def test_half_precision_leaves_no_trace_in_the_model(sentences, monkeypatch) -> None:
    for module in (loop, evaluate):  # on a CPU it is refused
        monkeypatch.setattr(module, "resolve_precision", lambda spec: "bf16")
    model = sentences.make_model()
    result = sentences.run(model, max_steps=3)
    assert result.status == "complete"
    assert not {"forward", "_original_forward"} & vars(model).keys()
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    # No autocast is left: a product of float32 matrices is a float32 product.
    fresh = sentences.make_model().eval()
    fresh.load_state_dict(model.state_dict())
    batch = {"input_ids": torch.tensor([[0, 5, 6, 2]])}
    assert torch.equal(model.eval()(**batch).logits, fresh(**batch).logits)


def test_a_model_without_trained_parameters_is_a_mistake(sentences) -> None:
    model = sentences.make_model().requires_grad_(False)
    with pytest.raises(ValueError, match="there is nothing to train"):
        sentences.run(model)


def test_settings_that_make_no_sense_are_refused_before_anything_happens(sentences) -> None:
    model = sentences.make_model()
    with pytest.raises(Problems, match=r"training\.batch_size=0"):
        sentences.run(model, batch_size=0)
