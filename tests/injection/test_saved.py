"""Saved deltas loaded into a fresh backbone: the same logits, or a refusal."""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
import transformers as hf
from transformers import PreTrainedModel

import unidelta
from unidelta.backbones.loading import Loading
from unidelta.backbones.miniature import load_miniature
from unidelta.backbones.shipped import BACKBONES
from unidelta.errors import DamagedDeltas, IntegrityError, SavedDeltasError
from unidelta.fast.switch import speed_up
from unidelta.injection import saved
from unidelta.injection.inject import Activations, inject
from unidelta.injection.injection import Injection
from unidelta.records.record import RunRecord, to_json
from unidelta.run.prepare import prepare

from ..composed import composed
from ..copied import copied

FAMILIES = {"xsum": ("bart", 0), "wmt_en_ro": ("mbart", 0), "mnli": ("roberta", 3), "sst2": ("roberta", 2)}
CASES = [
    *((method, "xsum") for method in ("mam", "prefix", "lora", "prompt", "bitfit", "adapter_houlsby")),
    ("multihead_parallel_adapter", "wmt_en_ro"),
    ("mam", "sst2"),
    ("mam training.head=trained", "mnli"),
    ("bitfit", "sst2"),
    ("prefix method.attn.init=activations", "xsum"),
]


def fresh(task: str) -> PreTrainedModel:
    return copied(_read(task))


@cache
def _read(task: str) -> PreTrainedModel:
    family, n_labels = FAMILIES[task]
    return load_miniature(BACKBONES / family, family, Loading(seed=3, n_labels=n_labels))[0]


def trained(typed: str, task: str) -> Injection:
    """A design in a backbone, every tuned parameter moved from where it began."""
    design = prepare(composed([f"method={typed}".split(" ")[0], *typed.split(" ")[1:], f"task={task}"])).design
    model, generator = fresh(task), torch.Generator().manual_seed(0)
    injection = inject(model, design, generator=generator, start=_start(model, design))
    speed_up(injection)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return injection


def _start(model: PreTrainedModel, design) -> Activations:
    length = next((part.bottleneck for part in getattr(design, "parts", ()) if part.slot == "attn"), 1)
    keys = torch.linspace(-1, 1, length * 128)
    size = model.config.hidden_size
    vectors = keys[: length * size].view(length, size)
    kinds = ("encoder_self", "decoder_self", "decoder_cross")
    return {(kind, layer): (vectors, -vectors) for kind in kinds for layer in range(4)}


def logits(model: PreTrainedModel) -> torch.Tensor:
    ids = torch.tensor([[0, 11, 12, 13, 2], [0, 21, 22, 2, 1]])
    more = {"decoder_input_ids": ids[:, :3]} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        return model.eval()(input_ids=ids, attention_mask=(ids != 1).long(), **more).logits


@pytest.mark.parametrize(("typed", "task"), CASES)
def test_the_logits_are_those_of_the_trained_model(typed: str, task: str, tmp_path: Path) -> None:
    injection = trained(typed, task)
    assert not torch.equal(logits(injection.model), logits(fresh(task)))
    with_mlp = logits(injection.model)
    injection.fold()
    saved.save(injection, tmp_path / "a", run_id="a")
    loaded = unidelta.load(tmp_path / "a", fresh(task))
    assert torch.equal(logits(loaded), logits(injection.model))
    assert torch.allclose(logits(loaded), with_mlp, atol=1e-5)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_frozen_head_that_another_seed_drew_is_replaced(tmp_path: Path) -> None:
    injection = trained("mam", "sst2")
    saved.save(injection, tmp_path, run_id="a")
    other = load_miniature(BACKBONES / "roberta", "roberta", Loading(seed=4, n_labels=2))[0]
    injection.fold()
    assert torch.equal(logits(unidelta.load(tmp_path, other)), logits(injection.model))


def test_a_backbone_of_other_sizes_or_weights_is_refused(tmp_path: Path) -> None:
    saved.save(trained("mam", "sst2"), tmp_path, run_id="a")
    with pytest.raises(SavedDeltasError, match=r"n_labels is 3, it was 2"):
        unidelta.load(tmp_path, fresh("mnli"))
    with pytest.raises(SavedDeltasError, match=r"model_type is bart, it was roberta\n") as refusal:
        unidelta.load(tmp_path, fresh("xsum"))
    assert refusal.value.instead.startswith("the backbone that they were trained in: AutoModelForSequence")
    other = fresh("sst2")
    next(other.parameters()).data[0, 0] += 1
    with pytest.raises(SavedDeltasError, match="right sizes and other weights"):
        unidelta.load(tmp_path, other)


