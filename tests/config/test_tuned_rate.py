"""A tuned learning rate is the one of the run's design and size, and what is typed goes first."""

from pathlib import Path

import pytest

from unidelta.config.compose import compose
from unidelta.errors import Problems
from unidelta.extensions import folders as extensions
from unidelta.extensions.folders import add_folder
from unidelta.extensions.paths import CONF
from unidelta.run.prepare import prepare

TUNED = "tuned/mini/xsum_own_lora.yaml"
FILE = """# @package _global_
training:
  learning_rate: null
  tuned:
    ffn scaled 4: {0.5: 0.011, 6.7: 0.012}
    ffn scaled 1: {6.7: 0.013}
    attn scaled 4: {0.5: 0.014, 6.7: 0.015}
"""


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own, with a method and its rates."""
    monkeypatch.setattr(extensions, "_folders", [])
    method = (CONF / "method/lora.yaml").read_text(encoding="utf-8").replace("name: lora", "name: own_lora")
    for name, content in {"method/own_lora.yaml": method, TUNED: FILE}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return add_folder(tmp_path)


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("position=ffn budget=percent budget.percent=6.7", 0.012),
        ("position=ffn budget=percent budget.percent=0.4", 0.011),
        ("position=ffn budget=percent budget.percent=0.4 composition.scale=1", 0.013),
        ("position=attn budget=percent budget.percent=12", 0.015),
        ("position=attn budget=percent budget.percent=12 training.learning_rate=0.5", 0.5),
    ],
)
def test_the_rate_is_of_the_design_and_its_size(tuned: Path, words: str, rate: float):
    spec = prepare(compose(["method=own_lora", "task=xsum", *words.split()]))
    assert spec.training.learning_rate == rate


def test_a_rate_that_nobody_tuned_is_asked_for(tuned: Path):
    with pytest.raises(Problems, match=r"training\.learning_rate=1e-3"):
        prepare(compose(["method=lora", "task=sst2", "scale=paper", "training.learning_rate=null"]))


def test_a_rate_that_is_none_is_refused(tuned: Path):
    (tuned / TUNED).write_text(FILE.replace("0.013", "-1.0"), encoding="utf-8")
    with pytest.raises(Problems, match=r"training\.tuned with ffn scaled 1"):
        prepare(compose(["method=own_lora", "task=xsum"]))
