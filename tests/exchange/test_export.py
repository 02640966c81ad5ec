"""What cannot be said is refused with the reason, and a merged folder is a stock model that computes the same."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel

import unidelta
from unidelta.design.spec import BitFit, Deltas
from unidelta.errors import ExchangeError, RecordError
from unidelta.exchange.exporting import export_to

from .cases import batch, design_of, ia3, logits, lora, moved, part, prefix, stock

REFUSED = [
    ("peft", "bart", (prefix(),), "decoder's self-attention only"),
    ("peft", "roberta", (prefix(),), "numbers an encoder's text from l"),
    ("peft", "llama", (prefix(),), "text_start=zero"),
    ("peft", "bart", (part("ffn", "bottleneck"),), "peft has nothing like parallel adapter"),
    ("peft", "bart", (prefix(), lora("ffn", "up")), "peft has nothing like prefix.* \\+ parallel low rank"),
    ("peft", "bart", (lora("attn", "query", insertion="sequential"),), "LoRA of peft reads what the map reads"),
    ("peft", "bart", (lora("ffn", "inner", insertion="sequential"),), "inner activation"),
    ("peft", "bart", (lora("attn", "query", composition="learned_scale", scale=1.0),), "learned_scale"),
    ("peft", "bart", (), "moves the text behind it"),
    ("adapters", "bart", (part("attn", "bottleneck", representation="concat"),), "before W_o"),
    ("adapters", "bart", (lora("attn", "output"),), "at output, where adapters has no LoRA"),
    ("adapters", "bart", (lora("attn", "query"), lora("ffn", "up", rank=3)), "one for all"),
    ("adapters", "bart", (prefix(composition="additive"),), "composition is additive"),
    ("adapters", "llama", (part("ffn", "bottleneck"),), "deltas of llama are not exchanged"),
    ("adapters", "bart", (part("attn", "head_adapter", representation="heads"),), "adapters has no head_adapter"),
    ("merged", "bart", (prefix(),), "not a change of weights"),
    (
        "merged",
        "bart",
        (lora("attn", "query"), part("ffn", "bottleneck")),
        r"  parallel adapter\(ffn, r=3\) is no",
    ),
    ("nothing", "bart", (lora("attn", "query"),), "there is no format `nothing`"),
]


@pytest.mark.parametrize(("to", "family", "parts", "told"), REFUSED, ids=lambda value: str(value)[:20])
def test_what_a_format_cannot_say_is_refused_with_the_reason(to, family, parts, told, tmp_path):
    deltas = unidelta.inject(stock(family), design_of(family, parts))
    with pytest.raises(ExchangeError, match=told):
        unidelta.export(deltas.model, tmp_path / "out", to=to)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("scale", [4.0, 1 / 3, 0.1, 2.5e-7, 1e6 / 7])
@pytest.mark.parametrize("rank", [1, 3, 7, 102])
def test_alpha_gives_the_scale_to_the_last_bit(scale, rank):
    from unidelta.exchange.parts import alpha_of

    alpha = alpha_of(scale, rank)
    assert alpha is None or alpha / rank == scale
    assert rank != 1 or alpha is not None


@pytest.mark.parametrize(("rank", "width"), [(600, 1024), (102, 768), (1, 8), (7, 8), (8, 8), (13, 8), (341, 1024)])
def test_a_reduction_factor_gives_the_bottleneck(rank, width):
    from unidelta.exchange.adapters.bottleneck import reduction_factor

    assert int(width // reduction_factor(rank, width)) == rank


def test_short_names_stand_for_exactly_the_tuned_modules():
    from unidelta.exchange.peft.targets import shortest

    every = ["a.0.q", "a.0.k", "a.1.q", "b.0.q", "a.0.f.d", "a.1.f.d", "a.0.o.d"]
    assert shortest({"a.0.q", "a.1.q", "b.0.q"}, every) == ["q"]
    assert shortest({"a.0.f.d", "a.1.f.d"}, every) == ["f.d"]
    assert shortest({"a.0.q", "a.1.q"}, every) == ["a.0.q", "a.1.q"]
    assert shortest({"a.0.q"}, every) == ["a.0.q"]


MERGED = {
    "lora": Deltas(parts=(lora("attn", "query", "value"), lora("ffn", "up", "down", rank=3))),
    "ia3": Deltas(parts=(ia3("attn", "key", "value"), ia3("ffn", "inner"))),
    "bitfit": BitFit(),
}
LOADERS = {"bart": AutoModelForSeq2SeqLM, "llama": AutoModelForCausalLM}


def generated(model: PreTrainedModel, family: str) -> torch.Tensor:
    inputs = {key: value for key, value in batch(family).items() if key in ("input_ids", "attention_mask")}
    return model.generate(**inputs, num_beams=3, max_new_tokens=6, do_sample=False, early_stopping=False)


@pytest.mark.parametrize(
    ("name", "family"), [("lora", "bart"), ("lora", "llama"), ("ia3", "bart"), ("ia3", "llama"), ("bitfit", "bart")]
)
def test_a_merged_folder_is_a_stock_model_that_generates_the_same_tokens(name, family, tmp_path):
    deltas = moved(stock(family), MERGED[name])
    before = {key: tensor.clone() for key, tensor in deltas.model.state_dict().items()}
    unidelta.export(deltas.model, tmp_path / "merged", to="merged")
    assert all(tensor.equal(before[key]) for key, tensor in deltas.model.state_dict().items())
    plain = LOADERS[family].from_pretrained(tmp_path / "merged", dtype=torch.float64)
    assert not any(".deltas." in key for key in plain.state_dict())
    torch.testing.assert_close(logits(plain, family), logits(deltas.model, family), rtol=0, atol=1e-12)
    assert (logits(stock(family), family) - logits(plain, family)).abs().max() > 0.05
    assert generated(plain, family).equal(generated(deltas.model, family))


@pytest.mark.parametrize("method", ["vera", "dora", "oft", "lora"])
def test_every_change_of_weights_can_be_merged_into_a_folder(method, tmp_path):
    """VeRA's maps are shared by all layers, in a module that changes no weight itself."""
    deltas = unidelta.inject(stock("llama"), method, budget=4)
    with torch.no_grad():
        for _, parameter in deltas.trained_parameters():
            parameter += 0.1
    unidelta.export(deltas.model, tmp_path / "merged", to="merged")
    deltas.model.save_pretrained(tmp_path / "saved")
    for folder in ("merged", "saved"):
        plain = LOADERS["llama"].from_pretrained(tmp_path / folder, dtype=torch.float64)
        torch.testing.assert_close(logits(plain, "llama"), logits(deltas.model, "llama"), rtol=0, atol=1e-10)


