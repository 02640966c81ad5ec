"""Evaluation: right order, right numbers, no trace in the model or the random state."""

import math
from dataclasses import replace

import pytest
import torch

from unidelta.tasks import GenerationSpec
from unidelta.tasks.metrics.rouge import ROUGE
from unidelta.training.generation import generation_config


def run(setting, model, *, batch_size: int = 8, **changes):
    evaluator = setting.evaluator(model)
    evaluator = replace(evaluator, spec=replace(evaluator.spec, eval_batch_size=batch_size))
    return evaluator.evaluate(setting.eval_split.features, **changes)


def test_labels_and_loss_equal_those_of_single_examples(sentences) -> None:
    model = sentences.make_model(initializer_range=1.0).eval()
    predictions, losses = [], []
    for feature in sentences.eval_split.features:
        with torch.no_grad():
            log_p = model(input_ids=torch.tensor([feature["input_ids"].tolist()])).logits[0].log_softmax(-1)
        predictions.append(int(log_p.argmax()))
        losses.append(-log_p[feature["labels"]].item())
    result = run(sentences, model, batch_size=5)
    assert result.predictions == predictions
    assert result.references == [feature["labels"] for feature in sentences.eval_split.features]
    right = [a == b for a, b in zip(result.predictions, result.references, strict=True)]
    assert result.metrics["accuracy"] == pytest.approx(100 * sum(right) / len(right))
    assert result.metrics["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert len(set(predictions)) == 2


def test_texts_come_back_in_the_order_of_the_features(summaries) -> None:
    model = summaries.make_model(init_std=1.0)
    at_once, one_by_one = run(summaries, model, batch_size=12), run(summaries, model, batch_size=1)
    assert at_once.predictions == one_by_one.predictions
    assert len(set(at_once.predictions)) > 1
    assert at_once.metrics == pytest.approx(one_by_one.metrics)
    labels = [feature["labels"] for feature in summaries.eval_split.features]
    assert at_once.references == summaries.tokenizer.batch_decode(labels, skip_special_tokens=True)


def test_the_loss_is_per_target_token_and_knows_no_smoothing(summaries) -> None:
    model = summaries.make_model().eval()
    total, n_tokens = 0.0, 0
    for feature in summaries.eval_split.features:
        source = torch.tensor([feature["input_ids"].tolist()])
        labels = torch.tensor(feature["labels"].tolist())
        with torch.no_grad():
            log_p = model(input_ids=source, labels=labels[None]).logits[0].log_softmax(-1)
        total -= log_p[torch.arange(len(labels)), labels].sum().item()
        n_tokens += len(labels)
    assert run(summaries, model).metrics["loss"] == pytest.approx(total / n_tokens, rel=1e-5)


def test_the_loss_alone_needs_no_generation(summaries, monkeypatch) -> None:
    model = summaries.make_model()
    whole = run(summaries, model)
    monkeypatch.setattr(model, "generate", None)
    result = run(summaries, model, loss_only=True)
    assert result.metrics == {"loss": whole.metrics["loss"]}
    assert (result.predictions, result.references, result.scored) == ([], [], None)


def test_texts_are_scored_against_cut_and_raw_references(summaries) -> None:
    model, n = summaries.make_model(init_std=1.0), len(summaries.eval_split.features)
    raw = [f"w1 w2 w{i % 16}" for i in range(n)]
    result = run(summaries, model, raw_references=raw)
    against_raw = {f"raw_{key}": value for key, value in ROUGE.score(result.predictions, raw).items()}
    assert result.metrics == run(summaries, model).metrics | against_raw
    assert result.scored.scores(5)["raw_rouge1"] == ROUGE.score(result.predictions[:5], raw[:5])["rouge1"]


@pytest.mark.parametrize("name", ["summaries", "sentences"])
@pytest.mark.parametrize("is_training", [True, False])
def test_the_model_and_the_random_state_stay_as_they_were(name: str, is_training: bool, request) -> None:
    setting = request.getfixturevalue(name)
    model = setting.make_model().train(is_training)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    run(setting, model)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training is is_training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_dropout_is_off(sentences) -> None:
    model = sentences.make_model(hidden_dropout_prob=0.9).train()
    assert run(sentences, model).metrics == run(sentences, model).metrics


def test_every_generation_setting_of_the_task_reaches_the_search(summaries) -> None:
    model = summaries.make_model()
    # What a checkpoint may carry must not leak in.
    model.generation_config.num_beams = 7
    model.generation_config.repetition_penalty = 9.0
    model.generation_config.do_sample = True
    config = generation_config(model, task=summaries.task, tokenizer=summaries.tokenizer, start_token_id=5)
    spec = summaries.task.generation
    assert spec == GenerationSpec(**{name: getattr(config, name) for name in spec.__slots__})
    assert (config.decoder_start_token_id, config.bos_token_id, config.pad_token_id) == (5, 0, 1)
    assert (config.eos_token_id, config.forced_eos_token_id) == (2, 2)
    assert (config.do_sample, config.repetition_penalty, config.early_stopping) == (False, 1.0, False)


def test_outputs_have_the_length_that_is_asked_for(summaries) -> None:
    generation = replace(summaries.task.generation, min_length=5, max_length=5)
    fixed = replace(summaries, task=replace(summaries.task, generation=generation))
    # Start token, three others (a special one among them is not decoded), and the forced end.
    lengths = [len(text.split()) for text in run(fixed, summaries.make_model(init_std=1.0)).predictions]
    assert max(lengths) == 3


def test_generation_starts_as_in_training(summaries, monkeypatch) -> None:
    model = summaries.make_model()
    starts = []
    generate = model.generate

    def noting(*args, generation_config, **kwargs):
        starts.append(generation_config.decoder_start_token_id)
        return generate(*args, generation_config=generation_config, **kwargs)

    monkeypatch.setattr(model, "generate", noting)
    monkeypatch.setattr(model.config, "decoder_start_token_id", 9)
    run(summaries, model)
    assert set(starts) == {9}


def test_a_task_without_generation_settings_cannot_generate(summaries, sentences) -> None:
    with pytest.raises(ValueError, match="The task sst2 does not generate"):
        generation_config(summaries.make_model(), task=sentences.task, tokenizer=sentences.tokenizer, start_token_id=0)


def test_seconds_are_counted(sentences) -> None:
    seconds = run(sentences, sentences.make_model()).seconds
    assert seconds > 0 and math.isfinite(seconds)
