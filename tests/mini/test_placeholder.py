"""The placeholder miniature: the same everywhere, disjoint splits, a closed vocabulary, models that run."""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from unidelta.errors import DataError
from unidelta.mini import rows, vocabulary
from unidelta.mini.corpus import SPLITS
from unidelta.mini.placeholder import backbone, config

FAMILIES = ("bart", "mbart", "roberta", "bert")
TEXTS = {"xsum": ("document", "summary"), "mnli": ("premise", "hypothesis"), "sst2": ("sentence",)}


def texts(task: str, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row["translation"].values()) if task == "wmt_en_ro" else tuple(row[name] for name in TEXTS[task])


def fingerprint() -> str:
    corpora = [[rows(task, split) for split in splits] for task, splits in SPLITS.items()]
    digest = hashlib.sha256(json.dumps(corpora).encode())
    for family in FAMILIES:
        model, tokenizer = backbone(family, seed=7)
        digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
        for name, tensor in model.state_dict().items():
            digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def test_another_process_with_another_hash_seed_sees_the_same_corpora_vocabularies_and_weights():
    program = f"import runpy; print(runpy.run_path({__file__!r})['fingerprint']())"
    env = {**os.environ, "PYTHONHASHSEED": "20220425"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == fingerprint()


def test_another_seed_gives_other_rows_and_other_weights():
    assert rows("xsum", "train", seed=0) != rows("xsum", "train", seed=1)
    one, two = (backbone("bert", seed=seed)[0].get_input_embeddings().weight for seed in (0, 1))
    assert not torch.equal(one, two)


def test_drawing_a_backbone_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    backbone("bart", seed=3)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("task", SPLITS)
def test_splits_are_disjoint_and_hold_the_promised_number_of_rows(task: str):
    inputs = {split: [texts(task, row)[0] for row in rows(task, split)] for split in SPLITS[task]}
    assert [len(column) for column in inputs.values()] == [320] + [64] * (len(inputs) - 1)
    everything = [text for column in inputs.values() for text in column]
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize(("task", "n_labels"), [("mnli", 3), ("sst2", 2)])
def test_labels_cover_every_class_in_every_split(task: str, n_labels: int):
    for split in SPLITS[task]:
        assert {row["label"] for row in rows(task, split)} == set(range(n_labels))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_is_in_the_vocabulary_and_decodes_to_itself(family: str):
    tokenizer = backbone(family, seed=0)[1]
    everything = [t for task in SPLITS for split in SPLITS[task] for row in rows(task, split) for t in texts(task, row)]
    used = {word for text in everything for word in text.split()}
    assert used == set(vocabulary())  # none missing, none idle
    for text in everything[::50]:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_special_tokens_have_the_ids_of_the_real_checkpoints():
    for family in FAMILIES:
        tokenizer = backbone(family, seed=0)[1]
        assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, 4]
    pair = backbone("roberta", seed=0)[1]("the boat", "a key")
    assert backbone("roberta", seed=0)[1].decode(pair["input_ids"]) == "<s> the boat </s> </s> a key </s>"


def test_mbart_text_ends_in_its_language_and_labels_shift_to_start_with_it():
    model, tokenizer = backbone("mbart", seed=0)
    ids = tokenizer("the key", text_target="cheia")
    assert tokenizer.decode(ids["input_ids"]) == "the key </s> en_XX"
    assert tokenizer.decode(ids["labels"]) == "cheia </s> ro_RO"
    assert tokenizer.decode(tokenizer("the key")["input_ids"]) == "the key </s> en_XX"  # back in input mode
    shifted = model.prepare_decoder_input_ids_from_labels(torch.tensor([ids["labels"]]))
    assert tokenizer.decode(shifted[0]) == "ro_RO cheia </s>"
    assert shifted[0, 0] == model.config.decoder_start_token_id


@pytest.mark.parametrize("family", FAMILIES)
def test_a_forward_pass_and_a_generation_run(family: str):
    model, tokenizer = backbone(family, seed=0, n_labels=3)
    batch = tokenizer(["the old doctor sold the boat .", "a key"], padding=True, return_tensors="pt")
    with torch.no_grad():
        if family in ("roberta", "bert"):
            assert model(**batch).logits.shape == (2, 3)
        else:
            output = model(**batch, labels=batch["input_ids"])
            # Untrained: close to the uniform guess, ln(vocabulary size).
            assert output.loss.item() == pytest.approx(torch.log(torch.tensor(len(tokenizer))).item(), rel=0.1)
            generated = model.generate(**batch, max_new_tokens=5, num_beams=2)
            assert (generated[:, 0] == model.config.decoder_start_token_id).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_text_as_long_as_the_position_table_fits(family: str):
    model, tokenizer = backbone(family, seed=0)
    batch = tokenizer("boat " * 200, truncation=True, return_tensors="pt")
    assert batch["input_ids"].shape == (1, 128)
    model(**batch)


def test_a_config_alone_describes_the_same_model():
    for family in FAMILIES:
        assert (
            config(family, n_labels=3).to_diff_dict().items()
            <= backbone(family, seed=0, n_labels=3)[0].config.to_dict().items()
        )


@pytest.mark.parametrize(
    ("request_it", "named"),
    [
        (lambda: rows("cola", "train"), "xsum, wmt_en_ro, mnli, sst2"),
        (lambda: rows("mnli", "validation"), "train, validation_matched, validation_mismatched"),
        (lambda: backbone("t5", seed=0), "bart, mbart, roberta, bert"),
        (lambda: config("t5"), "bart, mbart, roberta, bert"),
    ],
)
def test_what_is_not_there_is_refused_with_the_list_of_what_is(request_it, named: str):
    with pytest.raises(DataError) as refusal:
        request_it()
    assert refusal.value.instead == f"One of: {named}"
