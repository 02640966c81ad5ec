"""The four tasks with a decoder-only checkpoint, which has no padding token; and what cannot be, told in time."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf

import unidelta
from unidelta.backbones.loading import Loading
from unidelta.backbones.local import Local
from unidelta.errors import BackboneError
from unidelta.records.record import RunRecord

from .conftest import ENDS
from .test_bad_input import refusal
from .test_bad_tasks import told

Do = Callable[..., RunRecord]
SHORT = ("task.max_source_length=60", "task.max_target_length=20", "task.eval_max_target_length=20")


def words(task: str, data, checkpoint) -> tuple[str, ...]:
    rows = (f"task={task}", "backbone=llama", "task.source=local", f"task.path={data(task)}")
    return (*rows, f"backbone.checkpoint={checkpoint('llama')}", "task.max_unknown_share=1")


@pytest.mark.parametrize(
    ("task", "method", "more"),
    [
        ("xsum", "mam", (*SHORT, "task.generation.max_length=8", "task.generation.num_beams=2")),
        ("wmt_en_ro", "prefix", (*SHORT, "task.generation.max_length=8", "training.max_tokens=640")),
        ("mnli", "lora", ("task.classify_by=words", "task.label_words=[the,near,not]")),
        ("sst2", "full", ("save_model=true",)),
    ],
)
def test_a_decoder_does_every_task(task: str, method: str, more, do: Do, data, checkpoint, tmp_path: Path):
    record = do(f"method={method}", *words(task, data, checkpoint), *more)
    assert record.status == "complete"
    architecture, prompt = record.spec["backbone"]["architecture"], record.spec["task"]["prompt"]
    assert architecture["n_labels"] == (2 if task == "sst2" else 0)
    assert prompt["label_words"] == (["the", "near", "not"] if task == "mnli" else [])
    splits = {"xsum": "test", "wmt_en_ro": "test", "mnli": "validation_mismatched", "sst2": "validation"}
    assert record.metrics[splits[task]]["n"] == 8
    folder = tmp_path / "runs" / "mini" / task / record.run_id
    if task == "sst2":
        saved = hf.AutoModelForSequenceClassification.from_pretrained(folder)
        assert type(saved) is hf.LlamaForSequenceClassification and saved.config.pad_token_id == 2
        return
    model = unidelta.load(folder, hf.LlamaForCausalLM.from_pretrained(checkpoint("llama"), dtype=torch.float32))
    prompts = torch.tensor([[0, 9, 8, 7]])
    made = model.generate(prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=4, pad_token_id=2)
    assert made.shape[1] <= 8


def test_a_tokenizer_without_a_padding_token_pads_with_the_end_and_one_with_neither_is_refused(
    checkpoint, tmp_path: Path
):
    loaded = Local(family="llama", typed=str(checkpoint("llama"))).load(Loading(seed=0, n_labels=3))
    assert (loaded.tokenizer.pad_token, loaded.model.config.pad_token_id) == ("</s>", 2)
    assert loaded.new == ("score.weight",)
    texts = loaded.tokenizer(["the city", "a"], padding=True, return_tensors="pt")
    alone = loaded.tokenizer(["a"], return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(**texts).logits[1:], loaded.model(**alone).logits)
    loaded.model.save_pretrained(tmp_path)
    bare = hf.PreTrainedTokenizerFast(tokenizer_object=loaded.tokenizer.backend_tokenizer, unk_token=ENDS["unk_token"])
    bare.save_pretrained(tmp_path)
    with pytest.raises(BackboneError, match="neither a padding token nor one that ends a text"):
        Local(family="llama", typed=str(tmp_path)).load(Loading(seed=0))


def test_what_a_decoder_cannot_do_is_told_before_it_is_loaded(checkpoint, data, tmp_path: Path):
    typed = " ".join(words("xsum", data, checkpoint))
    more = "task.chat=true 'task.prompt=\"{sorce}\"'"
    lengths = "task.max_source_length=2000 task.max_target_length=1000"
    told(
        refusal(f"{typed} {more} {lengths}", tmp_path / "runs"),
        "Problem 3 of 3",
        "has no chat template",
        "{sorce}",
        "2048 positions for both together",
    )
