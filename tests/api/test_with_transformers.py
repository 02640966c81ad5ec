"""A model with deltas used with transformers: trainers, generation, compilation, checkpoints, dtypes, devices."""

from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import (
    AutoConfig,
    PreTrainedModel,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    Trainer,
    TrainingArguments,
)

import unidelta
from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES
from unidelta.errors import DesignError, SavedDeltasError
from unidelta.hosts.site import Host
from unidelta.training.recomputing import checkpointing_method

KINDS = ("bart", "roberta", "llama")
METHODS = ("mam", "lora", "adapter", "ia3")
CASES = list(product(METHODS, KINDS))


class Rows(Dataset):
    """A batch's rows, one by one."""

    def __init__(self, batch: dict[str, Tensor]) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch["labels"])

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {name: tensor[i] for name, tensor in self.batch.items()}


def move(deltas) -> None:
    """Take what trains away from its start, so that the deltas have an effect."""
    generator = torch.Generator().manual_seed(3)
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator).to(parameter.dtype)


def arguments(folder: Path) -> dict:
    common = {"learning_rate": 0.05, "report_to": [], "use_cpu": True, "disable_tqdm": True, "seed": 1}
    return {"output_dir": str(folder), "max_steps": 6, "save_steps": 3, "per_device_train_batch_size": 2, **common}


@pytest.mark.parametrize(("method", "family"), [("mam", "roberta"), ("lora", "llama"), ("adapter", "roberta")])
def test_trainer_trains_the_deltas_and_resumes_from_its_checkpoint(stock, batch, tmp_path, method, family):
    rows, finals = Rows(batch(family)), []
    for resumed in (None, str(tmp_path / "checkpoint-3")):
        model = stock(family)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        deltas = unidelta.inject(model, method, head="frozen")
        start = [p.detach().clone() for _, p in deltas.trained_parameters()]
        trainer = Trainer(model=model, args=TrainingArguments(**arguments(tmp_path)), train_dataset=rows)
        trainer.train(resume_from_checkpoint=resumed)
        assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items() if name in before)
        finals.append([p.detach() for _, p in deltas.trained_parameters()])
        assert not any(a.equal(b) for a, b in zip(start, finals[-1], strict=True))
    torch.testing.assert_close(finals[0], finals[1], rtol=0, atol=1e-6)


def test_seq2seq_trainer_trains_and_evaluates_by_generating(stock, batch, tmp_path):
    deltas = unidelta.inject(stock("bart"), "mam")
    settings = Seq2SeqTrainingArguments(
        **arguments(tmp_path), predict_with_generate=True, generation_max_length=6, eval_strategy="steps", eval_steps=3
    )
    found = []
    trainer = Seq2SeqTrainer(
        model=deltas.model,
        args=settings,
        train_dataset=Rows(batch("bart")),
        eval_dataset=Rows(batch("bart")),
        compute_metrics=lambda out: found.append(out.predictions) or {"n": len(out.predictions)},
    )
    trainer.train()
    assert len(found) == 2 and found[0].shape[0] == 4
    assert trainer.state.log_history[-1]["train_loss"] > 0


@pytest.mark.parametrize(
    ("method", "family", "settings", "side"),
    [  # of the deltas only a prefix is in a cache
        pytest.param(method, family, settings, side, marks=pytest.mark.slow if settings and method != "mam" else ())
        for settings, side in (
            ({}, "left"),
            ({"num_beams": 3, "early_stopping": False}, "right"),
            ({"do_sample": True, "top_p": 0.9}, "left"),
        )
        for method, family in CASES
        if family != "roberta"
    ],
)
@torch.no_grad()
def test_generation_is_the_same_with_fast_on_and_off_and_with_and_without_a_cache(
    stock, batch, method, family, settings, side
):
    tokens = []
    inputs = batch(family, side=side)
    del inputs["labels"]
    for fast in (True, False):
        deltas = unidelta.inject(stock(family), method, fast=fast)
        move(deltas)
        deltas.fold()
        for use_cache in (True, False):
            torch.manual_seed(6)
            tokens.append(deltas.model.generate(**inputs, max_new_tokens=7, use_cache=use_cache, **settings))
    assert all(each.equal(tokens[0]) for each in tokens[1:])


@pytest.mark.parametrize(("method", "family"), CASES)
def test_losses_and_gradients_are_the_same_with_fast_on_and_off(stock, batch, method, family):
    found = []
    for fast in (True, False):
        deltas = unidelta.inject(
            stock(family).double(), method, fast=fast, scale=3.0 if method in ("mam", "lora") else None
        )
        move(deltas)
        loss = deltas.model(**batch(family)).loss
        loss.backward()
        found.append([loss.detach(), *(p.grad for _, p in deltas.trained_parameters())])
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-6 if family == "llama" else 1e-11)


