"""The worked example of docs/adding-a-method.md: the file, the command and the output are real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

from unidelta.config.compose import compose
from unidelta.config.overrides import choices
from unidelta.config.resolve import published_architecture, resolve
from unidelta.config.resolve_design import resolve_design
from unidelta.design.architecture import Architecture
from unidelta.design.count import count
from unidelta.design.spec import Deltas
from unidelta.dry_run import dry_run
from unidelta.families.architectures import architecture_of
from unidelta.families.inject import inject
from unidelta.paths import CONF, PACKAGE

DOCUMENT = CONF.parent / "docs" / "adding-a-method.md"


def shown(beginning: str) -> str:
    """The block of the document that begins so."""
    (found,) = [part for part in DOCUMENT.read_text(encoding="utf-8").split("```text\n") if part.startswith(beginning)]
    return found.split("```")[0]


def sandwich(*overrides: str, architecture: Architecture) -> tuple[Deltas, list[str]]:
    config = compose(["method=sandwich", *overrides])
    design, problems = resolve_design(config, architecture=architecture, published=architecture)
    assert isinstance(design, Deltas)
    return design, [str(problem) for problem in problems]


def bart(**sizes: int) -> BartConfig:
    heads = {f"{stack}_attention_heads": 4 for stack in ("encoder", "decoder")}
    return BartConfig(vocab_size=50, d_model=32, encoder_ffn_dim=48, decoder_ffn_dim=48, **heads, **sizes)


def test_no_preset_is_the_example(documented):
    assert "sandwich" in choices("method")
    assert not (CONF / "method" / "sandwich.yaml").exists()


def test_it_is_built_with_the_parameters_of_its_equations(documented):
    config = bart(encoder_layers=1, decoder_layers=2)
    architecture = architecture_of(config, name="tiny")
    budget = ["budget=bottleneck", "budget.attn=5", "budget.ffn=3", "method.attn.mlp_width=7"]
    design, problems = sandwich(*budget, architecture=architecture)
    assert not problems
    model = BartForConditionalGeneration(config)
    injection = inject(model, design, generator=torch.Generator().manual_seed(0))
    layers, attentions, ffns, d, f = (1, 2, 2), 5, 3, 32, 48
    mlps = sum(5 * d + (d + 1) * 7 + 8 * 2 * n * d for n in layers)
    head_adapter = mlps + attentions * (2 * d + 1)  # BART's layer norm of the query, and the trained scale
    low_rank = ffns * 3 * (2 * f + 2 * d)  # sequential: from and to the output of fc1, and of fc2
    assert injection.n_trained == count(design, architecture).trained == head_adapter + low_rank
    ids = torch.arange(6)[None]
    model(input_ids=ids, labels=ids).loss.backward()
    silent = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not silent


def test_the_pin_holds_and_the_free_slot_follows_the_axes(documented):
    bart_large = published_architecture(compose().backbone, n_labels=0)
    design, _ = sandwich("insertion=parallel", "composition=additive", architecture=bart_large)
    axes = [(part.slot, part.insertion, part.composition) for part in design.parts]
    assert axes == [("attn", "parallel", "learned_scale"), ("ffn", "parallel", "additive")]
    design, problems = sandwich("budget=percent", "budget.percent=3.6", architecture=bart_large)
    assert not problems
    left = 0.036 * 406_291_456 - 2 * 30 * 1024 * 36  # not flexible: attention keeps l = 30
    r = round(left / (24 * 2 * (4096 + 1024)))
    assert [part.bottleneck for part in design.parts] == [30, r] == [30, 51]


def test_the_dry_run_prints_what_the_document_shows(documented, capsys):
    config = compose(["method=sandwich", "scale=paper", "dry_run=true"])
    bart_large = published_architecture(config.backbone, n_labels=0)
    dry_run(resolve(config, architecture=bart_large, published=bart_large))
    assert shown("sandwich on XSum") in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_itself_prints_it(documented: Path):
    shutil.copytree(PACKAGE, documented / "src" / PACKAGE.name)
    shutil.copy(CONF.parent / "train.py", documented)
    done = subprocess.run(
        [sys.executable, "train.py", "method=sandwich", "scale=paper", "dry_run=true"],
        cwd=documented,
        env={**os.environ, "PYTHONPATH": str(documented / "src"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert shown("sandwich on XSum") in done.stdout


def test_the_refusal_is_what_the_document_shows(documented):
    architecture = architecture_of(bart(), name="mini-bart")
    changes = ["method.attn.insertion=sequential", "budget=bottleneck", "budget.attn=1", "budget.ffn=8"]
    _, problems = sandwich(*changes, architecture=architecture)
    assert problems == [shown("You asked:").rstrip()]