@pytest.mark.parametrize("family", ["bert", "electra", "llama", "gpt2"])
@pytest.mark.parametrize(("there", "here"), [(4, 3), (3, 0), (0, 5), (2, 0)])
def test_a_backbone_with_another_head_is_told_the_class_that_loads_it(family, there, here, tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 30}
    sizes |= {"intermediate_size": 8, "num_key_value_heads": 2, "n_layer": 1, "n_embd": 8, "n_head": 2}
    whole = hf.AutoModel if family in ("bert", "electra") else hf.AutoModelForCausalLM

    def model(n_labels: int) -> PreTrainedModel:
        kind = hf.AutoModelForSequenceClassification if n_labels else whole
        torch.manual_seed(0)
        more = {"num_labels": n_labels} if n_labels else {}
        return kind.from_config(hf.AutoConfig.for_model(family, **sizes, **more))

    unidelta.inject(model(there), "lora", budget=2).save(tmp_path)
    with pytest.raises(SavedDeltasError, match=f"n_labels is {here}, it was {there}") as refusal:
        unidelta.load(tmp_path, model(here))
    told, how = refusal.value.instead.split(".from_pretrained")
    auto = getattr(hf, told)
    assert type(model(there)) is auto._model_mapping[type(model(there).config)]
    assert (f"num_labels={there}" in how) == (there > 0)


@pytest.mark.parametrize(("task", "dtype"), [("sst2", torch.float16), ("xsum", torch.bfloat16)])
def test_a_backbone_in_another_dtype_is_refused_as_that(task: str, dtype: torch.dtype, tmp_path: Path) -> None:
    saved.save(trained("lora", task), tmp_path, run_id="a")
    with pytest.raises(SavedDeltasError) as refusal:
        unidelta.load(tmp_path, fresh(task).to(dtype))
    name = str(dtype).removeprefix("torch.")
    assert refusal.value.why == f"the backbone is in {name}, what was tuned is in float32"
    assert "dtype=torch.float32" in refusal.value.instead


@pytest.mark.parametrize(
    ("of_most", "of_rest"), [(torch.float16, torch.float32), (torch.float32, torch.bfloat16), (torch.bfloat16,) * 2]
)
def test_of_several_dtypes_that_of_most_weights_is_told_to_be_typed(of_most, of_rest, tmp_path: Path) -> None:
    def mixed() -> PreTrainedModel:
        model = fresh("sst2").to(of_most)
        for name, module in model.named_modules():
            if name.endswith("output.dense"):
                module.to(of_rest)
        return model

    injection = inject(mixed(), trained("ia3", "sst2").design, generator=torch.Generator().manual_seed(0))
    saved.save(injection, tmp_path)
    with pytest.raises(SavedDeltasError) as refusal:
        unidelta.load(tmp_path, fresh("sst2").to(torch.float64))
    assert f"dtype=torch.{str(of_most).removeprefix('torch.')})" in refusal.value.instead
    rest = str(of_rest).removeprefix("torch.")
    assert (f"the rest in {rest};" in refusal.value.instead) == (of_rest != of_most)
    unidelta.load(tmp_path, mixed())


def test_t5_in_half_precision_is_loaded_as_its_refusal_says(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 1, "num_heads": 2, "vocab_size": 50}
    hf.T5ForConditionalGeneration(hf.T5Config(**sizes)).save_pretrained(tmp_path / "t5")
    read = hf.T5ForConditionalGeneration.from_pretrained
    unidelta.inject(read(tmp_path / "t5", dtype=torch.float16), "lora", budget=2).save(tmp_path / "deltas")
    with pytest.raises(SavedDeltasError, match=r"dtype=torch\.float16\), which most of it was in"):
        unidelta.load(tmp_path / "deltas", read(tmp_path / "t5", dtype=torch.float32))
    unidelta.load(tmp_path / "deltas", read(tmp_path / "t5", dtype=torch.float16))


def test_deltas_that_were_tuned_in_half_precision_go_into_such_a_backbone(tmp_path: Path) -> None:
    injection = trained("ia3", "sst2")
    injection.model.to(torch.bfloat16)
    saved.save(injection, tmp_path)
    loaded = unidelta.load(tmp_path, fresh("sst2").to(torch.bfloat16))
    assert torch.equal(logits(loaded), logits(injection.model))


@pytest.mark.parametrize("task", ["sst2", "xsum"])
@pytest.mark.parametrize("part", ["", "encoder.layer", "model.decoder"])
def test_a_model_without_values_is_refused_and_stays(task: str, part: str, tmp_path: Path) -> None:
    injection = trained("lora", task)
    saved.save(injection, tmp_path)
    model, other = fresh(task), inject(fresh(task).to("meta"), injection.design, generator=torch.Generator())
    for name, parameter in list(model.named_parameters()):
        if part in name:
            owner = model.get_submodule(name.rpartition(".")[0])
            setattr(owner, name.rpartition(".")[2], torch.nn.Parameter(parameter.to("meta")))
    before = [name for name, _ in model.named_parameters()]
    names = [name for name, parameter in model.named_parameters() if parameter.is_meta]
    if names:
        with pytest.raises(SavedDeltasError, match="device meta") as refusal:
            unidelta.load(tmp_path, model)
        assert f"{len(names)} weights" in refusal.value.why and names[0] in refusal.value.why
        assert [name for name, _ in model.named_parameters()] == before
    with pytest.raises(SavedDeltasError, match="device meta"):
        other.save(tmp_path / "meta")
    assert not (tmp_path / "meta").exists()