def as_peft_saves(folder: Path, **changed: object) -> None:
    """A folder without this project's marks, and with other settings."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    kept = {key: value for key, value in config.items() if not key.startswith("unidelta")}
    (folder / "adapter_config.json").write_text(json.dumps(kept | changed), encoding="utf-8")
    save_file(load_file(folder / "adapter_model.safetensors"), folder / "adapter_model.safetensors")


def test_a_dora_of_peft_is_read_whatever_its_dropout_was(tmp_path):
    deltas = unidelta.inject(stock("llama"), "dora", budget=4)
    unidelta.export(deltas.model, tmp_path / "dora", to="peft")
    as_peft_saves(tmp_path / "dora", lora_dropout=0.05)
    read = unidelta.import_(tmp_path / "dora", stock("llama"), source="peft")
    torch.testing.assert_close(logits(read.model, "llama"), logits(deltas.model, "llama"), rtol=0, atol=1e-12)


def test_a_wider_file_than_the_backbone_says_how_it_is_read(tmp_path):
    """peft keeps LoRA in float32 beside a backbone in bfloat16."""
    deltas = unidelta.inject(stock("llama").float(), "lora", budget=4)
    unidelta.export(deltas.model, tmp_path / "lora", to="peft")
    as_peft_saves(tmp_path / "lora")
    with pytest.raises(ExchangeError, match="the backbone loaded in float32") as refusal:
        unidelta.import_(tmp_path / "lora", stock("llama").bfloat16(), source="peft")
    assert "which cannot hold it" in refusal.value.why
    read = unidelta.import_(tmp_path / "lora", stock("llama").float(), source="peft").model.to(torch.bfloat16)
    assert {parameter.dtype for parameter in read.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize(("made", "asked"), [("peft", "adapters"), ("adapters", "peft")])
def test_the_other_library_s_folder_is_told_as_that(made, asked, tmp_path):
    deltas = unidelta.inject(stock("bart"), design_of("bart", (lora("attn", "query"),)))
    unidelta.export(deltas.model, tmp_path / "out", to=made)
    with pytest.raises(ExchangeError, match=f"--from {made}"):
        unidelta.import_(tmp_path / "out", stock("bart"), source=asked)


def test_a_folder_with_files_is_not_written_into(tmp_path: Path):
    deltas = unidelta.inject(stock("bart"), design_of("bart", (lora("attn", "query"),)))
    (tmp_path / "mine.txt").write_text("mine")
    for to in ("peft", "merged"):
        with pytest.raises(ExchangeError, match="exists and is not empty"):
            unidelta.export(deltas.model, tmp_path, to=to)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_the_checkpoint_lacks_goes_along_by_its_full_name(tmp_path):
    deltas = moved(stock("bert"), design_of("bert", (lora("ffn", "down"),)))
    pooler = {name: p for name, p in deltas.model.named_parameters() if name.startswith("bert.pooler.")}
    export_to(deltas, tmp_path / "out", to="peft", new=[*pooler])
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["modules_to_save"] == ["bert.pooler.dense", "classifier"]
    other = stock("bert")
    for name in pooler:
        other.get_parameter(name).data += 1
    unidelta.import_(tmp_path / "out", other, source="peft")
    assert all(other.get_parameter(name).equal(tensor) for name, tensor in pooler.items())
    assert logits(other.eval(), "bert").sub(logits(deltas.model, "bert")).abs().max() < 1e-12
    with pytest.raises(ExchangeError, match=r"needs bert.pooler.dense of the backbone"):
        export_to(deltas, tmp_path / "adapters", to="adapters", new=[*pooler])


@pytest.mark.parametrize("settings", [{"to": "peft"}, {"to": "adapters"}, {"to": "peft", "rank": 2}], ids=str)
def test_merged_deltas_are_unmerged_first(settings, tmp_path):
    deltas = moved(stock("bart"), design_of("bart", (prefix(), lora("ffn", "up"))))
    deltas.merge()
    with pytest.raises(ExchangeError, match="merged into the weights"):
        unidelta.export(deltas.model, tmp_path / "out", **settings)
    assert [*tmp_path.iterdir()] == []


def test_what_was_made_trainable_after_inject_goes_along_or_is_refused(tmp_path):
    deltas = moved(stock("bert"), design_of("bert", (lora("ffn", "down"),)))
    norm = deltas.model.bert.embeddings.LayerNorm
    norm.requires_grad_(True)
    norm.weight.data += 0.5
    unidelta.export(deltas.model, tmp_path / "out", to="peft")
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["modules_to_save"] == ["bert.embeddings.LayerNorm", "classifier"]
    other = stock("bert")
    unidelta.import_(tmp_path / "out", other, source="peft")
    assert logits(other.eval(), "bert").sub(logits(deltas.model, "bert")).abs().max() < 1e-12
    with pytest.raises(ExchangeError, match=r"needs bert.embeddings.LayerNorm of the backbone"):
        unidelta.export(deltas.model, tmp_path / "adapters", to="adapters")


WRITES = {
    "deltas.save(DIR)": lambda deltas, folder: deltas.save(folder),
    "unidelta.export(model, DIR, to=…)": lambda deltas, folder: unidelta.export(deltas.model, folder, to="peft"),
    "unidelta.export(model, DIR, to=…): merged": lambda deltas, folder: unidelta.export(
        deltas.model, folder, to="merged"
    ),
}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", WRITES)
def test_what_the_disk_does_not_take_is_refused_with_the_call_for_another_folder(call, code, tmp_path, monkeypatch):
    deltas = unidelta.inject(stock("bart"), design_of("bart", (lora("attn", "query"),)))

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(RecordError, match=f"errno {code}.*out") as refusal:
        WRITES[call](deltas, tmp_path / "out")
    assert refusal.value.instead.endswith(f": {call.removesuffix(': merged')}")
    assert ("that you may write to" in refusal.value.instead) is (code in (errno.EROFS, errno.EACCES))


@pytest.mark.parametrize(
    ("code", "instead"),
    [
        (errno.ENOSPC, "room on that disk, or another folder"),
        (errno.EROFS, "a folder that you may write to"),
        (errno.EACCES, "a folder that you may write to"),
    ],
)
def test_what_the_disk_does_not_take_inside_safetensors_is_refused_likewise(code, instead, tmp_path, monkeypatch):
    deltas = unidelta.inject(stock("bart"), design_of("bart", (lora("attn", "query"),)))

    def fail(*args: object, **kwargs: object) -> None:
        raise SafetensorError(f'Error while serializing: I/O error: {os.strerror(code)} (os error {code}) at path "x"')

    monkeypatch.setattr(type(deltas.model), "save_pretrained", fail)
    with pytest.raises(RecordError, match=rf"errno {code}.*out") as refusal:
        unidelta.export(deltas.model, tmp_path / "out", to="merged")
    assert refusal.value.instead == f"{instead}: unidelta.export(model, DIR, to=…)"
    assert [*tmp_path.iterdir()] == []
