"""What a run keeps and says of its backbone: a model tuned as a whole, a new pooler, tokens it cannot read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf

import unidelta
from unidelta.errors import ConfigError, Problems
from unidelta.mini.tokenizer import tokenizer
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

Do = Callable[..., RunRecord]


def folder_of(record: RunRecord, root: Path) -> Path:
    return RecordStore(root=root / "runs").files_of(record).deltas


def test_a_fully_tuned_model_is_read_by_from_pretrained(do: Do, tmp_path: Path) -> None:
    record = do("method=full", "task=sst2", "save_model=true", "training.max_steps=40", "task.max_test_examples=200")
    folder = folder_of(record, tmp_path)
    model = hf.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    words = hf.AutoTokenizer.from_pretrained(folder)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert sum(p.numel() for p in model.parameters()) == record.parameters["trained"]
    assert [path.name for path in folder.parent.iterdir() if "partial" in path.name] == []

    from unidelta.mini import rows

    right = 0
    with torch.no_grad():
        for row in rows("sst2", "test")[:200]:
            logits = model(**words(row["sentence"], truncation=True, max_length=64, return_tensors="pt")).logits
            right += int(logits.argmax()) == row["label"]
    reported = record.metrics["test"]
    assert 100 * right / reported["n"] == pytest.approx(reported["accuracy"])
    assert len(unidelta.runs(tmp_path / "runs")) == 1  # the folder's own JSON files are no records


def test_a_finished_run_without_its_model_is_not_taken_for_one_with_it(do: Do, tmp_path: Path) -> None:
    record = do("method=full", "task=sst2")
    with pytest.raises(ConfigError, match="its model was not kept") as refusal:
        do("method=full", "task=sst2", "save_model=true")
    assert refusal.value.instead.startswith("force=true")
    again = do("method=full", "task=sst2", "save_model=true", "force=true")
    assert again.metrics == record.metrics and (folder_of(again, tmp_path) / "model.safetensors").is_file()
    assert do("method=full", "task=sst2", "save_model=true").run_id == record.run_id


@pytest.mark.slow
def test_it_can_be_tuned_further(do: Do, tmp_path: Path) -> None:
    first = do("method=full", "task=xsum", "save_model=true")
    record = do("method=lora", "task=xsum", f"backbone.checkpoint={folder_of(first, tmp_path)}")
    assert record.status == "complete" and record.provenance["backbone"] == {"new": [], "head": None}


@pytest.mark.parametrize(
    ("method", "why"), [("mam", "save_deltas"), ("bitfit", "save_deltas"), ("frozen", "nothing is tuned")]
)
def test_there_is_no_whole_model_of_deltas(method: str, why: str, do: Do, tmp_path: Path) -> None:
    with pytest.raises(Problems, match=why):
        do(f"method={method}", "task=sst2", "save_model=true")
    assert not list((tmp_path / "runs").rglob("*.json"))


def masked_language_model(folder: Path) -> Path:
    torch.manual_seed(4)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    words = tokenizer("roberta", seed=0)
    config = hf.BertConfig(**sizes, vocab_size=len(words), pad_token_id=1, max_position_embeddings=130)
    hf.BertForMaskedLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_a_new_pooler_is_told_recorded_and_comes_back_with_the_deltas(do: Do, tmp_path: Path, capsys) -> None:
    checkpoint = masked_language_model(tmp_path / "further")
    record = do("method=lora", "task=sst2", "backbone=bert", f"backbone.checkpoint={checkpoint}")
    assert "new, drawn from the seed: bert.pooler.dense, classifier" in capsys.readouterr().out
    new = {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}
    assert set(record.provenance["backbone"]["new"]) == new
    found = []
    for seed in (1, 2):  # of the pooler that transformers draws itself
        torch.manual_seed(seed)
        model = hf.AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2, dtype=torch.float32)
        found.append(unidelta.load(folder_of(record, tmp_path), model)(torch.arange(4, 20)[None]).logits)
    assert found[0].equal(found[1])


@pytest.mark.slow
def test_unknown_tokens_are_in_the_record_and_said(do: Do, data, tmp_path: Path, capsys) -> None:
    folder = data("xsum")
    for file in folder.glob("*.jsonl"):
        file.write_text(file.read_text().replace(" in ", " ïn "))
    with pytest.raises(Problems, match="unknown tokens"):
        do("method=lora", "task=xsum", "task.source=local", f"task.path={folder}", "task.max_unknown_share=0")
    record = do("method=lora", "task=xsum", "task.source=local", f"task.path={folder}")
    said = capsys.readouterr().out
    counted = record.cost["unknown_tokens"]
    assert set(counted) == {"train", "validation", "test"}
    n, of = (counted["train"]["sources"][key] for key in ("n", "of"))
    assert 0 < n < of / 5 and f"train sources {n / of:.2%}" in said
