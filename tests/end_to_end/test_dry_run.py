"""`dry_run=true`: the published sizes without weights or network, and one JSON object as the last line."""

import json

import pytest

from unidelta.config.compose import compose
from unidelta.run import run

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
    assert run(compose([*overrides, "dry_run=true"]), command=[]) is None
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_mam_on_bart_large_has_the_published_sizes(capsys: pytest.CaptureFixture[str]):
    last = dry_run(capsys, "method=mam", "task=xsum", "scale=paper")
    assert last.keys() >= KEYS
    assert (last["trained"], last["stored"], last["matrices"]) == (86_810_976, 27_414_528, 27_377_664)
    assert last["backbone_parameters"] == 406_291_456
    assert last["percent_published_rule"] == 6.7
    assert last["bottlenecks"] == {"attn": 30, "ffn": 512}


@pytest.mark.parametrize("task", ["xsum", "wmt_en_ro", "mnli", "sst2"])
@pytest.mark.parametrize("conventions", ["released", "paper"])
def test_the_modules_have_as_many_parameters_as_the_closed_form(
    task: str, conventions: str, capsys: pytest.CaptureFixture[str]
):
    # dry_run itself compares the two and fails loudly where they differ
    for method in ("mam", "adapter_houlsby", "multihead_parallel_adapter", "bitfit"):
        last = dry_run(capsys, f"method={method}", f"task={task}", "scale=paper", f"conventions={conventions}")
        assert last["method"] == method


def test_a_head_is_counted_where_it_is_trained(capsys: pytest.CaptureFixture[str]):
    frozen = dry_run(capsys, "method=mam", "task=mnli", "scale=paper")
    trained = dry_run(capsys, "method=mam", "task=mnli", "scale=paper", "training.head=trained")
    assert trained["trained"] - frozen["trained"] == 768 * 768 + 768 + 768 * 3 + 3
    assert trained["matrices"] == frozen["matrices"]
