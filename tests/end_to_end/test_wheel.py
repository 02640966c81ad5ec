"""The package installed as a wheel, used from a folder outside the checkout: docs/api.md's example, and extensions."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unidelta.cli.commands import COMMANDS
from unidelta.extensions.paths import CONF

ROOT = CONF.parent
pytestmark = pytest.mark.slow
MODELS = """
import shutil
import sys
from transformers import (
    BartConfig, BartForConditionalGeneration, LlamaConfig, LlamaForCausalLM, RobertaConfig,
    RobertaForSequenceClassification,
)
import unidelta

assert unidelta.__file__.startswith(sys.argv[1]), unidelta.__file__
heads = {f"{stack}_attention_heads": 4 for stack in ("encoder", "decoder")}
ffns = {f"{stack}_ffn_dim": 128 for stack in ("encoder", "decoder")}
decoder = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
models = (
    BartForConditionalGeneration(
        BartConfig(vocab_size=2000, d_model=64, encoder_layers=2, decoder_layers=2, **heads, **ffns)
    ),
    RobertaForSequenceClassification(RobertaConfig(vocab_size=2000, **decoder)),
    LlamaForCausalLM(LlamaConfig(vocab_size=2000, num_key_value_heads=2, **decoder)),
)
for model in models:
    stock = {name: tensor.clone() for name, tensor in model.state_dict().items()}
"""
AFTER = """
    deltas.remove()
    assert all(tensor.equal(stock[name]) for name, tensor in model.state_dict().items())
    assert len(runs) > 1
    shutil.rmtree("my-lora-for-peft")  # the next model's goes to the same place
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", folder / "site", built], check=True)
    return folder / "site"


def started(words: list[str], wheel: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(wheel), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


def run(words: list[str], wheel: Path, cwd: Path) -> str:
    done = started(words, wheel, cwd)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_api_example_of_the_documents_runs_on_three_stock_models(wheel, tmp_path):
    (example,) = re.findall(
        r"```python\n(import torch\nimport unidelta\n.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL
    )
    shutil.copytree(ROOT / "results" / "mini" / "main" / "mini", tmp_path / "results" / "mini")
    body = "".join(f"    {line}" if line.strip() else line for line in example.splitlines(keepends=True))
    (tmp_path / "example.py").write_text(MODELS + body + AFTER)
    printed = run(["example.py", str(wheel)], wheel, tmp_path)
    assert re.findall(r"in a (\w+) of", printed) == [
        "BartForConditionalGeneration",
        "RobertaForSequenceClassification",
        "LlamaForCausalLM",
    ]


def test_a_method_and_a_form_of_ones_own_are_found_from_a_folder(wheel, tmp_path):
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"`mine/((?:method|forms)/[\w.]+)`[^`]*?\n\n```\w+\n(.*?)```", page, re.DOTALL):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text(text, encoding="utf-8")
    words = ["-m", "unidelta", "train", "--config-dir", "mine", "method=sandwich", "method.ffn.form=gated_bottleneck"]
    changes = ["method.ffn.targets=[]", "method.ffn.dropout=null", "method.ffn.scale=null", "dry_run=true"]
    assert "gated adapter(ffn, r=" in run([*words, *changes], wheel, tmp_path)
    package = tmp_path / "installed" / "added-1.dist-info"  # the same as a package with entry points
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[unidelta.forms]\ngated = added_form\n[unidelta.conf]\nadded = added_conf:CONF\n"
    )
    forms = tmp_path / "mine" / "forms" / "gated_bottleneck.py"
    (tmp_path / "installed" / "added_form.py").write_text(forms.read_text())
    (tmp_path / "installed" / "added_conf.py").write_text(f"CONF = {str(tmp_path / 'yaml')!r}\n")
    (tmp_path / "yaml").mkdir()
    (tmp_path / "mine" / "method").rename(tmp_path / "yaml" / "method")
    path = Path(f"{wheel}{os.pathsep}{tmp_path / 'installed'}")
    words = ["-m", "unidelta", "train", "method=sandwich", "method.ffn.form=gated_bottleneck", *changes]
    assert "gated adapter(ffn, r=" in run(words, path, tmp_path)


def test_every_command_works_from_any_folder(wheel, tmp_path):
    script = str(wheel / "bin" / "unidelta")
    listed = run([script, "--help"], wheel, tmp_path)
    assert listed == run(["-m", "unidelta", "--help"], wheel, tmp_path)
    few = "training.max_steps=2 training.eval_every=2 task.max_train_examples=8 task.max_eval_examples=4"
    train = f"train method=bitfit task=sst2 {few} task.max_test_examples=4 tracking=none results_dir=runs".split()
    assert "complete" in run([script, *train], wheel, tmp_path)
    (record,) = (tmp_path / "runs").glob("mini/*/*.json")
    assert json.loads(record.read_text())["provenance"]["command"][0] == "unidelta train"
    predictions = str(record.with_suffix(".predictions.jsonl"))
    typed = {
        "train": [*train, "dry_run=true"],
        "sweep": ["sweep", "mini_main", "task=sst2", "method=lora", "--list"],
        "report": ["report", "table2", "claims", "--source", "runs"],
        "export": ["export", str(record.with_suffix("")), "--to", "merged", "--output", "merged"],
        "import": ["import", "--help"],
        "tasks": ["tasks", "score", predictions, "--task", "sst2"],
        "mini": ["mini", "sample", "xsum", "-n", "1"],
        "backbones": ["backbones", "--help"],
        "fidelity": ["fidelity", "counts"],
        "check": ["check", "form", "diagonal"],
    }
    assert re.findall(r"^  (\w+) ", listed, re.MULTILINE) == ["tour", *typed]
    for name, words in typed.items():
        assert run([script, *words], wheel, tmp_path), name
        usage = run([script, name, "--help"], wheel, tmp_path)
        assert name == "train" or f"unidelta {name}" in usage


@pytest.mark.parametrize(
    ("words", "why", "instead"),
    [
        (["trian", "seed=1"], "there is no command `trian`", "unidelta train seed=1"),
        (["swep", "main"], "there is no command `swep`", "unidelta sweep main"),
        (["method=mam"], "there is no command `method=mam`", "unidelta train method=mam"),
        (["version"], "there is no command `version`", "unidelta --version"),
        (
            ["%"],
            "there is no command `%`",
            f"one of: {', '.join(COMMANDS)}",
        ),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(wheel, tmp_path, words, why, instead):
    done = started(["-m", "unidelta", *words], wheel, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = [line.split(":", 1)[1].strip() for line in done.stderr.splitlines()]
    assert said == [f"unidelta {words[0]}", why, instead]