def test_damaged_or_absent_files_are_refused(tmp_path: Path) -> None:
    saved.save(trained("lora", "xsum"), tmp_path, run_id="a")
    weights, design = tmp_path / "deltas.safetensors", tmp_path / "design.json"
    whole, text = weights.read_bytes(), design.read_text()
    for damaged in (whole[:-1], whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], b""):
        weights.write_bytes(damaged)
        with pytest.raises(DamagedDeltas, match="SHA-256"):
            unidelta.load(tmp_path, fresh("xsum"))
    weights.write_bytes(whole)
    other = {**json.loads(text), "design": {"kind": "bitfit", "trains_head": False}}
    for damaged in (text[:-9], "[]", json.dumps(other)):
        design.write_text(damaged)
        with pytest.raises(IntegrityError):
            unidelta.load(tmp_path, fresh("xsum"))
    design.unlink()
    with pytest.raises(SavedDeltasError, match="No such file"):
        unidelta.load(tmp_path, fresh("xsum"))


def test_what_is_beside_a_folder_without_deltas_is_told(tmp_path: Path) -> None:
    model, run = fresh("xsum"), tmp_path / "xsum" / "0123"
    saved.save(trained("lora", "xsum"), run, run_id="0123")
    for library, tensors in (("peft", "adapter_model.safetensors"), ("adapters", "adapter.safetensors")):
        (tmp_path / library).mkdir()
        for name in ("adapter_config.json", tensors):
            (tmp_path / library / name).write_text("{}")
    near = {
        run.with_suffix(".json"): f"the folder beside the record: {run}",
        run.parent: f"{run}, one of 1 below it",
        tmp_path / "peft": f"unidelta import {tmp_path / 'peft'} --from peft",
        tmp_path / "adapters": "--from adapters",
        tmp_path: "a folder of deltas.save",
    }
    for folder, instead in near.items():
        with pytest.raises(SavedDeltasError) as refusal:
            unidelta.load(folder, model)
        assert instead in refusal.value.instead


def refused(folder: Path, model: PreTrainedModel) -> tuple[str, str]:
    with pytest.raises(SavedDeltasError) as refusal:
        unidelta.load(folder, model)
    return refusal.value.why, refusal.value.instead


@pytest.mark.parametrize("shard", ["5GB", "200KB"])
def test_a_whole_model_is_known_as_one(shard: str, tmp_path: Path) -> None:
    model = fresh("mnli")
    model.save_pretrained(tmp_path, max_shard_size=shard)
    why, instead = refused(tmp_path, model)
    assert "whole model" in why and f'from_pretrained("{tmp_path}")' in instead


@pytest.mark.parametrize("status", [None, "interrupted", "complete", "failed", "diverged", "damaged"])
def test_a_run_without_deltas_is_told_as_what_it_is(status: str | None, tmp_path: Path) -> None:
    model, run = fresh("sst2"), tmp_path / "89ab"
    assert "a folder of deltas.save" in refused(run, model)[1]
    step = tmp_path / "89ab.checkpoints" / "step-40"
    step.mkdir(parents=True)
    (step / "manifest.json").write_text("{}")
    if status == "damaged":
        run.with_suffix(".json").write_text("{")
    elif status is not None:
        empty = {key: {} for key in ("coordinates", "spec", "parameters", "metrics", "cost", "provenance")}
        run.with_suffix(".json").write_text(to_json(RunRecord(run_id="89ab", status=status, **empty)))
    expected = {
        "complete": ("kept no deltas", "save_deltas=true"),
        "failed": ("failed", str(run.with_suffix(".json"))),
        "diverged": ("diverged", str(run.with_suffix(".json"))),
    }.get(str(status), ("89ab is not finished", "resumes it"))
    for folder in (run, step, step.parent):
        why, instead = refused(folder, model)
        assert expected[0] in why and expected[1] in instead
    run.mkdir()
    assert expected[0] in refused(run, model)[0]
    saved.save(trained("ia3", "sst2"), run)
    assert all(str(run) in refused(folder, model)[1] for folder in (step, step.parent))
    unidelta.load(run, model)


def test_the_names_of_the_classes_come_back_with_the_deltas(tmp_path: Path):
    injection = trained("mam", "mnli")
    saved.name_labels(injection.model, ["no", "perhaps", "yes"])
    saved.save(injection, tmp_path)
    again = unidelta.load(tmp_path, fresh("mnli"))
    assert again.config.id2label == {0: "no", 1: "perhaps", 2: "yes"}
    assert again.config.label2id == {"no": 0, "perhaps": 1, "yes": 2}
