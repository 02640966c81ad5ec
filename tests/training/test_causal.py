"""Decoder-only models: trained and scored as each example alone would be, by stock code."""

from dataclasses import replace

import pytest
import torch

import unidelta
from unidelta.training.loss import logits_of, summed_loss


def alone(feature) -> torch.Tensor:
    return torch.tensor([feature["input_ids"].tolist()])


@pytest.mark.parametrize("tokens", [None, "first:1+last:2"])
@pytest.mark.parametrize("num_beams", [1, 3])
@torch.no_grad()
def test_texts_and_loss_are_those_of_single_prompts_without_padding(continuations, num_beams: int, tokens) -> None:
    model, tokenizer = continuations.make_model().eval(), continuations.tokenizer
    if tokens is not None:
        unidelta.inject(model, "loreft", tokens=tokens, budget=8)
    generation = replace(continuations.task.generation, num_beams=num_beams, min_length=4, max_length=7)
    setting = replace(continuations, task=replace(continuations.task, generation=generation))
    expected, total, n_tokens = [], 0.0, 0
    for feature in setting.eval_split.features:
        prompt, target = alone(feature), torch.tensor(feature["labels"].tolist())
        options = {"num_beams": num_beams, "max_new_tokens": 6, "min_new_tokens": 3, "do_sample": False}
        made = model.generate(prompt, **options, eos_token_id=2, pad_token_id=1, attention_mask=torch.ones_like(prompt))
        expected.append(tokenizer.decode(made[0, prompt.shape[1] :], skip_special_tokens=True))
        source = {} if tokens is None else {"source_mask": torch.ones_like(prompt)}
        logits = model(torch.cat([prompt, target[None]], dim=1), **source).logits[0, prompt.shape[1] - 1 : -1]
        total -= logits.log_softmax(-1)[torch.arange(len(target)), target].sum().item()
        n_tokens += len(target)
    result = setting.evaluator(model).evaluate(setting.eval_split.features)
    assert result.predictions == expected and len(set(expected)) > 5
    assert result.references == tokenizer.batch_decode(
        [feature["labels"] for feature in setting.eval_split.features], skip_special_tokens=True
    )
    assert result.metrics["loss"] == pytest.approx(total / n_tokens, rel=1e-5)


def test_what_may_not_be_repeated_is_what_was_written_not_the_prompt(continuations) -> None:
    """This model writes its prompt's words again: forbidden twice in an output, and not forbidden once."""
    model = continuations.make_model(tie_word_embeddings=True)
    generation = replace(continuations.task.generation, num_beams=1, min_length=9, max_length=9, no_repeat_ngram_size=1)
    setting = replace(continuations, task=replace(continuations.task, generation=generation))
    result = setting.evaluator(model).evaluate(setting.eval_split.features)
    words = [text.split() for text in result.predictions]
    assert all(len(set(each)) == len(each) for each in words)
    prompts = setting.tokenizer.batch_decode([f["input_ids"] for f in setting.eval_split.features])
    assert sum(bool(set(each) & set(prompt.split())) for each, prompt in zip(words, prompts, strict=True)) > 5


@torch.no_grad()
def test_a_label_is_the_word_with_the_highest_probability(spelled) -> None:
    model, tokenizer = spelled.make_model(initializer_range=1.0).eval(), spelled.tokenizer
    words, predictions, losses = [[5, 6, 2], [8, 2]], [], []  # w1 w2 </s>, w4 </s>
    assert [tokenizer.convert_ids_to_tokens(ids) for ids in words] == [["w1", "w2", "</s>"], ["w4", "</s>"]]
    for feature in spelled.eval_split.features:
        scores = []
        for ids in words:
            log_p = model(torch.cat([alone(feature), torch.tensor([ids])], dim=1)).logits[0].log_softmax(-1)
            scores.append(sum(log_p[-len(ids) - 1 + i, token] for i, token in enumerate(ids)))
        log_p = torch.stack(scores).log_softmax(-1)
        predictions.append(int(log_p.argmax()))
        losses.append(-log_p[words.index(feature["labels"].tolist())].item())
    result = spelled.evaluator(model).evaluate(spelled.eval_split.features)
    assert result.predictions == predictions and len(set(predictions)) == 2
    assert result.references == [words.index(f["labels"].tolist()) for f in spelled.eval_split.features]
    assert result.metrics["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    alone_loss = spelled.evaluator(model).evaluate(spelled.eval_split.features, loss_only=True).metrics
    assert alone_loss == {"loss": result.metrics["loss"]}


@pytest.mark.parametrize("name", ["continuations", "spelled"])
def test_a_model_learns_what_it_is_to_write(name: str, request) -> None:
    setting = request.getfixturevalue(name)
    model = setting.make_model()
    seen = setting.train_split.features
    before = setting.evaluator(model).evaluate(seen, loss_only=True).metrics["loss"]
    setting.run(model, max_steps=100, learning_rate=1e-2, batch_size=16)
    assert setting.evaluator(model).evaluate(seen, loss_only=True).metrics["loss"] < 0.3 * before


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("method", ["mam", "lora", "multihead_parallel_adapter", "full"])
def test_a_batch_has_the_gradient_of_its_examples_without_padding(continuations, method: str, attention: str) -> None:
    model = continuations.make_model(attn_implementation=attention)
    budget = {} if method == "full" else {"budget": 3}
    injection = unidelta.inject(model.eval(), method, **budget)  # LoRA has a dropout
    collate = continuations.evaluator(model).collator(pad_to_multiple_of=8)
    features = continuations.train_split.features[:6]
    for _, parameter in injection.trained_parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    gradients = []
    for batches in ([features], [[feature] for feature in features]):
        model.zero_grad()
        for each in batches:
            batch = collate(each)
            labels = batch.pop("labels")
            summed_loss(logits_of(model, batch), labels, smoothing=0.1).backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in injection.trained_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-4, atol=1e-5, msg=name)
