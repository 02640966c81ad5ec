"""The model card beside saved deltas: it is Markdown that a hub can read, and its numbers are the run's."""

import re
from pathlib import Path

import pytest
import yaml
from transformers import BartConfig, BartForConditionalGeneration

import unidelta
from unidelta.injection.card import CARD, TrainedBy
from unidelta.injection.saved import save


@pytest.fixture
def model() -> BartForConditionalGeneration:
    stacks = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in SIZES.items()}
    return BartForConditionalGeneration(BartConfig(vocab_size=40, d_model=16, **stacks))


SIZES = {"layers": 2, "attention_heads": 2, "ffn_dim": 32}
SCORES = {
    "signature": "rouge|version:1",
    "test": {"rouge1": 41.234, "loss": 1.5, "n": 11334, "interval95": {"rouge1": [40.9, 41.6]}},
    "validation": {"rouge1": 40.0, "loss": 1.6, "n": 300},
}


def test_it_has_the_design_the_counts_the_scores_and_the_command(model, tmp_path: Path) -> None:
    deltas = unidelta.inject(model, "mam", budget={"attn": 3, "ffn": 5})
    command = ["train.py", "method=mam", "task=xsum"]
    trained_by = TrainedBy(method="mam", task="XSum", backbone="bart-tiny", command=command, scores=SCORES, seed=7)
    save(deltas, tmp_path, trained_by=trained_by)
    text = (tmp_path / CARD).read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    front = yaml.safe_load(front)
    assert (front["library_name"], front["base_model"], front["license"]) == ("unidelta", "bart-tiny", None)
    assert {"bart", "mam"} < set(front["tags"])
    assert body.startswith("\n# mam on XSum\n") and "python -c" not in body
    n = deltas.counts()
    for number in (n.trained, n.stored, n.matrices):
        assert f"| {number:,} |" in body
    assert "| test | rouge1 | 41.23 | 40.90 to 41.60 | 11334 |" in body
    assert "| validation | rouge1 | 40.00 | – | 300 |" in body and "loss" not in body
    assert "seed 7" in body and "train.py method=mam task=xsum\n" in body
    columns = [line.count("|") for line in re.findall(r"^\|.*\|$", body, re.MULTILINE) if "functional" in line]
    assert columns == [6] and body.count("| mam on XSum |") == 2  # a row of Table 1 for each part


def test_deltas_saved_by_hand_have_one_too_and_load(model, tmp_path: Path) -> None:
    deltas = unidelta.inject(model, "bitfit")
    deltas.save(tmp_path)
    body = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "# Deltas\n" in body and "How it was trained" not in body and "base_model" not in body
    deltas.remove()
    assert unidelta.deltas_of(unidelta.load(tmp_path, model)).design == deltas.design
