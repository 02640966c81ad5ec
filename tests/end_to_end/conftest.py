"""A local world for whole runs: a tiny checkpoint saved to disk and rows in the datasets' own columns."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf

from unidelta.mini import rows
from unidelta.mini.settings import words_of
from unidelta.mini.tokenizer import tokenizer
from unidelta.records.record import RunRecord
from unidelta.run.run import run

from ..composed import composed

ENDS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
STACK = {"layers": 2, "attention_heads": 4, "ffn_dim": 64}
CLASSES = {
    "bart": (hf.BartConfig, hf.BartForConditionalGeneration),
    "mbart": (hf.MBartConfig, hf.MBartForConditionalGeneration),
    "roberta": (hf.RobertaConfig, hf.RobertaForSequenceClassification),
    "bert": (hf.BertConfig, hf.BertForSequenceClassification),
    "llama": (hf.LlamaConfig, hf.LlamaForCausalLM),
}
SPLITS = {
    "sst2": ("train", "validation"),
    "mnli": ("train", "validation_matched", "validation_mismatched"),
    "xsum": ("train", "validation", "test"),
    "wmt_en_ro": ("train", "validation", "test"),
}


def tiny(family: str, *, vocab_size: int) -> hf.PreTrainedModel:
    """A random model of a family, two layers of width 32."""
    torch.manual_seed(1)
    ids = {"vocab_size": vocab_size, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    if family in ("bart", "mbart"):
        sizes = {f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in STACK.items()}
        start = words_of(family)["ro_RO"] if family == "mbart" else 2
        values = {**ids, **sizes, "d_model": 32, "max_position_embeddings": 256, "decoder_start_token_id": start}
        return CLASSES[family][1](CLASSES[family][0](**values, forced_eos_token_id=2))
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if family == "llama":  # without a padding token, as most decoders are published
        return hf.LlamaForCausalLM(hf.LlamaConfig(**{**ids, "pad_token_id": None}, **sizes, num_key_value_heads=2))
    return CLASSES[family][1](CLASSES[family][0](**ids, **sizes, max_position_embeddings=130, num_labels=3))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with config.json, model.safetensors and tokenizer of one family, random weights."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = tmp_path_factory.mktemp(f"tiny-{family}")
            words = tokenizer("mbart" if family in ("mbart", "llama") else "bart", seed=0)
            if family == "llama":
                words = hf.PreTrainedTokenizerFast(tokenizer_object=words.backend_tokenizer, **ENDS)
            tiny(family, vocab_size=len(words)).save_pretrained(made[family])
            words.save_pretrained(made[family])
        return made[family]

    return folder


@pytest.fixture
def data(tmp_path: Path) -> Callable[[str], Path]:
    """A folder of JSONL splits of one task."""

    def folder(task: str) -> Path:
        path = tmp_path / f"data-{task}"
        path.mkdir()
        for split in SPLITS[task]:
            lines = (json.dumps(row) + "\n" for row in rows(task, split)[:80])
            (path / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        return path

    return folder


@pytest.fixture
def do(tmp_path: Path) -> Callable[..., RunRecord]:
    """Run overrides in this process, with records under the test's own folder."""

    def run_overrides(*overrides: str) -> RunRecord:
        common = [
            f"results_dir={tmp_path / 'runs'}",
            "tracking=none",
            "training.progress=false",
            "training.max_steps=3",
        ]
        common += ["task.max_eval_examples=8", "task.max_test_examples=8"]
        typed = {override.split("=")[0] for override in overrides}
        kept = [override for override in common if override.split("=")[0] not in typed]
        record = run(composed([*kept, *overrides]), command=["train.py", *overrides])
        assert record is not None
        return record

    return run_overrides