@pytest.mark.parametrize(("method", "family"), CASES)
def test_activation_checkpointing_changes_no_gradient(stock, batch, method, family):
    found = []
    for is_on in (False, True):
        deltas = unidelta.inject(stock(family), method)
        move(deltas)
        deltas.model.train()
        if is_on:
            checkpointing_method(deltas.model, "checkpointing_enable")()
            deltas.model.enable_input_require_grads()
        torch.manual_seed(8)
        deltas.model(**batch(family)).loss.backward()
        found.append([p.grad for _, p in deltas.trained_parameters()])
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("family", KINDS)
def test_a_compiled_model_computes_the_same(stock, batch, family):
    deltas = unidelta.inject(stock(family), "mam")
    move(deltas)
    torch._dynamo.reset()
    expected, found = deltas.model(**batch(family)), torch.compile(deltas.model, backend="aot_eager")(**batch(family))
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("method", "family"), CASES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_deltas_work_in_half_precision(stock, batch, dtype, method, family):
    single = unidelta.inject(stock(family), method).model(**batch(family)).logits
    deltas = unidelta.inject(stock(family).to(dtype), method)
    assert {p.dtype for p in deltas.model.parameters()} == {dtype}
    output = deltas.model(**batch(family))
    assert output.logits.dtype == dtype
    torch.testing.assert_close(output.logits.float(), single, rtol=0, atol=0.4)
    output.loss.backward()
    assert all(torch.isfinite(p.grad).all() for _, p in deltas.trained_parameters())


@pytest.mark.parametrize(("method", "family"), CASES)
def test_on_the_meta_device_nothing_is_allocated_and_all_is_counted(stock, method, family):
    config = AutoConfig.for_model(family, **FAMILIES[family].tiny)
    with torch.device("meta"):
        model = MODEL_CLASSES[FAMILIES[family].kind].from_config(config)
    deltas = unidelta.inject(model, method)
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert deltas.n_trained == unidelta.inject(stock(family), method).n_trained == deltas.counts().trained


def reloaded(folder: Path, family: str) -> PreTrainedModel:
    return MODEL_CLASSES[FAMILIES[family].kind].from_pretrained(folder)


@pytest.mark.parametrize(("method", "family"), CASES)
def test_save_pretrained_writes_the_stock_model_or_refuses(stock, batch, tmp_path, method, family):
    model, inputs = stock(family), batch(family)
    plain = model(**inputs).logits
    deltas = unidelta.inject(model, method, head="frozen")
    move(deltas)
    logits = model(**inputs).logits
    if method in ("lora", "ia3"):
        model.save_pretrained(tmp_path / "merged")
        torch.testing.assert_close(reloaded(tmp_path / "merged", family)(**inputs).logits, logits, rtol=0, atol=1e-4)
    else:
        with pytest.raises(DesignError, match=r"deltas\.save\(DIR\)"):
            model.save_pretrained(tmp_path / "merged")
        assert not (tmp_path / "merged").exists()
    assert model(**inputs).logits.equal(logits)
    with deltas.disabled():
        model.save_pretrained(tmp_path / "stock")
    again = reloaded(tmp_path / "stock", family)
    assert again(**inputs).logits.equal(plain) and list(again.state_dict()) == list(stock(family).state_dict())
    assert "unidelta" not in (tmp_path / "stock" / "config.json").read_text()


@pytest.mark.parametrize(("method", "family"), [(m, f) for m, f in CASES if m in ("lora", "ia3")])
def test_merged_and_saved_it_is_a_stock_model(stock, batch, tmp_path, method, family):
    deltas = unidelta.inject(stock(family), method, head="frozen")
    move(deltas)
    inputs = batch(family)
    logits = deltas.model(**inputs).logits
    deltas.merge()
    deltas.model.save_pretrained(tmp_path)
    again = reloaded(tmp_path, family)
    assert list(again.state_dict()) == list(stock(family).state_dict())
    torch.testing.assert_close(again(**inputs).logits, logits, rtol=0, atol=1e-4)


def test_what_is_merged_in_part_is_not_saved_as_a_stock_model(stock, tmp_path):
    deltas = unidelta.inject(stock("bart"), "prefix_lora")
    move(deltas)
    deltas.merge()
    with pytest.raises(DesignError, match=r"deltas\.save\(DIR\)"):
        deltas.model.save_pretrained(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("method", "family"), CASES)
def test_saved_deltas_come_back_with_the_same_logits(stock, batch, tmp_path, method, family):
    deltas = unidelta.inject(stock(family), method)
    move(deltas)
    deltas.save(tmp_path / "deltas")
    model = unidelta.load(tmp_path / "deltas", stock(family))
    torch.testing.assert_close(model(**batch(family)).logits, deltas.model(**batch(family)).logits, rtol=0, atol=1e-5)
    assert not any(p.requires_grad for p in model.parameters()) and not model.training
    assert unidelta.deltas_of(model).counts().stored == deltas.counts().stored
    other = stock(family, seed=2)
    with pytest.raises(SavedDeltasError):
        unidelta.load(tmp_path / "deltas", other)
    assert not any(isinstance(module, Host) for module in other.modules())
