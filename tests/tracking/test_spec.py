"""What can be wrong with tracking is told before a run, and tracking is no part of what a run is."""

import importlib.util
from typing import get_args

import pytest
import wandb

from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.errors import Problems
from unidelta.run.prepare import prepare
from unidelta.tracking import check_tracking

from ..composed import composed


def test_wandb_is_the_default_and_writes_where_the_records_go():
    spec = resolve_tracking(composed(["results_dir=here"]))
    assert (spec.kind, spec.mode, str(spec.folder)) == ("wandb", "auto", "here")
    assert (spec.project, spec.entity, spec.group, check_tracking(spec)) == (None, None, None, [])
    assert str(resolve_tracking(composed(["tracking.folder=there"])).folder) == "there"


def test_tracking_does_not_name_a_run():
    typed = ["tracking=none", "tracking.project=other", "tracking.group=g", "tracking.folder=f", "tracking.mode=online"]
    assert prepare(composed([])).scientific() == prepare(composed(typed)).scientific()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tracking.project=a/b", "none of / "),
        (f"tracking.project={'x' * 129}", "1 to 128 letters"),
        (f"tracking.group={'x' * 129}", "1 to 128 letters"),
        ("tracking.mode=sometimes", "auto, offline, online"),
    ],
)
def test_what_wandb_would_refuse_is_refused_before_the_run(typed: str, said: str):
    with pytest.raises(Problems, match=said):
        prepare(composed([typed]))


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is not None, reason="tensorboard is installed")
def test_tensorboard_without_its_package_is_refused_before_the_run():
    with pytest.raises(Problems, match="pip install tensorboard"):
        prepare(composed(["tracking=tensorboard"]))


def test_the_folder_is_wandbs_own_where_nothing_was_typed(monkeypatch):
    monkeypatch.setenv("WANDB_DIR", "~/w")
    monkeypatch.setenv("HOME", "/home/of-mine")
    assert str(resolve_tracking(composed(["results_dir=here"])).folder) == "/home/of-mine/w"
    assert str(resolve_tracking(composed(["tracking.folder=there"])).folder) == "there"
    monkeypatch.setenv("WANDB_DIR", "")  # as it is where nothing is set
    assert str(resolve_tracking(composed(["results_dir=here"])).folder) == "here"
    monkeypatch.setenv("WANDB_DIR", "w")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    assert str(resolve_tracking(composed(["tracking=tensorboard", "results_dir=here"])).folder) == "here"


@pytest.mark.parametrize("value", ["Offline", "dry-run", ""])
def test_a_mode_that_wandb_has_not_is_refused_and_named(value, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", value)
    (problem,) = check_tracking(resolve_tracking(composed([])))
    assert (problem.asked, problem.why) == (
        f"WANDB_MODE={value}",
        "the modes of W&B are online, offline, shared, disabled",
    )
    assert not check_tracking(resolve_tracking(composed(["tracking=none"])))


def test_every_mode_of_wandb_is_taken(monkeypatch):
    for mode in get_args(wandb.Settings.model_fields["mode"].annotation):
        monkeypatch.setenv("WANDB_MODE", mode)
        assert not check_tracking(resolve_tracking(composed([])))


@pytest.mark.parametrize("variable", ["WANDB_PROJECT=a/b", f"WANDB_RUN_GROUP={'x' * 129}"])
def test_what_a_variable_says_is_checked_and_named(variable, monkeypatch):
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    with pytest.raises(Problems) as refusal:
        prepare(composed([]))
    assert refusal.value.asked == variable
    prepare(composed(["tracking.project=fine", "tracking.group=fine"]))
