"""`dry_run=true`: the published sizes without weights or network, and one JSON object as the last line."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, PreTrainedModel

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.architecture import Architecture
from unidelta.errors import Problems
from unidelta.injection.inject import inject
from unidelta.run.prepare import prepare
from unidelta.run.run import run

from ..composed import composed

KEYS = {
    "method",
    "task",
    "backbone",
    "design",
    "backbone_parameters",
    "trained",
    "stored",
    "matrices",
    "percent_trained",
    "percent_stored",
    "percent_matrices",
    "percent_published_rule",
}


def dry_run(capsys: pytest.CaptureFixture[str], *overrides: str) -> dict[str, object]:
    assert run(composed([*overrides, "dry_run=true"]), command=[]) is None
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_mam_on_bart_large_has_the_published_sizes(capsys: pytest.CaptureFixture[str]):
    last = dry_run(capsys, "method=mam", "task=xsum", "scale=paper")
    assert last.keys() >= KEYS
    assert (last["trained"], last["stored"], last["matrices"]) == (86_810_976, 27_414_528, 27_377_664)
    assert last["backbone_parameters"] == 406_291_456
    assert last["percent_published_rule"] == 6.7
    assert last["bottlenecks"] == {"attn": 30, "ffn": 512}


def on_meta(architecture: Architecture) -> PreTrainedModel:
    """transformers' own model of these sizes, without memory."""
    facts = dict(architecture.config)
    labels = {"num_labels": architecture.n_labels} if architecture.n_labels else {}
    config = AutoConfig.for_model(facts.pop("model_type"), **facts, **labels)
    with torch.device("meta"):
        return MODEL_CLASSES[architecture.family.kind].from_config(config)


@pytest.mark.parametrize("task", ["xsum", "wmt_en_ro", "mnli", "sst2"])
@pytest.mark.parametrize(
    ("method", "conventions"),
    [("mam", "released")]  # of the rest, tests/design/test_count.py has every form on small models
    + [
        pytest.param(method, conventions, marks=pytest.mark.slow)
        for method in ("mam", "adapter_houlsby", "multihead_parallel_adapter", "bitfit", "full", "lora")
        for conventions in ("released", "paper")
        if (method, conventions) != ("mam", "released")
    ],
)
def test_the_modules_have_as_many_parameters_as_the_closed_form(
    task: str, method: str, conventions: str, capsys: pytest.CaptureFixture[str]
):
    config = composed([f"method={method}", f"task={task}", "scale=paper", f"conventions={conventions}", "dry_run=true"])
    assert run(config, command=[]) is None
    last, spec = json.loads(capsys.readouterr().out.splitlines()[-1]), prepare(config)
    injection = inject(on_meta(spec.backbone.architecture), spec.design, generator=torch.Generator())
    assert (last["trained"], last["stored"]) == (injection.n_trained, injection.n_stored)


LATER = ("llama", "mistral", "qwen3", "gemma3", "gpt2", "modernbert")


@pytest.mark.parametrize(
    "backbone",
    ["t5", *(pytest.param(name, marks=pytest.mark.slow) for name in LATER)],
)
def test_a_backbone_that_is_not_in_the_paper_is_counted_as_it_is_built(backbone, capsys):
    words = [f"backbone={backbone}", f"task={'mnli' if backbone == 'modernbert' else 'xsum'}", "scale=paper"]
    last, spec = dry_run(capsys, "method=mam", *words), prepare(composed(["method=mam", *words, "dry_run=true"]))
    injection = inject(on_meta(spec.backbone.architecture), spec.design, generator=torch.Generator())
    assert (last["trained"], last["stored"]) == (injection.n_trained, injection.n_stored)
    assert 0.3 < last["percent_matrices"] < 7


def test_text_that_starts_behind_a_prefix_has_fewer_positions(capsys):
    words = ["method=prefix", "backbone=gpt2", "task=xsum", "scale=paper", "budget=bottleneck", "budget.bottleneck=600"]
    dry_run(capsys, *words)
    with pytest.raises(Problems, match=r"task\.max_source_length=512(.|\n)*positions for 2 to 424 tokens"):
        prepare(composed([*words, "method.attn.text_start=length", "dry_run=true"]))
    fits = ["task.max_source_length=296"]  # with the target's 128
    last = dry_run(capsys, *words, "method.attn.text_start=length", *fits)
    assert last["design"] == "prefix(attn, l=600, gated, MLP 600, text from l)"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("method=prompt backbone=gpt2 task=xsum budget.bottleneck=600", "2 to 424 tokens"),
        ("method=prefix backbone=modernbert task=mnli task.max_source_length=8000 budget.bottleneck=600", None),
        (
            "method=prefix backbone=modernbert task=mnli task.max_source_length=8000 budget.bottleneck=600"
            " method.attn.text_start=length",
            "2 to 7592 tokens",
        ),
    ],
)
def test_a_prompt_of_a_decoder_and_a_prefix_of_an_encoder_take_positions_too(words, left):
    config = composed([*words.split(), "scale=paper", "budget=bottleneck", "dry_run=true"])
    if left is None:
        prepare(config)
        return
    with pytest.raises(Problems, match=left):
        prepare(config)


def test_a_dry_run_does_without_torch_and_transformers():
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from unidelta.cli.train import main; main();"
            "print(sorted({'torch', 'transformers'} & set(sys.modules)))",
            *("method=mam", "task=xsum", "scale=paper", "dry_run=true"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_a_head_is_counted_where_it_is_trained(capsys: pytest.CaptureFixture[str]):
    frozen = dry_run(capsys, "method=mam", "task=mnli", "scale=paper")
    trained = dry_run(capsys, "method=mam", "task=mnli", "scale=paper", "training.head=trained")
    assert trained["trained"] - frozen["trained"] == 768 * 768 + 768 + 768 * 3 + 3
    assert trained["matrices"] == frozen["matrices"]
