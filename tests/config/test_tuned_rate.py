"""A tuned learning rate is the one of the run's design and size, and what is typed goes first."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from unidelta.config.tuned_rate import learning_rate
from unidelta.design.published import stated_architecture
from unidelta.errors import Problems
from unidelta.extensions.paths import CONF
from unidelta.run.prepare import prepare

from ..composed import composed

TUNED = "tuned/mini/xsum_own_lora.yaml"
FILE = """# @package _global_
training:
  learning_rate: null
  tuned:
    bart:
      ffn scaled 4: {0.5: 0.011, 6.7: 0.012}
      ffn scaled 1: {6.7: 0.013}
      attn scaled 4: {0.5: 0.014, 6.7: 0.015}
    llama:
      ffn scaled 4: {0.5: 0.021}
"""


@pytest.fixture
def tuned(folder: Callable[[Mapping[str, str]], Path]) -> Path:
    """A folder of a user's own, with a method and its rates."""
    method = (CONF / "method/lora.yaml").read_text(encoding="utf-8").replace("name: lora", "name: own_lora")
    return folder({"method/own_lora.yaml": method, TUNED: FILE})


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("position=ffn budget=percent budget.percent=6.7", 0.012),
        ("position=ffn budget=percent budget.percent=0.4", 0.011),
        ("position=ffn budget=percent budget.percent=0.4 composition.scale=1", 0.013),
        ("position=attn budget=percent budget.percent=12", 0.015),
        ("position=attn budget=percent budget.percent=12 training.learning_rate=0.5", 0.5),
        ("position=ffn budget=percent budget.percent=4.7 backbone=llama", 0.021),
    ],
)
def test_the_rate_is_of_the_design_and_its_size(tuned: Path, words: str, rate: float):
    spec = prepare(composed(["method=own_lora", "task=xsum", *words.split()]))
    assert spec.training.learning_rate == rate


def test_a_family_that_was_not_tuned_has_the_rates_of_the_first(tuned: Path):
    config = composed(["method=own_lora", "task=xsum", "position=ffn", "composition.scale=1"])
    spec, gpt2 = prepare(config), stated_architecture("gpt2", n_labels=0)
    assert learning_rate(config, spec.design, gpt2) == spec.training.learning_rate == 0.013


def test_a_rate_that_nobody_tuned_is_asked_for(tuned: Path):
    with pytest.raises(Problems, match=r"training\.learning_rate=1e-3"):
        prepare(composed(["method=lora", "task=sst2", "scale=paper", "training.learning_rate=null"]))


def test_a_rate_that_is_none_is_refused(tuned: Path):
    (tuned / TUNED).write_text(FILE.replace("0.013", "-1.0"), encoding="utf-8")
    with pytest.raises(Problems, match=r"training\.tuned with bart: ffn scaled 1"):
        prepare(composed(["method=own_lora", "task=xsum"]))
