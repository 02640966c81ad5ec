"""What can be wrong with tracking is told before a run, and tracking is no part of what a run is."""

import importlib.util

import pytest

from unidelta.config.compose import compose
from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.errors import Problems
from unidelta.run.prepare import prepare
from unidelta.tracking import check_tracking


def test_wandb_is_the_default_and_writes_where_the_records_go():
    spec = resolve_tracking(compose(["results_dir=here"]))
    assert (spec.kind, spec.mode, str(spec.folder), spec.project) == ("wandb", "auto", "here", "unidelta")
    assert (spec.entity, spec.group, check_tracking(spec)) == (None, None, [])
    assert str(resolve_tracking(compose(["tracking.folder=there"])).folder) == "there"


def test_tracking_does_not_name_a_run():
    typed = ["tracking=none", "tracking.project=other", "tracking.group=g", "tracking.folder=f", "tracking.mode=online"]
    assert prepare(compose()).scientific() == prepare(compose(typed)).scientific()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tracking.project=a/b", "none of / "),
        ("tracking.project=''", "1 to 128 letters"),
        (f"tracking.project={'x' * 129}", "1 to 128 letters"),
        (f"tracking.group={'x' * 129}", "tracking.group=null"),
        ("tracking.mode=sometimes", "auto, offline, online"),
    ],
)
def test_what_wandb_would_refuse_is_refused_before_the_run(typed: str, said: str):
    with pytest.raises(Problems, match=said):
        prepare(compose([typed]))


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is not None, reason="tensorboard is installed")
def test_tensorboard_without_its_package_is_refused_before_the_run():
    with pytest.raises(Problems, match="pip install tensorboard"):
        prepare(compose(["tracking=tensorboard"]))
